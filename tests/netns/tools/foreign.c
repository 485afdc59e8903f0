/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody else's program: by tcx before all others, foreign INTERFACE ingress|egress VERDICT, or
 * by generic XDP, foreign INTERFACE xdp VERDICT. Prints "attached", and stays until it is killed.
 * Exit code 2: this kernel has no tcx. For tc(8) to use: foreign PATH pin VERDICT.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of Linux 6.6; the headers of Debian 12 are older. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47
#define ATTACH_BEFORE      (1U << 3)

static int bpf(enum bpf_cmd command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int load(enum bpf_prog_type type, int verdict)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_type = type;
	attributes.insns = (__u64)(unsigned long)code;
	attributes.insn_cnt = sizeof(code) / sizeof(code[0]);
	attributes.license = (__u64)(unsigned long)"GPL";
	strcpy(attributes.prog_name, "foreign");
	return bpf(BPF_PROG_LOAD, &attributes);
}

static int attach(int program, unsigned int ifindex, const char *where)
{
	const int xdp = !strcmp(where, "xdp");
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.link_create.prog_fd = (__u32)program;
	attributes.link_create.target_ifindex = ifindex;
	attributes.link_create.attach_type = xdp                        ? BPF_XDP
					     : !strcmp(where, "egress") ? ATTACH_TCX_EGRESS
									: ATTACH_TCX_INGRESS;
	attributes.link_create.flags = xdp ? XDP_FLAGS_SKB_MODE : ATTACH_BEFORE;
	return bpf(BPF_LINK_CREATE, &attributes);
}

static int pin(int program, const char *path)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.bpf_fd = (__u32)program;
	attributes.pathname = (__u64)(unsigned long)path;
	return bpf(BPF_OBJ_PIN, &attributes);
}

int main(int argc, char **argv)
{
	unsigned int ifindex;
	int program;

	if (argc != 4) {
		fprintf(stderr, "usage: foreign INTERFACE|PATH ingress|egress|xdp|pin VERDICT\n");
		return 64;
	}
	program = load(!strcmp(argv[2], "xdp") ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS,
		atoi(argv[3]));
	if (program >= 0 && !strcmp(argv[2], "pin"))
		return pin(program, argv[1]) < 0;
	ifindex = if_nametoindex(argv[1]);
	if (program < 0 || !ifindex || attach(program, ifindex, argv[2]) < 0) {
		perror(argv[1]);
		return errno == EINVAL ? 2 : 1;
	}
	puts("attached");
	fflush(stdout);
	pause();
	return 0;
}
