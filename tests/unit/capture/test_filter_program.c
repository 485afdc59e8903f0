// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "capture/filter_program.h"

#include <errno.h>

static bool matches(const struct bpf_program *program, const struct capture_packet *packet)
{
	return filter_program_matches(program, packet->frame, packet->captured, packet->length);
}

static void test_compiles(void **state)
{
	_cleanup_filter_program_ struct bpf_program program = {0};
	struct frame frame;

	(void)state;
	assert_int_equal(
		filter_program_compile("udp port 53 and net 10.0.0.0/24", &program, NULL), 0);
	assert_true(matches(&program, frame_udp(&frame, "10.0.0.1", 9, "10.0.0.2", 53, 0)));
	assert_false(matches(&program, frame_udp(&frame, "10.0.0.1", 9, "10.0.0.2", 54, 0)));
	assert_false(matches(&program, frame_udp(&frame, "10.0.1.1", 9, "10.0.1.2", 53, 0)));
	/* Cut before the ports: what is not there does not match. */
	frame.packet.captured = 20;
	assert_false(matches(&program, &frame.packet));
}

static void test_says_what_is_wrong(void **state)
{
	struct bpf_program program = {0};
	struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(filter_program_compile("udp prt 53", &program, &error), -EINVAL);
	assert_non_null(strstr(error_message(&error), "udp prt 53"));
	assert_null(program.bf_insns);
	error_clear(&error);
}

static void test_travels_as_json(void **state)
{
	_cleanup_filter_program_ struct bpf_program program = {0}, again = {0};
	json_t *json;

	(void)state;
	assert_int_equal(filter_program_compile("tcp[tcpflags] & tcp-syn != 0", &program, NULL), 0);
	json = filter_program_to_json(&program);
	assert_int_equal(filter_program_from_json(json, &again, NULL), 0);
	assert_int_equal(again.bf_len, program.bf_len);
	assert_memory_equal(
		again.bf_insns, program.bf_insns, again.bf_len * sizeof(*again.bf_insns));
	json_decref(json);
}

static void test_takes_no_other_program(void **state)
{
	static const char *const broken[] = {"[]", "{}", "[6]", "[[6, 0, 0]]", "[[6, 0, 0, 0, 0]]",
		"[[6, 0, 0, -1]]", "[[65536, 0, 0, 0]]", "[[6, 256, 0, 0]]",
		"[[6, 0, 0, 4294967296]]",
		/* no return; a jump behind the end; a division by zero; memory that is not there */
		"[[0, 0, 0, 1]]", "[[5, 0, 0, 99], [6, 0, 0, 1]]", "[[52, 0, 0, 0], [6, 0, 0, 1]]",
		"[[2, 0, 0, 16], [6, 0, 0, 1]]",
		/* jumps back: to itself, from the middle, over the end of the numbers */
		"[[5, 0, 0, 4294967295], [6, 0, 0, 1]]",
		"[[0, 0, 0, 1], [5, 0, 0, 4294967294], [6, 0, 0, 1]]",
		"[[5, 0, 0, 2147483648], [6, 0, 0, 1]]",
		/* a load of no size, a return of X, a class and more bits than there are */
		"[[56, 0, 0, 0], [6, 0, 0, 1]]", "[[14, 0, 0, 0]]", "[[262, 0, 0, 1]]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		json_t *json = json_loads(broken[i], 0, NULL);
		struct bpf_program program = {0};

		if (filter_program_from_json(json, &program, NULL) != -EINVAL)
			fail_msg("%s is taken", broken[i]);
		assert_null(program.bf_insns);
		json_decref(json);
	}
}

static void test_for_the_kernel(void **state)
{
	_cleanup_filter_program_ struct bpf_program program = {0};
	struct view view = {0};
	struct address address;
	struct frame frame;

	(void)state;
	assert_int_equal(address_parse("10.0.0.2", &address), 0);
	assert_int_equal(view_end_add(&view.ends[0], &address), 0);
	assert_int_equal(view_finish(&view), 0);
	assert_int_equal(filter_program_for_view(&view, 96, &program, NULL), 0);
	/* libpcap's interpreter has no interfaces: that load is beyond the packet. */
	memmove(program.bf_insns, program.bf_insns + 1,
		(program.bf_len - 1) * sizeof(*program.bf_insns));
	program.bf_len--;
	frame_udp(&frame, "10.0.0.1", 9, "10.0.0.2", 53, 0);
	assert_int_equal(bpf_filter(program.bf_insns, frame.bytes, frame.length, frame.length), 96);
	frame_udp(&frame, "10.0.0.1", 9, "10.0.0.3", 53, 0);
	assert_int_equal(bpf_filter(program.bf_insns, frame.bytes, frame.length, frame.length), 0);
	view_clear(&view);
}

static void assert_last_returns(const struct bpf_program *program, uint32_t bytes)
{
	const struct bpf_insn *last = &program->bf_insns[program->bf_len - 1];

	assert_int_equal(last->code, BPF_RET | BPF_K);
	assert_int_equal(last->k, bytes);
}

/* A workload that has none yet: what passes its interface, and nothing of others. */
static void test_for_the_kernel_without_addresses(void **state)
{
	_cleanup_filter_program_ struct bpf_program program = {0};
	struct view_interface *interface;
	struct view view = {0};

	(void)state;
	assert_int_equal(view_add_interface(&view, &interface), 0);
	interface->ifindex = 7;
	interface->is_wanted[0] = true;
	interface->workload = strdup("shop/api");
	assert_int_equal(view_finish(&view), 0);
	assert_int_equal(filter_program_for_view(&view, 96, &program, NULL), 0);
	assert_int_equal(program.bf_len, 4);
	assert_int_equal(program.bf_insns[1].k, 7);
	assert_int_equal(program.bf_insns[2].k, 96);
	assert_last_returns(&program, 0);
	view_clear(&view);
}

/* All packets, then, and nothing is compared before that. */
static void test_for_the_kernel_with_many_addresses(void **state)
{
	_cleanup_filter_program_ struct bpf_program program = {0};
	struct view_interface *interface;
	struct view view = {0};

	(void)state;
	assert_int_equal(view_add_interface(&view, &interface), 0);
	interface->ifindex = 7;
	interface->is_wanted[0] = true;
	interface->workload = strdup("shop/api");
	for (int i = 0; i < 65; i++) {
		struct address address;
		char text[32];

		snprintf(text, sizeof(text), "10.0.1.%d", i);
		assert_int_equal(address_parse(text, &address), 0);
		assert_int_equal(view_end_add(&view.ends[i % 2], &address), 0);
	}
	assert_int_equal(view_finish(&view), 0);
	assert_int_equal(filter_program_for_view(&view, 96, &program, NULL), 0);
	assert_int_equal(program.bf_len, 1);
	assert_last_returns(&program, 96);
	view_clear(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compiles),
		cmocka_unit_test(test_says_what_is_wrong),
		cmocka_unit_test(test_travels_as_json),
		cmocka_unit_test(test_takes_no_other_program),
		cmocka_unit_test(test_for_the_kernel),
		cmocka_unit_test(test_for_the_kernel_without_addresses),
		cmocka_unit_test(test_for_the_kernel_with_many_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
