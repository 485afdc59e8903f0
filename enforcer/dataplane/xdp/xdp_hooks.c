/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/xdp/xdp_hooks.h"

#include "base/cleanup.h"
#include "xdp/segd_xdp.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART "links"

/* enum bpf_attach_type of Linux 6.6; the headers of Debian 12 are older. */
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS  47

struct way {
	const char *name;
	enum bpf_attach_type type;
	uint32_t flags;
};

static const struct way ways[XDP_MECHANISMS] = {
	[XDP_NATIVE] = {"native", BPF_XDP, XDP_FLAGS_DRV_MODE},
	[XDP_GENERIC] = {"generic", BPF_XDP, XDP_FLAGS_SKB_MODE},
	[XDP_TC] = {"tc", (enum bpf_attach_type)ATTACH_TCX_INGRESS, 0},
	[XDP_LEAVE] = {"out", (enum bpf_attach_type)ATTACH_TCX_EGRESS, 0},
};

const char *xdp_mechanism_name(enum xdp_mechanism mechanism)
{
	return ways[mechanism].name;
}

static int program_of(const struct xdp_objects *objects, enum xdp_mechanism mechanism)
{
	const struct segd_xdp_bpf *skeleton = objects->skeleton;

	if (mechanism == XDP_TC)
		return bpf_program__fd(skeleton->progs.early_tc);
	if (mechanism == XDP_LEAVE)
		return bpf_program__fd(skeleton->progs.early_leave);
	return bpf_program__fd(skeleton->progs.early_xdp);
}

static const char *pin_path(const struct xdp_hooks *hooks, uint32_t ifindex,
	enum xdp_mechanism mechanism, char path[static PATH_MAX])
{
	char name[32];

	snprintf(name, sizeof(name), "%u-%s", ifindex, ways[mechanism].name);
	return pins_path(hooks->pins, PART, name, path);
}

static void hook_free(struct xdp_hook *hook)
{
	closep(&hook->fd);
	free(hook);
}

DEFINE_CLEANUP(struct xdp_hook *, hook_free)

void xdp_hooks_clear(struct xdp_hooks *hooks)
{
	struct xdp_hook *hook, *next;

	HASH_ITER (hh, hooks->items, hook, next) {
		HASH_DEL(hooks->items, hook);
		hook_free(hook);
	}
}

struct xdp_hook *xdp_hooks_find(const struct xdp_hooks *hooks, uint32_t ifindex, enum xdp_side side)
{
	const struct xdp_hook wanted = {.key = {ifindex, side}};
	struct xdp_hook *hook;

	HASH_FIND(hh, hooks->items, &wanted.key, sizeof(wanted.key), hook);
	return hook;
}

/* Owns fd from here on, also on failure. */
static int add(struct xdp_hooks *hooks, uint32_t ifindex, const char *name,
	enum xdp_mechanism mechanism, int fd, struct xdp_hook **ret)
{
	_cleanup_close_ int owned = fd;
	_cleanup_(hook_freep) struct xdp_hook *hook = calloc(1, sizeof(*hook));

	if (!hook)
		return -ENOMEM;
	hook->fd = TAKE_FD(owned);
	hook->key.ifindex = ifindex;
	hook->key.side = mechanism == XDP_LEAVE ? XDP_SIDE_OUT : XDP_SIDE_IN;
	hook->mechanism = mechanism;
	snprintf(hook->name, sizeof(hook->name), "%s", name);
	HASH_ADD(hh, hooks->items, key, sizeof(hook->key), hook);
	if (!hook->hh.tbl)
		return -ENOMEM;
	*ret = TAKE_PTR(hook);
	return 0;
}

static int link_info(int fd, struct bpf_link_info *info)
{
	uint32_t size = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &size) < 0 ? -errno : 0;
}

/* A tcx link has its ifindex where an XDP link has it; 0 once its interface is gone or somebody has
 * detached it. */
bool xdp_hook_holds(const struct xdp_hook *hook)
{
	struct bpf_link_info info;

	return link_info(hook->fd, &info) == 0 && info.xdp.ifindex == hook->key.ifindex;
}

static bool parse_name(const char *text, uint32_t *ret_ifindex, enum xdp_mechanism *ret_mechanism)
{
	char *end;
	unsigned long ifindex = strtoul(text, &end, 10);

	if (*end != '-')
		return false;
	for (unsigned int i = 0; i < XDP_MECHANISMS; i++) {
		if (strcmp(end + 1, ways[i].name) != 0)
			continue;
		*ret_ifindex = (uint32_t)ifindex;
		*ret_mechanism = (enum xdp_mechanism)i;
		return true;
	}
	return false;
}

static int adopt(const char *pin, void *userdata, struct error *error)
{
	struct xdp_hooks *hooks = userdata;
	enum xdp_mechanism mechanism;
	struct xdp_hook *hook;
	char path[PATH_MAX], name[IF_NAMESIZE];
	uint32_t ifindex;
	int fd, r;

	if (!parse_name(pin, &ifindex, &mechanism))
		return 0;
	fd = bpf_obj_get(pins_path(hooks->pins, PART, pin, path));
	if (fd < 0)
		return error_errno(error, -errno, "open pinned link %s", path);
	r = add(hooks, ifindex, if_indextoname(ifindex, name) ? name : "", mechanism, fd, &hook);
	if (r < 0)
		return error_nomem(error);
	return xdp_hook_holds(hook) ? 0 : xdp_hooks_drop(hooks, hook, error);
}

int xdp_hooks_adopt(struct xdp_hooks *hooks, struct error *error)
{
	int r = pins_make(hooks->pins, PART, error);

	return r < 0 ? r : pins_list(hooks->pins, PART, adopt, hooks, error);
}

static int attach(struct xdp_hooks *hooks, const struct xdp_objects *objects, uint32_t ifindex,
	enum xdp_mechanism mechanism, int *ret_fd)
{
	const struct bpf_link_create_opts options = {
		.sz = sizeof(options), .flags = ways[mechanism].flags};
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	fd = bpf_link_create(
		program_of(objects, mechanism), (int)ifindex, ways[mechanism].type, &options);
	if (fd < 0)
		return -errno;
	pin_path(hooks, ifindex, mechanism, path);
	/* A pin of a link whose interface is gone may still have our name. */
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	if (bpf_obj_pin(fd, path) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int xdp_hooks_attach(struct xdp_hooks *hooks, const struct xdp_objects *objects, uint32_t ifindex,
	const char *name, enum xdp_side side, enum xdp_mechanism first, struct xdp_hook **ret,
	bool *ret_foreign, struct error *error)
{
	const enum xdp_mechanism last = side == XDP_SIDE_IN ? XDP_TC : XDP_LEAVE;
	enum xdp_mechanism mechanism = side == XDP_SIDE_IN ? first : XDP_LEAVE;
	int fd = -1, r;

	*ret_foreign = false;
	for (;; mechanism++) {
		r = attach(hooks, objects, ifindex, mechanism, &fd);
		if (r == -EBUSY || r == -EEXIST)
			*ret_foreign = true;
		if (r >= 0 || r == -ENODEV || mechanism == last)
			break;
	}
	if (r < 0)
		return error_errno(
			error, r, "attach to interface %s (%u) for early dropping", name, ifindex);
	return add(hooks, ifindex, name, mechanism, fd, ret) < 0 ? error_nomem(error) : 0;
}

int xdp_hooks_exchange(
	struct xdp_hook *hook, const struct xdp_objects *objects, struct error *error)
{
	const int program = program_of(objects, hook->mechanism);
	struct bpf_prog_info info = {0};
	struct bpf_link_info link;
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &size) < 0)
		return error_errno(error, -errno, "ask for the id of a program");
	if (link_info(hook->fd, &link) == 0 && link.prog_id == info.id)
		return 0;
	if (bpf_link_update(hook->fd, program, NULL) < 0)
		return error_errno(
			error, -errno, "exchange the program on interface %s", hook->name);
	return 0;
}

/* The link ends with its last reference, which another view of the pin may hold: detach first. */
int xdp_hooks_drop(struct xdp_hooks *hooks, struct xdp_hook *hook, struct error *error)
{
	char path[PATH_MAX];
	int r = 0;

	if (bpf_link_detach(hook->fd) < 0 && errno != ENOLINK && xdp_hook_holds(hook))
		r = error_errno(error, -errno, "detach from interface %s", hook->name);
	pin_path(hooks, hook->key.ifindex, hook->mechanism, path);
	if (unlink(path) < 0 && errno != ENOENT && r == 0)
		r = error_errno(error, -errno, "remove pin %s", path);
	HASH_DEL(hooks->items, hook);
	hook_free(hook);
	return r;
}
