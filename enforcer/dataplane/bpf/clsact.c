/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "dataplane/bpf/clsact_filters.h"
#include "dataplane/bpf/mechanism.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

/* Filled in place: libbpf wants the padding behind the last member to be zero, and a struct that is
 * returned by value need not keep it. */
static void find_place(
	const struct hook *hook, uint32_t handle, struct bpf_tc_hook *tc, struct bpf_tc_opts *opts)
{
	bool comes_in = (hook->direction == ABI_EGRESS) != hook->inside;

	memset(tc, 0, sizeof(*tc));
	tc->sz = sizeof(*tc);
	tc->ifindex = (int)hook->ifindex;
	tc->attach_point = comes_in ? BPF_TC_INGRESS : BPF_TC_EGRESS;
	memset(opts, 0, sizeof(*opts));
	opts->sz = sizeof(*opts);
	opts->handle = handle;
	opts->priority = FILTER_PRIORITY;
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

static int renote(int program, const char *path, int *fd)
{
	int fresh = -1;
	int r = note(program, path, &fresh);

	if (r < 0)
		return r;
	closep(fd);
	*fd = fresh;
	return 0;
}

/* Among filters of one priority the newest comes first. */
static int add(const struct hook *hook, int program, uint32_t handle, uint32_t flags)
{
	struct bpf_tc_hook tc;
	struct bpf_tc_opts opts;
	int r;

	find_place(hook, handle, &tc, &opts);
	opts.prog_fd = program;
	opts.flags = flags;
	r = bpf_tc_attach(&tc, &opts);
	return r == -EEXIST ? -EBUSY : r;
}

static int put(const struct hook *hook, int program)
{
	struct clsact_filters filters;
	struct bpf_tc_hook tc;
	struct bpf_tc_opts opts;
	int r;

	find_place(hook, clsact_handle(hook), &tc, &opts);
	r = bpf_tc_hook_create(&tc);
	if (r < 0 && r != -EEXIST)
		return r;
	r = clsact_filters(hook, &filters);
	if (r < 0)
		return r;
	if (filters.handle)
		return add(hook, program, filters.handle, BPF_TC_F_REPLACE);
	return add(hook, program, clsact_handle(hook), 0);
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
	int r = put(hook, program);

	return r < 0 ? r : renote(program, path, fd);
}

static int take_out(const struct hook *hook, uint32_t handle)
{
	struct bpf_tc_hook tc;
	struct bpf_tc_opts opts;
	int r;

	find_place(hook, handle, &tc, &opts);
	r = bpf_tc_detach(&tc, &opts);
	return r == -ENOENT ? 0 : r;
}

/* There twice for a moment: the second time finds what the first has done. */
static int advance(const struct hook *hook, int program, int hold, const char *path, int *fd)
{
	struct clsact_filters filters;
	int r;

	(void)hold;
	r = clsact_filters(hook, &filters);
	if (r < 0 || !filters.handle)
		return r < 0 ? r : -ENOENT;
	r = filters.spare ? add(hook, program, filters.spare, 0) : -EBUSY;
	if (r == 0)
		r = take_out(hook, filters.handle);
	return r < 0 ? r : renote(program, path, fd);
}

static int query(const struct hook *hook, int fd, struct occupation *ret)
{
	struct clsact_filters filters;
	int r;

	(void)fd;
	r = clsact_filters(hook, &filters);
	if (r < 0)
		return r;
	*ret = filters.occupation;
	return 0;
}

/* The clsact qdisc stays: others may have filters on it, and an empty one costs nothing. */
static int detach(const struct hook *hook, const char *path)
{
	struct clsact_filters filters;
	int r;

	r = clsact_filters(hook, &filters);
	if (r == 0 && filters.handle)
		r = take_out(hook, filters.handle);
	if (r < 0)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

const struct mechanism clsact_mechanism = {
	.name = "clsact",
	.part = "filters",
	.cost = 32,
	.attach = attach,
	.exchange = exchange,
	.advance = advance,
	.query = query,
	.detach = detach,
};
