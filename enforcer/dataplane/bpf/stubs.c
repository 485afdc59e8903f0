/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/stubs.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stddef.h>

#define REFUSE 2 /* TC_ACT_SHOT */

#define SET(register, value)                                                               \
	{                                                                                  \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (register), .imm = (value) \
	}
#define EXIT                               \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}

static int load(const char *name, const struct bpf_insn *code, size_t count, int *ret)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, name, "GPL", code, count, NULL);

	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

int stub_hold(int *ret)
{
	const struct bpf_insn code[] = {SET(BPF_REG_0, REFUSE), EXIT};

	return load("segd_hold", code, ARRAY_SIZE(code), ret);
}

int stub_inside(
	const struct objects *objects, enum abi_direction direction, uint32_t number, int *ret)
{
	/* Same names as the programs that they stand for: by them a clsact filter is known as ours.
	 */
	static const char *const names[ABI_DIRECTIONS] = {
		[ABI_INGRESS] = "segd_enter",
		[ABI_EGRESS] = "segd_leave",
	};
	const struct bpf_insn code[] = {
		SET(BPF_REG_2, (int32_t)number),
		{.code = BPF_STX | BPF_MEM | BPF_W,
			.dst_reg = BPF_REG_1,
			.src_reg = BPF_REG_2,
			.off = offsetof(struct __sk_buff, cb)},
		{.code = BPF_LD | BPF_IMM | BPF_DW,
			.dst_reg = BPF_REG_2,
			.src_reg = BPF_PSEUDO_MAP_FD,
			.imm = objects->maps.inside},
		{0},
		SET(BPF_REG_3, (int32_t)direction),
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call},
		SET(BPF_REG_0, REFUSE),
		EXIT,
	};

	return load(names[direction], code, ARRAY_SIZE(code), ret);
}
