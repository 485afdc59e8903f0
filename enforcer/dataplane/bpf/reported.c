/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/reported.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

struct shape {
	const char *name;
	enum bpf_map_type type;
	uint32_t key_size, value_size, entries, flags;
};

static const struct shape denials_shape = {"reported_denials", BPF_MAP_TYPE_HASH,
	sizeof(struct abi_denial_key), sizeof(struct reported_count), ABI_MAX_DENIALS,
	BPF_F_NO_PREALLOC};
static const struct shape losses_shape = {"reported_losses", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
	sizeof(uint64_t), ABI_LOSS_COUNT, 0};

static int open_map(const struct shape *shape, const struct objects *objects,
	const struct pins *pins, int *ret, struct error *error)
{
	const struct bpf_map_create_opts options = {
		.sz = sizeof(options), .map_flags = shape->flags};
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], name[BPF_OBJ_NAME_LEN];

	fd = bpf_obj_get(pins_path(pins, objects->part, shape->name, path));
	if (fd < 0 && errno == ENOENT) {
		/* The kernel's names are shorter. */
		snprintf(name, sizeof(name), "%s", shape->name);
		fd = bpf_map_create(shape->type, name, shape->key_size, shape->value_size,
			shape->entries, &options);
		if (fd >= 0 && bpf_obj_pin(fd, path) < 0)
			return error_errno(error, -errno, "pin map at %s", path);
	}
	if (fd < 0)
		return error_errno(error, -errno, "open map %s", path);
	*ret = TAKE_FD(fd);
	return 0;
}

int reported_open(struct reported *reported, const struct objects *objects, const struct pins *pins,
	struct error *error)
{
	_cleanup_close_ int denials = -1, losses = -1;
	int r;

	r = open_map(&denials_shape, objects, pins, &denials, error);
	if (r < 0)
		return r;
	r = open_map(&losses_shape, objects, pins, &losses, error);
	if (r < 0)
		return r;
	reported->denials = TAKE_FD(denials);
	reported->losses = TAKE_FD(losses);
	return 0;
}

void reported_close(struct reported *reported)
{
	closep(&reported->denials);
	closep(&reported->losses);
	*reported = (struct reported)REPORTED_INIT;
}

void reported_store(const struct reported *reported, const struct abi_denial_key *key,
	const struct reported_count *count)
{
	bpf_map_update_elem(reported->denials, key, count, BPF_ANY);
}

void reported_forget(const struct reported *reported, const struct abi_denial_key *key)
{
	bpf_map_delete_elem(reported->denials, key);
}

uint64_t reported_loss(const struct reported *reported, uint32_t loss)
{
	uint64_t lost = 0;

	bpf_map_lookup_elem(reported->losses, &loss, &lost);
	return lost;
}

void reported_store_loss(const struct reported *reported, uint32_t loss, uint64_t lost)
{
	bpf_map_update_elem(reported->losses, &loss, &lost, BPF_ANY);
}
