/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/objects.h"

#include "base/cleanup.h"
#include "dataplane/bpf/grace.h"
#include "xdp/segd.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define STAGING "staging"

#define IDENTITIES_BYTES_MIN 65536 /* whole pages, and as all of its doubles */

static const size_t identities_bytes = 2UL * ABI_MAX_IDENTITIES * sizeof(struct abi_identity);
_Static_assert(2UL * ABI_MAX_IDENTITIES * sizeof(struct abi_identity) % IDENTITIES_BYTES_MIN == 0,
	"what is mapped ends with the table");
static const size_t shares_bytes = (size_t)ABI_MAX_ENDPOINTS * sizeof(struct abi_share);

/* Maps that user space does not share (.rodata, .bss) belong to one load of the programs. */
static bool is_shared(const struct bpf_map *map)
{
	return !bpf_map__is_internal(map);
}

static uint32_t digest_add(uint32_t digest, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		digest = (digest ^ bytes[i]) * 16777619u; /* FNV-1a */
	return digest;
}

/* Equal digest: the same maps in the same shape. */
static uint32_t shapes_digest(const struct bpf_object *object)
{
	uint32_t digest = 2166136261u;
	const struct bpf_map *map;

	bpf_object__for_each_map (map, object) {
		const uint32_t shape[] = {bpf_map__type(map), bpf_map__key_size(map),
			bpf_map__value_size(map), bpf_map__max_entries(map),
			bpf_map__map_flags(map)};

		if (!is_shared(map))
			continue;
		digest = digest_add(digest, bpf_map__name(map), strlen(bpf_map__name(map)) + 1);
		digest = digest_add(digest, shape, sizeof(shape));
	}
	return digest;
}

static bool has_shape(int fd, const struct bpf_map *map)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == bpf_map__type(map) &&
	       info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map);
}

/* All pinned maps of this kind, and the best set among them. */
struct candidates {
	const struct pins *pins;
	struct bpf_object *object;
	uint32_t abi_version;
	char prefix[48];
	unsigned int last;   /* highest serial that is taken */
	unsigned int best;   /* serial of the best whole set; 0: none */
	bool best_is_filled; /* an agent has enforced by it */
};

static void part_name(const struct candidates *candidates, unsigned int serial, char part[64])
{
	snprintf(part, 64, "%s%u", candidates->prefix, serial);
}

static bool is_whole(const struct candidates *candidates, const char *part, bool *ret_filled)
{
	struct abi_control control = {0};
	const struct bpf_map *map;
	const uint32_t zero = 0;

	bpf_object__for_each_map (map, candidates->object) {
		_cleanup_close_ int fd = -1;
		char path[PATH_MAX];

		if (!is_shared(map))
			continue;
		fd = bpf_obj_get(pins_path(candidates->pins, part, bpf_map__name(map), path));
		if (fd < 0 || !has_shape(fd, map))
			return false;
		if (strcmp(bpf_map__name(map), "control") == 0 &&
			bpf_map_lookup_elem(fd, &zero, &control) < 0)
			return false;
	}
	*ret_filled = control.generation != 0;
	return control.version == candidates->abi_version;
}

/*
 * A set that no agent has enforced by yet stands beside the one that the attached programs use, so
 * it is chosen only where there is no other.
 */
static int consider(const char *name, void *userdata, struct error *error)
{
	struct candidates *candidates = userdata;
	size_t length = strlen(candidates->prefix);
	bool filled = false;
	unsigned int serial;
	char *end;

	(void)error;
	if (strncmp(name, candidates->prefix, length) != 0)
		return 0;
	serial = (unsigned int)strtoul(name + length, &end, 10);
	if (*end || !serial)
		return 0;
	if (serial > candidates->last)
		candidates->last = serial;
	if (!is_whole(candidates, name, &filled))
		return 0;
	if (candidates->best && filled < candidates->best_is_filled)
		return 0;
	if (filled > candidates->best_is_filled || serial > candidates->best) {
		candidates->best = serial;
		candidates->best_is_filled = filled;
	}
	return 0;
}

static int reuse_maps(
	struct bpf_object *object, const struct pins *pins, const char *part, struct error *error)
{
	struct bpf_map *map;
	int r;

	bpf_object__for_each_map (map, object) {
		_cleanup_close_ int fd = -1;
		char path[PATH_MAX];

		if (!is_shared(map))
			continue;
		fd = bpf_obj_get(pins_path(pins, part, bpf_map__name(map), path));
		if (fd < 0)
			return error_errno(error, -errno, "open pinned map %s", path);
		r = bpf_map__reuse_fd(map, fd);
		if (r < 0)
			return error_errno(error, r, "use pinned map %s again", path);
	}
	return 0;
}

static int pin_maps(struct bpf_object *object, const struct pins *pins, const char *part,
	uint32_t abi_version, struct error *error)
{
	const struct abi_control control = {.version = abi_version};
	char staging[PATH_MAX], final[PATH_MAX];
	const uint32_t zero = 0;
	struct bpf_map *map;
	int r;

	r = pins_remove(pins, STAGING, error);
	if (r < 0)
		return r;
	r = pins_make(pins, STAGING, error);
	if (r < 0)
		return r;
	bpf_object__for_each_map (map, object) {
		char path[PATH_MAX];

		if (!is_shared(map))
			continue;
		if (strcmp(bpf_map__name(map), "control") == 0) {
			r = bpf_map_update_elem(bpf_map__fd(map), &zero, &control, BPF_ANY);
			if (r < 0)
				return error_errno(error, r, "write to table control");
		}
		r = bpf_obj_pin(
			bpf_map__fd(map), pins_path(pins, STAGING, bpf_map__name(map), path));
		if (r < 0)
			return error_errno(error, r, "pin map at %s", path);
	}
	pins_path(pins, STAGING, NULL, staging);
	if (rename(staging, pins_path(pins, part, NULL, final)) < 0)
		return error_errno(error, -errno, "rename %s to %s", staging, final);
	return 0;
}

/* NULL: it cannot be, and error says so. */
static void *map_table(int map, size_t bytes, const char *name, struct error *error)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);

	if (memory != MAP_FAILED)
		return memory;
	error_errno(error, -errno, "map table %s into memory", name);
	return NULL;
}

/* All of the table that is mapped counts as the agent's memory, and most of it is never used. */
int objects_reach(struct objects *objects, uint32_t end, struct error *error)
{
	size_t needed = 2UL * end * sizeof(struct abi_identity);
	size_t bytes = objects->identities_bytes ? objects->identities_bytes : IDENTITIES_BYTES_MIN;
	void *memory;

	if (objects->identities_bytes >= needed && objects->identities_bytes)
		return 0;
	while (bytes < needed)
		bytes *= 2;
	if (bytes > identities_bytes)
		bytes = identities_bytes;
	memory = map_table(objects->maps.identities, bytes, "identities", error);
	if (!memory)
		return -ENOMEM;
	if (objects->identities)
		munmap(objects->identities, objects->identities_bytes);
	objects->identities = memory;
	objects->identities_bytes = bytes;
	return 0;
}

static int map_memory(struct objects *objects, struct error *error)
{
	objects->control =
		map_table(objects->maps.control, sizeof(*objects->control), "control", error);
	if (!objects->control)
		return -ENOMEM;
	if (objects_reach(objects, 0, error) < 0)
		return -ENOMEM;
	objects->shares = map_table(objects->maps.shares, shares_bytes, "shares", error);
	return objects->shares ? 0 : -ENOMEM;
}

static int duplicate(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Of our own: what the library keeps of the programs besides is not needed once they are loaded. */
static int take_descriptors(
	struct objects *objects, const struct segd_bpf *skeleton, struct error *error)
{
	bool taken = true;

#define X(name)                                                           \
	objects->maps.name = duplicate(bpf_map__fd(skeleton->maps.name)); \
	taken = taken && objects->maps.name >= 0;
	OBJECT_MAPS(X)
#undef X
	objects->programs[ABI_EGRESS] = duplicate(bpf_program__fd(skeleton->progs.segd_leave));
	objects->programs[ABI_INGRESS] = duplicate(bpf_program__fd(skeleton->progs.segd_enter));
	if (!taken || objects->programs[ABI_EGRESS] < 0 || objects->programs[ABI_INGRESS] < 0)
		return error_errno(error, -errno, "keep the maps and programs open");
	for (unsigned int i = 0; i < ABI_DIRECTIONS; i++) {
		struct bpf_prog_info info = {0};
		uint32_t size = sizeof(info);
		int r = bpf_obj_get_info_by_fd(objects->programs[i], &info, &size);

		if (r < 0)
			return error_errno(error, r, "ask for the id of a program");
		objects->program_ids[i] = info.id;
	}
	objects->configuration = skeleton->rodata->configuration;
	return 0;
}

/* From here on they judge on all interfaces inside. */
static int fill_inside(
	struct objects *objects, const struct segd_bpf *skeleton, struct error *error)
{
	const struct bpf_program *const programs[ABI_DIRECTIONS] = {
		[ABI_INGRESS] = skeleton->progs.segd_enter_inside,
		[ABI_EGRESS] = skeleton->progs.segd_leave_inside,
	};

	for (uint32_t i = 0; i < ABI_DIRECTIONS; i++) {
		int fd = bpf_program__fd(programs[i]);
		int r = bpf_map_update_elem(objects->maps.inside, &i, &fd, BPF_ANY);

		if (r < 0)
			return error_errno(error, r, "write to table inside");
	}
	return 0;
}

static int load(struct objects *objects, struct segd_bpf *skeleton, const struct pins *pins,
	uint32_t abi_version, struct error *error)
{
	struct candidates candidates = {.pins = pins, .abi_version = abi_version};
	struct bpf_object *object = skeleton->obj;
	int r;

	candidates.object = object;
	snprintf(candidates.prefix, sizeof(candidates.prefix), "maps-%u-%08x-", abi_version,
		shapes_digest(object));
	r = pins_list(pins, NULL, consider, &candidates, error);
	if (r < 0)
		return r;
	part_name(&candidates, candidates.best ? candidates.best : candidates.last + 1,
		objects->part);
	if (candidates.best) {
		r = reuse_maps(object, pins, objects->part, error);
		if (r < 0)
			return r;
	}
	r = segd_bpf__load(skeleton);
	if (r < 0)
		return error_errno(error, r, "load the BPF programs");
	if (!candidates.best) {
		r = pin_maps(object, pins, objects->part, abi_version, error);
		if (r < 0)
			return r;
	}
	r = take_descriptors(objects, skeleton, error);
	if (r == 0)
		r = fill_inside(objects, skeleton, error);
	return r < 0 ? r : map_memory(objects, error);
}

/* Frozen when the programs are loaded. */
static void configure(struct segd_bpf *skeleton, const struct dataplane_options *options)
{
	struct abi_configuration *configuration =
		(struct abi_configuration *)&skeleton->rodata->configuration;

	for (size_t i = 0; i < ABI_ETHERTYPES; i++)
		configuration->ethertypes[i] = options->ethertypes[i];
	configuration->fast_path = options->fast_path;
	configuration->lock_mark = options->lock_mark;
	configuration->samples = options->samples;
	configuration->sampled_connections = options->sampled_connections;
	if (options->share)
		configuration->share = options->share;
}

static void skeleton_destroyp(struct segd_bpf **skeleton)
{
	segd_bpf__destroy(*skeleton);
}

int objects_open(struct objects *objects, const struct pins *pins, uint32_t abi_version,
	const struct dataplane_options *options, struct error *error)
{
	_cleanup_(skeleton_destroyp) struct segd_bpf *skeleton = segd_bpf__open();
	struct objects fresh = OBJECTS_INIT;
	int r;

	if (!skeleton)
		return error_errno(error, -errno, "read the BPF programs");
	configure(skeleton, options);
	r = load(&fresh, skeleton, pins, abi_version, error);
	if (r < 0) {
		objects_close(&fresh);
		return r;
	}
	*objects = fresh;
	return 0;
}

void objects_close(struct objects *objects)
{
	if (objects->control)
		munmap(objects->control, sizeof(*objects->control));
	if (objects->identities)
		munmap(objects->identities, objects->identities_bytes);
	if (objects->shares)
		munmap(objects->shares, shares_bytes);
#define X(name) closep(&objects->maps.name);
	OBJECT_MAPS(X)
#undef X
	for (unsigned int i = 0; i < ABI_DIRECTIONS; i++)
		closep(&objects->programs[i]);
	*objects = (struct objects)OBJECTS_INIT;
}

bool objects_is_part(const char *name)
{
	return strncmp(name, "maps-", 5) == 0;
}

struct others {
	const struct pins *pins;
	const char *part;
};

static int remove_other(const char *name, void *userdata, struct error *error)
{
	const struct others *others = userdata;

	if (strcmp(name, STAGING) != 0 &&
		(!objects_is_part(name) || strcmp(name, others->part) == 0))
		return 0;
	return pins_remove(others->pins, name, error);
}

int objects_remove_others(
	const struct objects *objects, const struct pins *pins, struct error *error)
{
	struct others others = {pins, objects->part};

	return pins_list(pins, NULL, remove_other, &others, error);
}

uint32_t objects_generation(const struct objects *objects)
{
	return __atomic_load_n(&objects->control->generation, __ATOMIC_ACQUIRE);
}

unsigned int objects_slot(const struct objects *objects)
{
	return objects_generation(objects) & 1;
}

void objects_flip(struct objects *objects)
{
	uint32_t next = objects_generation(objects) + 1;

	/* 0 means none; 2 keeps the slots alternating. */
	__atomic_store_n(&objects->control->generation, next ? next : 2, __ATOMIC_RELEASE);
}

/* Programs run in RCU read-side sections, and this waits for all that have begun. Nothing else
 * happens here meanwhile, so it shall not take the 10 to 20 ms that a grace period may take. */
void objects_wait_for_packets(void)
{
	_cleanup_grace_ struct grace grace = grace_hurry();

	(void)grace;
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

struct abi_share *objects_share(const struct objects *objects, uint32_t owner)
{
	return &objects->shares[owner % ABI_MAX_ENDPOINTS];
}

void objects_denial_gone(const struct objects *objects, uint32_t ifindex)
{
	if (objects->shares)
		__atomic_fetch_sub(&objects_share(objects, ifindex)->denials, 1, __ATOMIC_RELAXED);
}

struct abi_identity *objects_identity(
	const struct objects *objects, uint32_t number, unsigned int slot)
{
	return &objects->identities[(size_t)number * 2 + slot];
}
