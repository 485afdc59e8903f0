/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stack of all calls together, as kernels up to 6.1 count it: each function's rounded up to 32
 * bytes, 512 bytes on the longest way. Newer ones do not round where they compile, and so let pass
 * what does not load there.
 */
#include "base/cleanup.h"
#include "xdp/abi.h"
#include "xdp/segd.skel.h"
#include "xdp/segd_tcp.skel.h"
#include "xdp/segd_xdp.skel.h"

#include <bpf/libbpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define STACK_MAX     512
#define STACK_ROUNDED 32
#define CALLS_MAX     8
#define FUNCTIONS_MAX 128
#define LOG_BYTES     65536

/* A program's functions in the order of their instructions, which is that of the verifier. */
struct functions {
	const struct bpf_insn *instructions;
	size_t instructions_count;
	size_t starts[FUNCTIONS_MAX];
	unsigned int stack[FUNCTIONS_MAX];
	size_t count;
};

/* A call, or a function that a helper is given to call. */
static bool is_call(const struct bpf_insn *instruction)
{
	if (instruction->code == (BPF_LD | BPF_IMM | BPF_DW))
		return instruction->src_reg == BPF_PSEUDO_FUNC;
	return instruction->code == (BPF_JMP | BPF_CALL) && instruction->src_reg == BPF_PSEUDO_CALL;
}

static void add_start(struct functions *functions, size_t start)
{
	size_t at = functions->count;

	while (at > 0 && functions->starts[at - 1] > start)
		at--;
	if (at > 0 && functions->starts[at - 1] == start)
		return;
	assert_true(functions->count < FUNCTIONS_MAX);
	memmove(&functions->starts[at + 1], &functions->starts[at],
		(functions->count - at) * sizeof(functions->starts[0]));
	functions->starts[at] = start;
	functions->count++;
}

static size_t target(const struct functions *functions, size_t call)
{
	return (size_t)((ptrdiff_t)call + 1 + functions->instructions[call].imm);
}

static void find_functions(const struct bpf_program *program, struct functions *functions)
{
	*functions = (struct functions){.instructions = bpf_program__insns(program),
		.instructions_count = bpf_program__insn_cnt(program)};
	add_start(functions, 0);
	for (size_t i = 0; i < functions->instructions_count; i++)
		if (is_call(&functions->instructions[i]))
			add_start(functions, target(functions, i));
}

/* "stack depth 144+64+0": from the verifier's closing words. */
static void read_stack(struct functions *functions, const char *log)
{
	const char *at = strstr(log, "stack depth ");

	assert_non_null(at);
	at += strlen("stack depth ");
	for (size_t i = 0; i < functions->count; i++) {
		char *end;

		functions->stack[i] = (unsigned int)strtoul(at, &end, 10);
		assert_ptr_not_equal(at, end);
		assert_int_equal(*end, i + 1 < functions->count ? '+' : '\n');
		at = end + 1;
	}
}

static size_t function_at(const struct functions *functions, size_t start)
{
	size_t i = 0;

	while (functions->starts[i] != start)
		i++;
	return i;
}

static unsigned int rounded(unsigned int bytes)
{
	bytes = bytes ? bytes : 1;
	return (bytes + STACK_ROUNDED - 1) / STACK_ROUNDED * STACK_ROUNDED;
}

/* The most that a function and what it calls take. There is no recursion in BPF. */
static unsigned int deepest(const struct functions *functions, size_t function, unsigned int calls)
{
	size_t end = function + 1 < functions->count ? functions->starts[function + 1]
						     : functions->instructions_count;
	unsigned int most = 0;

	assert_in_range(calls, 1, CALLS_MAX);
	for (size_t i = functions->starts[function]; i < end; i++) {
		unsigned int below;

		if (!is_call(&functions->instructions[i]))
			continue;
		below = deepest(functions, function_at(functions, target(functions, i)), calls + 1);
		most = below > most ? below : most;
	}
	return rounded(functions->stack[function]) + most;
}

/* Loads the object, and looks at each of its programs. */
static void expect_small_stacks(struct bpf_object *object)
{
	char *logs[16] = {0};
	struct bpf_program *program;
	struct functions functions;
	size_t i = 0;

	bpf_object__for_each_program (program, object) {
		assert_true(i < ARRAY_SIZE(logs));
		logs[i] = calloc(1, LOG_BYTES);
		assert_non_null(logs[i]);
		bpf_program__set_log_level(program, 4); /* BPF_LOG_STATS */
		assert_int_equal(bpf_program__set_log_buf(program, logs[i++], LOG_BYTES), 0);
	}
	assert_int_equal(bpf_object__load(object), 0);
	i = 0;
	bpf_object__for_each_program (program, object) {
		unsigned int bytes;

		find_functions(program, &functions);
		read_stack(&functions, logs[i]);
		bytes = deepest(&functions, 0, 1);
		if (bytes > STACK_MAX)
			print_error("%s: %u bytes of stack\n", bpf_program__name(program), bytes);
		assert_in_range(bytes, STACK_ROUNDED, STACK_MAX);
		free(logs[i++]);
	}
}

/* With all that can be configured, so that the verifier takes nothing out. */
static void plane_fits_into_the_stack(void **state)
{
	struct segd_bpf *skeleton = segd_bpf__open();
	struct abi_configuration *configuration;

	(void)state;
	assert_non_null(skeleton);
	configuration = (struct abi_configuration *)&skeleton->rodata->configuration;
	configuration->samples = 1000;
	configuration->sampled_connections = 100;
	configuration->fast_path = 1;
	configuration->lock_mark = 0x1000;
	expect_small_stacks(skeleton->obj);
	segd_bpf__destroy(skeleton);
}

static void socket_statistics_fit_into_the_stack(void **state)
{
	struct segd_tcp_bpf *skeleton = segd_tcp_bpf__open();

	(void)state;
	assert_non_null(skeleton);
	expect_small_stacks(skeleton->obj);
	segd_tcp_bpf__destroy(skeleton);
}

static void early_dropping_fits_into_the_stack(void **state)
{
	struct segd_xdp_bpf *skeleton = segd_xdp_bpf__open();

	(void)state;
	assert_non_null(skeleton);
	expect_small_stacks(skeleton->obj);
	segd_xdp_bpf__destroy(skeleton);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plane_fits_into_the_stack),
		cmocka_unit_test(socket_statistics_fit_into_the_stack),
		cmocka_unit_test(early_dropping_fits_into_the_stack),
	};

	if (geteuid() != 0) {
		puts("stack: skipped: loading BPF programs needs root");
		return 0;
	}
	return cmocka_run_group_tests_name("stack", tests, NULL, NULL);
}
