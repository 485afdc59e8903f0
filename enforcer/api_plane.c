/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"

#include "base/cleanup.h"
#include "early.h"
#include "json.h"

/* Two parts may refuse for the same reason, each its own packets. */
static void add(json_t *counters, const char *reason, const json_t *value)
{
	static const char *const units[] = {"packets", "bytes"};
	json_t *sum = json_object_get(counters, reason);

	if (!sum) {
		json_object_set_new(counters, reason, json_deep_copy(value));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		json_int_t more = json_integer_value(json_object_get(value, units[i]));

		json_object_set_new(sum, units[i],
			json_integer(json_integer_value(json_object_get(sum, units[i])) + more));
	}
}

static void merge(json_t *plane, const json_t *part)
{
	json_t *counters = json_object_get(plane, "counters"), *value;
	const char *reason;

	json_object_foreach (json_object_get(part, "counters"), reason, value) {
		if (json_integer_value(json_object_get(value, "packets")))
			add(counters, reason, value);
	}
}

json_t *api_describe_plane(struct agent *agent, json_t **ret_host, json_t **ret_lock)
{
	_cleanup_json_ json_t *plane = agent->plane_ops->describe(agent->plane);
	_cleanup_json_ json_t *host = host_describe(agent->host);
	_cleanup_json_ json_t *lock = second_lock_describe(agent->lock);

	if (!plane)
		return NULL;
	early_merge_counters(agent, plane);
	merge(plane, host);
	merge(plane, lock);
	if (ret_host)
		*ret_host = TAKE_PTR(host);
	if (ret_lock)
		*ret_lock = TAKE_PTR(lock);
	return TAKE_PTR(plane);
}
