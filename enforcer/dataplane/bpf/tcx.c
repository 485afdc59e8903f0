/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "dataplane/bpf/grace.h"
#include "dataplane/bpf/mechanism.h"
#include "dataplane/bpf/program_name.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>

/* enum bpf_attach_type and flags of Linux 6.6; the headers of Debian 12 are older. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47
#define ATTACH_BEFORE      (1U << 3) /* without another program: before all */

/* What leaves the workload comes in at the host's side of its veth, and goes out at its own. */
static enum bpf_attach_type attach_type(const struct hook *hook)
{
	return (hook->direction == ABI_EGRESS) != hook->inside ? ATTACH_TCX_INGRESS
							       : ATTACH_TCX_EGRESS;
}

static int create(const struct hook *hook, int program, int *ret_fd)
{
	const struct bpf_link_create_opts options = {.sz = sizeof(options), .flags = ATTACH_BEFORE};
	char name[IF_NAMESIZE];
	int fd;

	fd = bpf_link_create(program, (int)hook->ifindex, attach_type(hook), &options);
	if (fd < 0 && errno == EINVAL)
		/* An older kernel does not know the attach type, whatever the interface. */
		return if_indextoname(hook->ifindex, name) ? -EOPNOTSUPP : -ENODEV;
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* A pin of a link whose interface is gone, or of one that was replaced, may still have our name. */
static int pin(int fd, const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

static int attach(const struct hook *hook, int program, const char *path, int *ret_fd)
{
	_cleanup_grace_ struct grace grace = grace_hurry();
	_cleanup_close_ int fd = -1;
	int r;

	(void)grace;
	r = create(hook, program, &fd);
	if (r == 0)
		r = pin(fd, path);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int exchange(const struct hook *hook, int program, const char *path, int *fd)
{
	_cleanup_grace_ struct grace grace = grace_hurry();

	(void)grace;
	(void)hook;
	(void)path;
	return bpf_link_update(*fd, program, NULL) < 0 ? -errno : 0;
}

/* A hook takes a program only once, and a link cannot move: so a new link, with another program
 * until the old link is gone. */
static int advance(const struct hook *hook, int program, int hold, const char *path, int *fd)
{
	_cleanup_grace_ struct grace grace = grace_hurry();
	_cleanup_close_ int fresh = -1;
	int r;

	(void)grace;
	r = create(hook, hold, &fresh);
	if (r < 0)
		return r;
	/* From here on everything is refused, whatever fails. */
	r = pin(fresh, path);
	if (r < 0)
		return r;
	if (bpf_link_detach(*fd) < 0 && errno != ENOLINK)
		r = -errno;
	closep(fd);
	*fd = TAKE_FD(fresh);
	if (r < 0)
		return r;
	return bpf_link_update(*fd, program, NULL) < 0 ? -errno : 0;
}

/* The first program of the hook, but for early dropping's before ours; 0: it has none. */
static int first_program(const struct hook *hook, uint32_t *ret_id)
{
	uint32_t first[2] = {0};
	struct bpf_prog_query_opts options = {
		.sz = sizeof(options), .prog_ids = first, .prog_cnt = ARRAY_SIZE(first)};
	int r = bpf_prog_query_opts((int)hook->ifindex, attach_type(hook), &options);

	if (r < 0 && r != -ENOSPC) /* there are more, and two are what was asked for */
		return r;
	*ret_id = !hook->early && first[1] && program_is_early(first[0]) ? first[1] : first[0];
	return 0;
}

static int query(const struct hook *hook, int fd, struct occupation *ret)
{
	struct bpf_link_info info = {0};
	struct occupation found = {0};
	uint32_t size = sizeof(info), first = 0;
	int r;

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	/* A tcx link has its ifindex where an XDP link has it, and 0 once it is detached. */
	if (!hook->ifindex) {
		found.program_id = info.xdp.ifindex ? info.prog_id : 0;
	} else if (info.xdp.ifindex == hook->ifindex) {
		found.program_id = info.prog_id;
		/* -ENODEV: it is on an interface that is in another network namespace now. */
		r = first_program(hook, &first);
		if (r < 0 && r != -ENODEV)
			return r;
		if (first && first != info.prog_id)
			found.before_id = first;
	}
	*ret = found;
	return 0;
}

/* The link ends with its last reference, which another agent's view of the pin may hold. */
static int detach(const struct hook *hook, const char *path)
{
	_cleanup_grace_ struct grace grace = grace_hurry();
	_cleanup_close_ int fd = bpf_obj_get(path);

	(void)grace;
	(void)hook;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (bpf_link_detach(fd) < 0 && errno != ENOLINK)
		return -errno;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

const struct mechanism tcx_mechanism = {
	.name = "tcx",
	.part = "links",
	.cost = 1,
	.attach = attach,
	.exchange = exchange,
	.advance = advance,
	.query = query,
	.detach = detach,
};
