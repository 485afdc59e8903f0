/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/xdp/xdp_carry.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#define ENTRY_BYTES 256 /* more than a key or a value of ours, in any version, has */

struct carriage {
	const struct xdp_objects *objects;
	const struct pins *pins;
	const char *part; /* from where */
};

static int ask(int map, struct bpf_map_info *ret)
{
	uint32_t size = sizeof(*ret);

	memset(ret, 0, sizeof(*ret));
	return bpf_obj_get_info_by_fd(map, ret, &size) < 0 ? -errno : 0;
}

/* Values only grow at their end (abi.h): what is new is zero, what is old is left out. */
static int copy_entries(int from, int to)
{
	uint8_t keys[2][ENTRY_BYTES], value[ENTRY_BYTES];
	struct bpf_map_info source, target;
	const uint8_t *former = NULL;
	int r = ask(from, &source);

	if (r == 0)
		r = ask(to, &target);
	if (r < 0)
		return r;
	if (source.key_size != target.key_size || source.key_size > ENTRY_BYTES ||
		source.value_size > ENTRY_BYTES || target.value_size > ENTRY_BYTES)
		return -EPROTO;
	for (size_t i = 0; bpf_map_get_next_key(from, former, keys[i]) == 0; i ^= 1) {
		former = keys[i];
		memset(value, 0, sizeof(value));
		if (bpf_map_lookup_elem(from, keys[i], value) < 0)
			continue;
		if (bpf_map_update_elem(to, keys[i], value, BPF_NOEXIST) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* The map of ranges itself. Of a shape that is no longer ours it is left: the files are read next.
 */
static int copy_deny_lists(int from, int to)
{
	_cleanup_close_ int ranges = -1;
	const uint32_t zero = 0;
	uint32_t id;

	if (bpf_map_lookup_elem(to, &zero, &id) == 0 || bpf_map_lookup_elem(from, &zero, &id) < 0)
		return 0;
	ranges = bpf_map_get_fd_by_id(id);
	if (ranges < 0)
		return errno == ENOENT ? 0 : -errno;
	if (bpf_map_update_elem(to, &zero, &ranges, BPF_ANY) < 0 && errno != EINVAL)
		return -errno;
	return 0;
}

static int carry_table(const struct carriage *carriage, const char *name, int to,
	int (*copy)(int from, int to), struct error *error)
{
	char path[PATH_MAX];
	_cleanup_close_ int from =
		bpf_obj_get(pins_path(carriage->pins, carriage->part, name, path));
	int r;

	if (from < 0)
		return errno == ENOENT ? 0 : error_errno(error, -errno, "open pin %s", path);
	r = copy(from, to);
	return r < 0 ? error_errno(error, r, "take over table %s", path) : 0;
}

static int carry(const char *name, void *userdata, struct error *error)
{
	struct carriage *carriage = userdata;
	const struct xdp_objects *objects = carriage->objects;
	int r;

	if (!xdp_objects_is_other(objects, name))
		return 0;
	carriage->part = name;
	/* Whom quarantined workloads may send to before that they are quarantined. */
	r = carry_table(carriage, "investigators", objects->investigators, copy_entries, error);
	if (r == 0)
		r = carry_table(
			carriage, "early_interfaces", objects->interfaces, copy_entries, error);
	if (r == 0)
		r = carry_table(
			carriage, "deny_lists", objects->deny_lists, copy_deny_lists, error);
	return r;
}

int xdp_carry(const struct xdp_objects *objects, const struct pins *pins, struct error *error)
{
	struct carriage carriage = {.objects = objects, .pins = pins};

	return pins_list(pins, NULL, carry, &carriage, error);
}
