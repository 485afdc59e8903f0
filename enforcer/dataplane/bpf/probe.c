/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/probe.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <unistd.h>

static const char *probe_program(void)
{
	const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	_cleanup_close_ int fd = bpf_prog_load(
		BPF_PROG_TYPE_SCHED_CLS, "segd_probe", "GPL", pass, ARRAY_SIZE(pass), NULL);

	if (fd >= 0)
		return NULL;
	switch (errno) {
	case ENOSYS:
		return "this kernel has no bpf() system call (CONFIG_BPF_SYSCALL)";
	case EPERM:
	case EACCES:
		return "not permitted to load BPF programs: root, or CAP_BPF and CAP_NET_ADMIN, is "
		       "needed";
	default:
		return "this kernel does not load traffic control programs (CONFIG_NET_CLS_BPF)";
	}
}

static const char *probe_ring(void)
{
	_cleanup_close_ int fd = bpf_map_create(
		BPF_MAP_TYPE_RINGBUF, "segd_probe", 0, 0, (uint32_t)sysconf(_SC_PAGESIZE), NULL);

	return fd >= 0 ? NULL : "this kernel has no BPF ring buffers (Linux 5.8 has)";
}

static const char *probe_hash(void)
{
	static const char missing[] =
		"this kernel cannot read and delete BPF hash entries in one step (Linux 5.14 can)";
	_cleanup_close_ int fd = bpf_map_create(
		BPF_MAP_TYPE_HASH, "segd_probe", sizeof(uint32_t), sizeof(uint32_t), 1, NULL);
	uint32_t key = 1, value = 1, count = 1;

	if (fd < 0 || bpf_map_update_batch(fd, &key, &value, &count, NULL) < 0 ||
		bpf_map_lookup_and_delete_elem(fd, &key, &value) < 0)
		return missing;
	return NULL;
}

const char *probe_unavailable(void)
{
	static const char *(*const probes[])(void) = {probe_program, probe_ring, probe_hash};

	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		const char *missing = probes[i]();

		if (missing)
			return missing;
	}
	return NULL;
}
