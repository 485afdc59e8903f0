/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/hits.h"

#include "dataplane/bpf/batch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

int hits_visit(const struct objects *objects,
	bool (*visit)(uint32_t rule, uint64_t hits, void *userdata), void *userdata,
	struct error *error)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_walk_ struct walk walk = {.map = objects->maps.hits, .key_size = sizeof(uint32_t)};
	uint32_t count;
	int r;

	if (cpus < 0)
		return error_errno(error, cpus, "count the CPUs");
	walk.value_size = (size_t)cpus * sizeof(uint64_t);
	do {
		r = walk_next(&walk, &count);
		if (r < 0)
			return error_errno(error, r, "read table hits");
		for (uint32_t i = 0; i < count; i++) {
			const uint32_t *rule = (const uint32_t *)walk.keys + i;
			const uint64_t *values =
				(const uint64_t *)walk.values + (size_t)i * (size_t)cpus;
			uint64_t sum = 0;

			for (int cpu = 0; cpu < cpus; cpu++)
				sum += values[cpu];
			if (!visit(*rule, sum, userdata))
				bpf_map_delete_elem(objects->maps.hits, rule);
		}
	} while (count);
	return 0;
}
