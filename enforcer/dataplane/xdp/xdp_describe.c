/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Early dropping's part of status and metrics. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/bpf/batch.h"
#include "dataplane/xdp/xdp_private.h"
#include "xdp/reasons.h"

static const char *const reason_names[REASON_COUNT] = {
#define X(symbol, name, sentence) [REASON_##symbol] = name,
	REASONS(X)
#undef X
};

static json_t *jobs(const struct xdp *xdp, const struct xdp_hook *hook)
{
	static const char *const names[] = {"quarantine", "deny_list", "limit"};
	json_t *array = json_array();
	struct xdp_target *target;
	uint32_t bits = 0;

	HASH_FIND(hh, xdp->targets, &hook->key.ifindex, sizeof(hook->key.ifindex), target);
	if (target)
		bits = target->entry.jobs;
	if (hook->key.side == XDP_SIDE_OUT)
		bits &= ABI_EARLY_DENY_LIST;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (bits & 1U << i)
			json_array_append_new(array, json_string(names[i]));
	}
	return array;
}

static json_t *interfaces(const struct xdp *xdp)
{
	json_t *array = json_array();

	for (const struct xdp_hook *hook = xdp->hooks.items; hook; hook = hook->hh.next)
		json_array_append_new(array,
			json_pack("{s:s, s:I, s:s, s:o}", "interface", hook->name, "ifindex",
				(json_int_t)hook->key.ifindex, "mechanism",
				xdp_mechanism_name(hook->mechanism), "jobs", jobs(xdp, hook)));
	return array;
}

static json_t *deny_lists(const struct xdp *xdp)
{
	const struct xdp_deny_state *deny = &xdp->deny;
	json_t *files = json_array();
	size_t total = 0;

	for (size_t i = 0; i < xdp->options.deny_lists_count; i++) {
		size_t prefixes = deny->prefixes ? deny->prefixes[i] : 0;

		total += prefixes;
		json_array_append_new(
			files, json_pack("{s:s, s:I}", "file", xdp->options.deny_lists[i],
				       "prefixes", (json_int_t)prefixes));
	}
	return json_pack("{s:o, s:I, s:I, s:I, s:f, s:s?}", "files", files, "prefixes",
		(json_int_t)total, "ranges", (json_int_t)deny->ranges, "loaded",
		(json_int_t)(deny->loaded_ns / NS_PER_SECOND), "milliseconds",
		(double)deny->duration_ns / 1e6, "error", deny->error);
}

/* Both directions together; what never happened is left out. */
static json_t *counters(const struct xdp *xdp)
{
	json_t *object = json_object();

	for (uint32_t reason = 0; xdp->is_open && reason < REASON_COUNT; reason++) {
		uint64_t total[2] = {0};

		for (uint32_t hook = 0; hook < ABI_DIRECTIONS; hook++) {
			uint64_t sums[2];

			if (per_cpu_sum(xdp->objects.counters, reason * ABI_DIRECTIONS + hook,
				    ARRAY_SIZE(sums), sums) < 0)
				continue;
			total[0] += sums[0];
			total[1] += sums[1];
		}
		if (total[0])
			json_object_set_new(object, reason_names[reason],
				json_pack("{s:I, s:I}", "packets", (json_int_t)total[0], "bytes",
					(json_int_t)total[1]));
	}
	return object;
}

static json_int_t losses(const struct xdp *xdp)
{
	uint64_t lost = 0;

	if (xdp->is_open)
		per_cpu_sum(xdp->objects.shared.maps.losses, ABI_LOSS_DENIAL_AGGREGATE, 1, &lost);
	return (json_int_t)lost;
}

json_t *xdp_describe(struct xdp *xdp)
{
	size_t quarantined = 0;

	for (const struct xdp_target *target = xdp->targets; target; target = target->hh.next)
		quarantined += !!(target->roles & XDP_ROLE_QUARANTINED);
	return json_pack("{s:o, s:o, s:I, s:o, s:I}", "interfaces", interfaces(xdp), "deny_lists",
		deny_lists(xdp), "quarantined", (json_int_t)quarantined, "counters", counters(xdp),
		"losses", losses(xdp));
}
