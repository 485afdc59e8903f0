/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "dataplane/bpf/mechanism.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>

/* enum bpf_attach_type of Linux 6.6; the headers of Debian 12 are older. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47

/* What leaves the workload comes in at the host's side of its veth. */
static enum bpf_attach_type attach_type(const struct hook *hook)
{
	return hook->direction == ABI_EGRESS ? ATTACH_TCX_INGRESS : ATTACH_TCX_EGRESS;
}

static int attach(const struct hook *hook, int program, const char *path, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	char name[IF_NAMESIZE];

	fd = bpf_link_create(program, (int)hook->ifindex, attach_type(hook), NULL);
	if (fd < 0 && errno == EINVAL)
		/* An older kernel does not know the attach type, whatever the interface. */
		return if_indextoname(hook->ifindex, name) ? -EOPNOTSUPP : -ENODEV;
	if (fd < 0)
		return -errno;
	/* A pin of a link whose interface is gone may still have our name. */
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	if (bpf_obj_pin(fd, path) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int exchange(const struct hook *hook, int program, const char *path, int *fd)
{
	(void)hook;
	(void)path;
	return bpf_link_update(*fd, program, NULL) < 0 ? -errno : 0;
}

static int query(const struct hook *hook, int fd, uint32_t *ret_program_id)
{
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	/* A tcx link has its ifindex where an XDP link has it, and 0 once it is detached. */
	*ret_program_id = info.xdp.ifindex == hook->ifindex ? info.prog_id : 0;
	return 0;
}

/* The link ends with its last reference, which another agent's view of the pin may hold. */
static int detach(const struct hook *hook, const char *path)
{
	_cleanup_close_ int fd = bpf_obj_get(path);

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
	.attach = attach,
	.exchange = exchange,
	.query = query,
	.detach = detach,
};
