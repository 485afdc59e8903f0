/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "dataplane/bpf/mechanism.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

/* Our place among the filters of an interface. Whoever sits there and is not ours is left alone. */
#define FILTER_HANDLE   0x5e6d
#define FILTER_PRIORITY 0x5e6d

static const char *const program_names[ABI_DIRECTIONS] = {
	[ABI_INGRESS] = "segd_enter",
	[ABI_EGRESS] = "segd_leave",
};

static enum bpf_tc_attach_point attach_point(const struct hook *hook)
{
	return hook->direction == ABI_EGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

/* Filled in place: libbpf wants the padding behind the last member to be zero, and a struct that is
 * returned by value need not keep it. */
static void find_place(const struct hook *hook, struct bpf_tc_hook *tc, struct bpf_tc_opts *opts)
{
	memset(tc, 0, sizeof(*tc));
	tc->sz = sizeof(*tc);
	tc->ifindex = (int)hook->ifindex;
	tc->attach_point = attach_point(hook);
	memset(opts, 0, sizeof(*opts));
	opts->sz = sizeof(*opts);
	opts->handle = FILTER_HANDLE;
	opts->priority = FILTER_PRIORITY;
}

static bool is_ours(uint32_t program_id, enum abi_direction direction)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(program_id);
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 &&
	       strcmp(info.name, program_names[direction]) == 0;
}

/* *ret_program_id is 0 where our place is empty. */
static int look(const struct hook *hook, uint32_t *ret_program_id)
{
	struct bpf_tc_hook tc;
	struct bpf_tc_opts opts;
	int r;

	find_place(hook, &tc, &opts);
	r = bpf_tc_query(&tc, &opts);
	/* -EINVAL: the interface has no clsact at all. */
	if (r == -ENOENT || r == -EINVAL || r == -ENODEV) {
		*ret_program_id = 0;
		return 0;
	}
	if (r < 0)
		return r;
	*ret_program_id = opts.prog_id;
	return 0;
}

static int note(int program, const char *path, int *ret_fd)
{
	_cleanup_close_ int fd = dup(program);

	if (fd < 0)
		return -errno;
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	if (bpf_obj_pin(program, path) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int put(const struct hook *hook, int program)
{
	struct bpf_tc_hook tc;
	struct bpf_tc_opts opts;
	uint32_t there;
	int r;

	find_place(hook, &tc, &opts);
	r = bpf_tc_hook_create(&tc);
	if (r < 0 && r != -EEXIST)
		return r;
	r = look(hook, &there);
	if (r < 0)
		return r;
	if (there && !is_ours(there, hook->direction))
		return -EBUSY;
	opts.prog_fd = program;
	opts.flags = there ? BPF_TC_F_REPLACE : 0;
	return bpf_tc_attach(&tc, &opts);
}

/* The note first: a filter that no note tells of would be forgotten. */
static int attach(const struct hook *hook, int program, const char *path, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	int r;

	r = note(program, path, &fd);
	if (r < 0)
		return r;
	r = put(hook, program);
	if (r < 0) {
		unlink(path);
		return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int exchange(const struct hook *hook, int program, const char *path, int *fd)
{
	int fresh = -1;
	int r;

	r = put(hook, program);
	if (r < 0)
		return r;
	r = note(program, path, &fresh);
	if (r < 0)
		return r;
	closep(fd);
	*fd = fresh;
	return 0;
}

static int query(const struct hook *hook, int fd, uint32_t *ret_program_id)
{
	uint32_t there;
	int r;

	(void)fd;
	r = look(hook, &there);
	if (r < 0)
		return r;
	*ret_program_id = there && is_ours(there, hook->direction) ? there : 0;
	return 0;
}

/* The clsact qdisc stays: others may have filters on it, and an empty one costs nothing. */
static int detach(const struct hook *hook, const char *path)
{
	struct bpf_tc_hook tc;
	struct bpf_tc_opts opts;
	uint32_t there;
	int r;

	find_place(hook, &tc, &opts);
	r = look(hook, &there);
	if (r < 0)
		return r;
	if (there && is_ours(there, hook->direction)) {
		r = bpf_tc_detach(&tc, &opts);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

const struct mechanism clsact_mechanism = {
	.name = "clsact",
	.part = "filters",
	.attach = attach,
	.exchange = exchange,
	.query = query,
	.detach = detach,
};
