/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/xdp/xdp_objects.h"

#include "base/cleanup.h"
#include "dataplane/bpf/grace.h"
#include "xdp/reasons.h"
#include "xdp/segd_xdp.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PART_PREFIX "maps-"

/* libbpf takes a pinned map of the same shape, and pins what is not there. */
static int choose_pins(struct xdp_objects *objects, const struct pins *pins, struct error *error)
{
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map (map, objects->skeleton->obj) {
		char path[PATH_MAX];

		if (bpf_map__is_internal(map))
			continue;
		pins_path(pins, objects->shared.part, bpf_map__name(map), path);
		r = bpf_map__set_pin_path(map, path);
		if (r < 0)
			return error_errno(error, r, "choose pin %s", path);
	}
	return pins_make(pins, objects->shared.part, error);
}

/* Collecting denials begins epochs in it. */
static int map_control(struct xdp_objects *objects, struct error *error)
{
	void *memory = mmap(NULL, sizeof(*objects->shared.control), PROT_READ | PROT_WRITE,
		MAP_SHARED, objects->shared.maps.control, 0);

	if (memory == MAP_FAILED)
		return error_errno(error, -errno, "map table early_control into memory");
	objects->shared.control = memory;
	return 0;
}

static int load(struct xdp_objects *objects, const struct pins *pins, struct error *error)
{
	const struct segd_xdp_bpf *skeleton;
	int r;

	objects->skeleton = segd_xdp_bpf__open();
	if (!objects->skeleton)
		return error_errno(error, -errno, "read the XDP programs");
	/* The counters have a place for each reason. */
	snprintf(objects->shared.part, sizeof(objects->shared.part), PART_PREFIX "%d-%d",
		ABI_EARLY_VERSION, REASON_COUNT);
	r = choose_pins(objects, pins, error);
	if (r < 0)
		return r;
	r = segd_xdp_bpf__load(objects->skeleton);
	if (r < 0)
		return error_errno(error, r, "load the XDP programs");
	skeleton = objects->skeleton;
	objects->interfaces = bpf_map__fd(skeleton->maps.early_interfaces);
	objects->investigators = bpf_map__fd(skeleton->maps.investigators);
	objects->deny_lists = bpf_map__fd(skeleton->maps.deny_lists);
	objects->counters = bpf_map__fd(skeleton->maps.early_counters);
	objects->shared.maps.control = bpf_map__fd(skeleton->maps.early_control);
	objects->shared.maps.denials = bpf_map__fd(skeleton->maps.early_denials);
	objects->shared.maps.losses = bpf_map__fd(skeleton->maps.early_losses);
	return map_control(objects, error);
}

int xdp_objects_open(struct xdp_objects *objects, const struct pins *pins, struct error *error)
{
	struct xdp_objects fresh = {0};
	int r = load(&fresh, pins, error);

	if (r < 0) {
		xdp_objects_close(&fresh);
		return r;
	}
	*objects = fresh;
	return 0;
}

void xdp_objects_close(struct xdp_objects *objects)
{
	if (objects->shared.control)
		munmap(objects->shared.control, sizeof(*objects->shared.control));
	segd_xdp_bpf__destroy(objects->skeleton);
	*objects = (struct xdp_objects){0};
}

bool xdp_objects_is_other(const struct xdp_objects *objects, const char *name)
{
	return strncmp(name, PART_PREFIX, strlen(PART_PREFIX)) == 0 &&
	       strcmp(name, objects->shared.part) != 0;
}

struct others {
	const struct pins *pins;
	const struct xdp_objects *objects;
};

static int remove_other(const char *name, void *userdata, struct error *error)
{
	const struct others *others = userdata;

	if (!xdp_objects_is_other(others->objects, name))
		return 0;
	return pins_remove(others->pins, name, error);
}

int xdp_objects_remove_others(
	const struct xdp_objects *objects, const struct pins *pins, struct error *error)
{
	struct others others = {pins, objects};

	return pins_list(pins, NULL, remove_other, &others, error);
}

int xdp_objects_set_deny_lists(const struct xdp_objects *objects, int map, struct error *error)
{
	_cleanup_grace_ struct grace grace = grace_hurry();
	const uint32_t zero = 0;
	int r;

	(void)grace;
	if (map < 0)
		r = bpf_map_delete_elem(objects->deny_lists, &zero);
	else
		r = bpf_map_update_elem(objects->deny_lists, &zero, &map, BPF_ANY);
	if (r < 0 && !(map < 0 && errno == ENOENT))
		return error_errno(error, -errno, "write to table deny_lists");
	return 0;
}

size_t xdp_objects_count_denied(const struct xdp_objects *objects)
{
	_cleanup_close_ int fd = -1;
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info), id;
	const uint32_t zero = 0;

	if (bpf_map_lookup_elem(objects->deny_lists, &zero, &id) < 0)
		return 0;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return 0;
	return info.max_entries - ABI_DENY_BUCKET_ROWS;
}
