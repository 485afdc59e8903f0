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

static const char *const ways[XDP_MECHANISMS] = {
	[XDP_NATIVE] = "native",
	[XDP_TC] = "tc",
	[XDP_LEAVE] = "out",
};

const char *xdp_mechanism_name(enum xdp_mechanism mechanism)
{
	return ways[mechanism];
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

/* tc NULL: an XDP link. */
static const char *pin_path(const struct xdp_hooks *hooks, uint32_t ifindex,
	enum xdp_mechanism mechanism, const struct mechanism *tc, char path[static PATH_MAX])
{
	char name[32];

	snprintf(name, sizeof(name), "%u-%s", ifindex, ways[mechanism]);
	return pins_path(hooks->pins, tc ? tc->part : PART, name, path);
}

/* What comes in by the interface is as if it left a workload behind it. */
static struct hook place_of(uint32_t ifindex, enum xdp_mechanism mechanism)
{
	return (struct hook){
		.ifindex = ifindex,
		.direction = mechanism == XDP_LEAVE ? ABI_INGRESS : ABI_EGRESS,
		.early = true,
	};
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
	enum xdp_mechanism mechanism, const struct mechanism *tc, int fd, struct xdp_hook **ret)
{
	_cleanup_close_ int owned = fd;
	_cleanup_(hook_freep) struct xdp_hook *hook = calloc(1, sizeof(*hook));

	if (!hook)
		return -ENOMEM;
	hook->fd = TAKE_FD(owned);
	hook->key.ifindex = ifindex;
	hook->key.side = mechanism == XDP_LEAVE ? XDP_SIDE_OUT : XDP_SIDE_IN;
	hook->mechanism = mechanism;
	hook->tc = tc;
	snprintf(hook->name, sizeof(hook->name), "%s", name);
	HASH_ADD(hh, hooks->items, key, sizeof(hook->key), hook);
	if (!HASH_ADDED(hook))
		return -ENOMEM;
	*ret = TAKE_PTR(hook);
	return 0;
}

/* An XDP link's ifindex is 0 once its interface is gone or somebody has detached it. Nothing comes
 * before XDP. */
static struct occupation look(const struct xdp_hook *hook)
{
	const struct hook place = place_of(hook->key.ifindex, hook->mechanism);
	struct occupation occupation = {0};
	struct bpf_link_info info = {0};
	uint32_t size = sizeof(info);

	if (hook->tc)
		hook->tc->query(&place, hook->fd, &occupation);
	else if (bpf_obj_get_info_by_fd(hook->fd, &info, &size) == 0 &&
		 info.xdp.ifindex == hook->key.ifindex)
		occupation.program_id = info.prog_id;
	return occupation;
}

bool xdp_hook_holds(const struct xdp_hook *hook)
{
	return look(hook).program_id != 0;
}

bool xdp_hook_is_first(const struct xdp_hook *hook)
{
	return look(hook).before_id == 0;
}

static bool parse_name(const char *text, uint32_t *ret_ifindex, enum xdp_mechanism *ret_mechanism)
{
	char *end;
	unsigned long ifindex = strtoul(text, &end, 10);

	if (*end != '-')
		return false;
	for (unsigned int i = 0; i < XDP_MECHANISMS; i++) {
		if (strcmp(end + 1, ways[i]) != 0)
			continue;
		*ret_ifindex = (uint32_t)ifindex;
		*ret_mechanism = (enum xdp_mechanism)i;
		return true;
	}
	return false;
}

struct adoption {
	struct xdp_hooks *hooks;
	const struct mechanism *tc; /* whose pins these are, where they are not XDP's */
};

static int adopt(const char *pin, void *userdata, struct error *error)
{
	const struct adoption *adoption = userdata;
	struct xdp_hooks *hooks = adoption->hooks;
	const struct mechanism *tc = adoption->tc;
	enum xdp_mechanism mechanism;
	struct xdp_hook *hook;
	char path[PATH_MAX], name[IF_NAMESIZE];
	uint32_t ifindex;
	int fd, r;

	if (!parse_name(pin, &ifindex, &mechanism))
		return 0;
	fd = bpf_obj_get(pins_path(hooks->pins, tc->part, pin, path));
	if (fd < 0)
		return error_errno(error, -errno, "open pin %s", path);
	if (mechanism == XDP_NATIVE)
		tc = NULL;
	r = add(hooks, ifindex, if_indextoname(ifindex, name) ? name : "", mechanism, tc, fd,
		&hook);
	if (r < 0)
		return error_nomem(error);
	return xdp_hook_holds(hook) ? 0 : xdp_hooks_drop(hooks, hook, error);
}

/* XDP's links are where tcx has its. */
int xdp_hooks_adopt(struct xdp_hooks *hooks, struct error *error)
{
	static const struct mechanism *const mechanisms[] = {&tcx_mechanism, &clsact_mechanism};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(mechanisms) && r == 0; i++) {
		struct adoption adoption = {hooks, mechanisms[i]};

		r = pins_make(hooks->pins, mechanisms[i]->part, error);
		if (r == 0)
			r = pins_list(hooks->pins, mechanisms[i]->part, adopt, &adoption, error);
	}
	return r;
}

static int attach_tc(struct xdp_hooks *hooks, int program, uint32_t ifindex,
	enum xdp_mechanism mechanism, int *ret_fd)
{
	const struct hook place = place_of(ifindex, mechanism);
	char path[PATH_MAX];
	int r = hooks->tc->attach(
		&place, program, pin_path(hooks, ifindex, mechanism, hooks->tc, path), ret_fd);

	if (r != -EOPNOTSUPP || hooks->tc == &clsact_mechanism)
		return r;
	hooks->tc = &clsact_mechanism;
	return attach_tc(hooks, program, ifindex, mechanism, ret_fd);
}

static int attach_native(struct xdp_hooks *hooks, int program, uint32_t ifindex, int *ret_fd)
{
	const struct bpf_link_create_opts options = {
		.sz = sizeof(options), .flags = XDP_FLAGS_DRV_MODE};
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	fd = bpf_link_create(program, (int)ifindex, BPF_XDP, &options);
	if (fd < 0)
		return -errno;
	pin_path(hooks, ifindex, XDP_NATIVE, NULL, path);
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
		const int program = program_of(objects, mechanism);

		r = mechanism == XDP_NATIVE ? attach_native(hooks, program, ifindex, &fd)
					    : attach_tc(hooks, program, ifindex, mechanism, &fd);
		if (r == -EBUSY || r == -EEXIST)
			*ret_foreign = true;
		if (r >= 0 || r == -ENODEV || mechanism == last)
			break;
	}
	if (r < 0)
		return error_errno(
			error, r, "attach to interface %s (%u) for early dropping", name, ifindex);
	r = add(hooks, ifindex, name, mechanism, mechanism == XDP_NATIVE ? NULL : hooks->tc, fd,
		ret);
	return r < 0 ? error_nomem(error) : 0;
}

int xdp_hooks_exchange(const struct xdp_hooks *hooks, struct xdp_hook *hook,
	const struct xdp_objects *objects, struct error *error)
{
	const struct hook place = place_of(hook->key.ifindex, hook->mechanism);
	const int program = program_of(objects, hook->mechanism);
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	char path[PATH_MAX];
	int r;

	if (bpf_obj_get_info_by_fd(program, &info, &size) < 0)
		return error_errno(error, -errno, "ask for the id of a program");
	if (look(hook).program_id == info.id)
		return 0;
	pin_path(hooks, hook->key.ifindex, hook->mechanism, hook->tc, path);
	r = hook->tc ? hook->tc->exchange(&place, program, path, &hook->fd)
		     : bpf_link_update(hook->fd, program, NULL);
	return r < 0 ? error_errno(error, r, "exchange the program on interface %s", hook->name)
		     : 0;
}

/* The link ends with its last reference, which another view of the pin may hold: detach first. */
static int detach_xdp(const struct xdp_hook *hook, const char *path)
{
	int r = 0;

	if (bpf_link_detach(hook->fd) < 0 && errno != ENOLINK && xdp_hook_holds(hook))
		r = -errno;
	if (unlink(path) < 0 && errno != ENOENT && r == 0)
		r = -errno;
	return r;
}

int xdp_hooks_drop(struct xdp_hooks *hooks, struct xdp_hook *hook, struct error *error)
{
	const struct hook place = place_of(hook->key.ifindex, hook->mechanism);
	char path[PATH_MAX];
	int r;

	pin_path(hooks, hook->key.ifindex, hook->mechanism, hook->tc, path);
	r = hook->tc ? hook->tc->detach(&place, path) : detach_xdp(hook, path);
	if (r < 0)
		error_errno(
			error, r, "take the program off interface %s (pin %s)", hook->name, path);
	HASH_DEL(hooks->items, hook);
	hook_free(hook);
	return r;
}
