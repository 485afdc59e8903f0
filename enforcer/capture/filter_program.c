/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/filter_program.h"

#include "base/cleanup.h"
#include "capture/pcap_close.h"
#include "capture/pcapng.h"
#include "policies/array.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>

/* Beyond these the kernel hands over all packets, and user space looks at addresses. */
#define ADDRESSES_MAX 64

_Static_assert(sizeof(struct bpf_insn) == sizeof(struct sock_filter),
	"what libpcap makes is what the kernel takes");

int filter_program_compile(const char *text, struct bpf_program *ret, struct error *error)
{
	_cleanup_pcap_ pcap_t *pcap = pcap_open_dead(DLT_EN10MB, PCAPNG_SNAP_MAX);
	struct bpf_program program = {0}, copy = {0};

	if (!pcap)
		return error_nomem(error);
	if (pcap_compile(pcap, &program, text, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return error_set(error, -EINVAL, "filter \"%s\": %s", text, pcap_geterr(pcap));
	/* libpcap may have put it where only libpcap may free it. */
	copy.bf_len = program.bf_len;
	copy.bf_insns = calloc(program.bf_len + 1, sizeof(*copy.bf_insns));
	if (copy.bf_insns)
		memcpy(copy.bf_insns, program.bf_insns, program.bf_len * sizeof(*copy.bf_insns));
	pcap_freecode(&program);
	if (!copy.bf_insns)
		return error_nomem(error);
	*ret = copy;
	return 0;
}

json_t *filter_program_to_json(const struct bpf_program *program)
{
	json_t *json = json_array();

	for (size_t i = 0; i < program->bf_len; i++) {
		const struct bpf_insn *instruction = &program->bf_insns[i];

		json_array_append_new(json,
			json_pack("[i, i, i, I]", (int)instruction->code, (int)instruction->jt,
				(int)instruction->jf, (json_int_t)instruction->k));
	}
	return json;
}

static int read_instruction(const json_t *json, struct bpf_insn *ret)
{
	json_int_t code, jt, jf, k;

	if (json_unpack((json_t *)json, "[I, I, I, I!]", &code, &jt, &jf, &k) < 0 || code < 0 ||
		code > UINT16_MAX || jt < 0 || jt > UINT8_MAX || jf < 0 || jf > UINT8_MAX ||
		k < 0 || k > UINT32_MAX)
		return -EINVAL;
	*ret = (struct bpf_insn){(uint16_t)code, (unsigned char)jt, (unsigned char)jf, (uint32_t)k};
	return 0;
}

/*
 * What the kernel takes (chk_code_allowed() of net/core/filter.c), and forward jumps alone:
 * libpcap's own check, bpf_validate(), looks at parts of a code, and its interpreter ends the
 * process where it does not know the whole; and it takes the distance of a plain jump as a signed
 * one, so that a program may run for ever.
 */
static bool is_known(uint16_t code)
{
	static const uint16_t codes[] = {BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_H | BPF_ABS,
		BPF_LD | BPF_B | BPF_ABS, BPF_LD | BPF_W | BPF_IND, BPF_LD | BPF_H | BPF_IND,
		BPF_LD | BPF_B | BPF_IND, BPF_LD | BPF_W | BPF_LEN, BPF_LD | BPF_IMM,
		BPF_LD | BPF_MEM, BPF_LDX | BPF_W | BPF_LEN, BPF_LDX | BPF_B | BPF_MSH,
		BPF_LDX | BPF_IMM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX, BPF_ALU | BPF_NEG,
		BPF_JMP | BPF_JA, BPF_RET | BPF_K, BPF_RET | BPF_A, BPF_MISC | BPF_TAX,
		BPF_MISC | BPF_TXA};
	static const uint16_t of_two[] = {BPF_ALU | BPF_ADD, BPF_ALU | BPF_SUB, BPF_ALU | BPF_MUL,
		BPF_ALU | BPF_DIV, BPF_ALU | BPF_MOD, BPF_ALU | BPF_AND, BPF_ALU | BPF_OR,
		BPF_ALU | BPF_XOR, BPF_ALU | BPF_LSH, BPF_ALU | BPF_RSH, BPF_JMP | BPF_JEQ,
		BPF_JMP | BPF_JGT, BPF_JMP | BPF_JGE, BPF_JMP | BPF_JSET};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (code == codes[i])
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(of_two); i++)
		if (code == (of_two[i] | BPF_K) || code == (of_two[i] | BPF_X))
			return true;
	return false;
}

static int check(const struct bpf_insn *instructions, size_t length, struct error *error)
{
	for (size_t i = 0; i < length; i++) {
		const struct bpf_insn *instruction = &instructions[i];

		if (!is_known(instruction->code))
			return error_set(error, -EINVAL,
				"program: instruction %zu has a code that is none of a filter's",
				i);
		if (instruction->code == (BPF_JMP | BPF_JA) && instruction->k >= length - i - 1)
			return error_set(error, -EINVAL,
				"program: instruction %zu jumps back, or out of the program", i);
	}
	if (!bpf_validate(instructions, (int)length))
		return error_set(error, -EINVAL,
			"program: jumps out of itself, or does what filters must not");
	return 0;
}

int filter_program_from_json(const json_t *json, struct bpf_program *ret, struct error *error)
{
	size_t length = json_array_size(json);
	_cleanup_free_ struct bpf_insn *instructions = NULL;
	int r;

	if (!length || length > FILTER_PROGRAM_MAX)
		return error_set(error, -EINVAL,
			"program: expected an array of 1 to %d instructions", FILTER_PROGRAM_MAX);
	instructions = calloc(length, sizeof(*instructions));
	if (!instructions)
		return error_nomem(error);
	for (size_t i = 0; i < length; i++)
		if (read_instruction(json_array_get(json, i), &instructions[i]) < 0)
			return error_set(error, -EINVAL,
				"program: instruction %zu is not [code, jt, jf, k]", i);
	r = check(instructions, length, error);
	if (r < 0)
		return r;
	*ret = (struct bpf_program){(u_int)length, TAKE_PTR(instructions)};
	return 0;
}

void filter_program_clear(struct bpf_program *program)
{
	free(program->bf_insns);
	*program = (struct bpf_program){0};
}

bool filter_program_matches(
	const struct bpf_program *program, const uint8_t *frame, uint32_t captured, uint32_t length)
{
	return !program->bf_len || bpf_filter(program->bf_insns, frame, length, captured);
}

/* --- for the kernel -----------------------------------------------------------------------------
 */

static int add(struct bpf_program *program, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	size_t count = program->bf_len;
	struct bpf_insn *added = array_append(program->bf_insns, count);

	if (!added)
		return -ENOMEM;
	*added = (struct bpf_insn){code, jt, jf, k};
	program->bf_len = (u_int)count;
	return 0;
}

static int add_return(struct bpf_program *program, uint32_t bytes)
{
	return add(program, BPF_RET | BPF_K, 0, 0, bytes);
}

/* What passes these is wanted without a look at it. */
static int add_interfaces(struct bpf_program *program, const struct view *view, uint32_t snap)
{
	int r = add(
		program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX));

	for (size_t i = 0; r == 0 && i < view->interfaces_count; i++) {
		const struct view_interface *interface = &view->interfaces[i];

		if (interface->netns || !interface->workload || !view_is_wanted(view, interface))
			continue;
		r = add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, interface->ifindex);
		if (r == 0)
			r = add_return(program, snap);
	}
	return r;
}

static size_t count_addresses(const struct view *view)
{
	return view->ends[0].addresses_count + view->ends[1].addresses_count;
}

/* "host A or host B or …" of all ends that are not just anybody. */
static char *write_hosts(const struct view *view)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, &(size_t){0});
	size_t count = 0;

	if (!stream)
		return NULL;
	for (int end = 0; end < 2; end++)
		for (size_t i = 0; i < view->ends[end].addresses_count; i++) {
			char address[ADDRESS_TEXT_MAX];

			fprintf(stream, "%shost %s", count++ ? " or " : "",
				address_format(&view->ends[end].addresses[i], address));
		}
	if (fclose(stream) == EOF) {
		free(text);
		return NULL;
	}
	return text;
}

static int add_hosts(
	struct bpf_program *program, const struct view *view, uint32_t snap, struct error *error)
{
	_cleanup_filter_program_ struct bpf_program compiled = {0};
	_cleanup_free_ char *hosts = write_hosts(view);
	int r = hosts ? filter_program_compile(hosts, &compiled, error) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < compiled.bf_len; i++) {
		const struct bpf_insn *from = &compiled.bf_insns[i];
		bool accepts = from->code == (BPF_RET | BPF_K) && from->k;

		r = add(program, from->code, from->jt, from->jf, accepts ? snap : from->k);
	}
	return r;
}

int filter_program_for_view(
	const struct view *view, uint32_t snap, struct bpf_program *ret, struct error *error)
{
	_cleanup_filter_program_ struct bpf_program program = {0};
	const size_t addresses = count_addresses(view);
	const bool is_of_all = view->is_of_all || addresses > ADDRESSES_MAX;
	int r = is_of_all ? add_return(&program, snap) : add_interfaces(&program, view, snap);

	if (r == 0 && !is_of_all)
		r = addresses ? add_hosts(&program, view, snap, error) : add_return(&program, 0);
	if (r < 0)
		return error_errno(error, r, "make the kernel's filter");
	if (program.bf_len > FILTER_PROGRAM_MAX) { /* too many interfaces: all packets, then */
		filter_program_clear(&program);
		r = add_return(&program, snap);
		if (r < 0)
			return error_nomem(error);
	}
	*ret = program;
	program = (struct bpf_program){0};
	return 0;
}
