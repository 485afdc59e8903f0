/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/sweep.h"

#include "base/clock.h"
#include "xdp/connection_times.h"

#include <bpf/bpf.h>
#include <errno.h>

#define CHUNK       1024 /* entries at a time: what they take stays allocated */
#define STEP_CHUNKS 64   /* the whole table in a few steps */
/* Times in the kernel are those of its last tick, 10 ms at most, and counters follow them. */
#define TICK_NS (20 * NS_PER_SECOND / 1000)

void sweep_init(struct sweep *sweep, const struct objects *objects,
	const struct interfaces *interfaces, struct report *report)
{
	*sweep = (struct sweep){
		.objects = objects,
		.interfaces = interfaces,
		.report = report,
		.walk = WALK_INIT(objects->maps.connections, struct abi_connection_key,
			struct abi_connection),
	};
	sweep->walk.chunk = CHUNK;
}

void sweep_clear(struct sweep *sweep)
{
	walk_clear(&sweep->walk);
}

static void report_connection(const struct sweep *sweep, enum flow_event_type type,
	const struct abi_connection_key *key, const struct abi_connection *connection)
{
	const struct flow_event event =
		flow_of_connection(type, key, connection, &sweep->report->context);

	report_flow(sweep->report, &event);
}

/* The workload at one end was here and is not any more. */
static bool is_orphaned(const struct sweep *sweep, const struct abi_connection *connection)
{
	for (unsigned int side = 0; side < ABI_SIDES; side++)
		if (connection->ifindex[side] &&
			!interfaces_find(sweep->interfaces, connection->ifindex[side]))
			return true;
	return false;
}

static bool is_over(const struct sweep *sweep, const struct abi_connection_key *key,
	const struct abi_connection *connection)
{
	uint64_t limit_ns =
		connection_idle_limit_ns(key, connection, &sweep->objects->configuration);
	/* The kernel may have stored a time after we looked at the clock. */
	int64_t idle_ns = (int64_t)(sweep->report->context.now_ns - connection->last_ns);

	return idle_ns > (int64_t)limit_ns || is_orphaned(sweep, connection);
}

/* What was read may be old by now: the entry that is taken out decides, and goes back if a packet
 * has come between. */
static void end(const struct sweep *sweep, const struct abi_connection_key *key)
{
	struct abi_connection last;

	if (bpf_map_lookup_elem(sweep->objects->maps.connections, key, &last) < 0 ||
		!is_over(sweep, key, &last))
		return;
	if (bpf_map_lookup_and_delete_elem(sweep->objects->maps.connections, key, &last) < 0)
		return;
	if (!is_over(sweep, key, &last) &&
		bpf_map_update_elem(sweep->objects->maps.connections, key, &last, BPF_NOEXIST) == 0)
		return;
	__atomic_fetch_sub(
		&objects_share(sweep->objects, last.owner)->connections, 1, __ATOMIC_RELAXED);
	report_connection(sweep, FLOW_END, key, &last);
}

/*
 * Each connection has its own rhythm, counted from its start, so that they do not all report at
 * once and nothing must be remembered about each: an update is due where a beat lies between the
 * last pass and this one, unless the connection has rested since the beat before.
 */
static bool is_due(const struct sweep *sweep, const struct abi_connection *connection)
{
	uint64_t last_beat, beat;

	if (connection->start_ns > sweep->pass_ns)
		return false;
	beat = (sweep->pass_ns - connection->start_ns) / CONNECTION_UPDATE_NS;
	last_beat = sweep->last_pass_ns > connection->start_ns
			    ? (sweep->last_pass_ns - connection->start_ns) / CONNECTION_UPDATE_NS
			    : 0;
	return beat > last_beat && connection->last_ns + TICK_NS >=
					   connection->start_ns + (beat - 1) * CONNECTION_UPDATE_NS;
}

/* Once for each connection, as above. */
static bool is_unanswered(const struct sweep *sweep, const struct abi_connection *connection)
{
	uint64_t due_ns = connection->start_ns + CONNECTION_UNANSWERED_NS;

	return !(connection->flags & ABI_CONNECTION_REPLIED) && due_ns <= sweep->pass_ns &&
	       due_ns > sweep->last_pass_ns;
}

static int visit_chunk(struct sweep *sweep, bool collect, uint32_t *ret_count)
{
	const struct abi_connection_key *keys;
	const struct abi_connection *connections;
	int r;

	r = walk_next(&sweep->walk, ret_count);
	if (r < 0)
		return r;
	keys = (const void *)sweep->walk.keys;
	connections = (const void *)sweep->walk.values;
	for (uint32_t i = 0; i < *ret_count; i++) {
		const struct abi_connection *connection = &connections[i];

		if (is_over(sweep, &keys[i], connection))
			end(sweep, &keys[i]);
		else if (is_unanswered(sweep, connection) ||
			 (collect ? connection->last_ns + TICK_NS >= sweep->collected_ns
				  : is_due(sweep, connection)))
			report_connection(sweep, FLOW_UPDATE, &keys[i], connection);
	}
	sweep->seen += *ret_count;
	return 0;
}

static void begin(struct sweep *sweep)
{
	report_now(sweep->report);
	if (!sweep->pass_ns) {
		sweep->pass_ns = sweep->report->context.now_ns;
		sweep->seen = 0;
	}
}

static void finish(struct sweep *sweep)
{
	sweep->connections = sweep->seen;
	sweep->last_pass_ns = sweep->pass_ns;
	sweep->pass_ns = 0;
}

int sweep_step(struct sweep *sweep, struct error *error)
{
	begin(sweep);
	for (unsigned int i = 0; i < STEP_CHUNKS; i++) {
		uint32_t count;
		int r = visit_chunk(sweep, false, &count);

		if (r < 0)
			return error_errno(error, r, "read table connections");
		if (!count) {
			finish(sweep);
			break;
		}
	}
	return 0;
}

int sweep_collect(struct sweep *sweep, struct error *error)
{
	uint32_t count = 0;
	uint64_t began_ns;
	int r;

	/* A pass that is under way begins anew, so that this one sees the whole table. */
	sweep->walk.started = false;
	sweep->walk.finished = false;
	sweep->pass_ns = 0;
	begin(sweep);
	began_ns = sweep->pass_ns;
	do {
		r = visit_chunk(sweep, true, &count);
		if (r < 0)
			return error_errno(error, r, "read table connections");
	} while (count);
	sweep->collected_ns = began_ns;
	finish(sweep);
	return 0;
}
