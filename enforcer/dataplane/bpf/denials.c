/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/denials.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#define CHUNK 1024 /* entries read at a time: what they take stays allocated */
/* A kind of refusal that rests this long is taken out of the table; sooner when many are there, so
 * that a scan does not leave the table full. */
#define IDLE_NS         (60 * NS_PER_SECOND)
#define IDLE_CROWDED_NS NS_PER_SECOND
#define CROWDED         (ABI_MAX_DENIALS / 2)

void denials_close(struct denials *denials)
{
	struct denial *denial, *next;

	HASH_ITER (hh, denials->items, denial, next) {
		HASH_DEL(denials->items, denial);
		free(denial);
	}
	walk_clear(&denials->walk);
	reported_close(&denials->reported);
}

/* NULL: out of memory; the difference is then reported next time. */
static struct denial *remember(struct denials *denials, const struct abi_denial_key *key)
{
	_cleanup_free_ struct denial *fresh = NULL;
	struct denial *denial;

	HASH_FIND(hh, denials->items, key, sizeof(*key), denial);
	if (denial)
		return denial;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return NULL;
	fresh->key = *key;
	fresh->sequence = denials->sequence++;
	HASH_ADD(hh, denials->items, key, sizeof(fresh->key), fresh);
	return HASH_ADDED(fresh) ? TAKE_PTR(fresh) : NULL;
}

static void report_difference(
	struct denials *denials, struct denial *denial, const struct abi_denial *now)
{
	struct reported_count *reported = &denial->reported;
	struct flow_event event;

	if (now->packets < reported->packets)
		/* Someone else has emptied the table. */
		*reported = (struct reported_count){0};
	if (now->packets == reported->packets)
		return;
	event = flow_of_denial(&denial->key, now, now->packets - reported->packets,
		now->bytes - reported->bytes, denial->sequence, &denials->report->context);
	*reported = (struct reported_count){now->packets, now->bytes};
	report_flow(denials->report, &event);
	reported_store(&denials->reported, &denial->key, reported);
}

/* Of a former epoch: no packet counts into it any more. */
static void take_out(struct denials *denials, struct denial *denial)
{
	if (bpf_map_delete_elem(denials->objects->maps.denials, &denial->key) == 0)
		objects_denial_gone(denials->objects, denial->key.ifindex);
	reported_forget(&denials->reported, &denial->key);
	HASH_DEL(denials->items, denial);
	free(denial);
}

static void visit(struct denials *denials, const struct abi_denial_key *key,
	const struct abi_denial *now, bool crowded)
{
	int64_t idle_ns = (int64_t)(denials->report->context.now_ns - now->last_ns);
	struct denial *denial = remember(denials, key);

	if (!denial)
		return;
	report_difference(denials, denial, now);
	if (key->epoch != denials->objects->control->epoch)
		take_out(denials, denial);
	else if (idle_ns > (int64_t)(crowded ? IDLE_CROWDED_NS : IDLE_NS))
		denials->resting = true;
}

/* Waiting for packets takes a while, so not more often than a crowd demands. */
static void turn_epoch(struct denials *denials)
{
	struct abi_control *control = denials->objects->control;

	if (!denials->resting ||
		denials->report->context.now_ns - denials->turned_ns < IDLE_CROWDED_NS)
		return;
	__atomic_store_n(&control->epoch, control->epoch + 1, __ATOMIC_RELEASE);
	objects_wait_for_packets();
	denials->turned_ns = denials->report->context.now_ns;
	denials->resting = false;
}

static int collect_losses(struct denials *denials)
{
	uint64_t lost = 0;

	for (uint32_t i = 0; i <= ABI_LOSS_DENIAL_AGGREGATE; i++) { /* the others are no records */
		uint64_t now;
		int r = per_cpu_sum(denials->objects->maps.losses, i, 1, &now);

		if (r < 0)
			return r;
		if (now == reported_loss(&denials->reported, i))
			continue;
		lost += now - reported_loss(&denials->reported, i);
		reported_store_loss(&denials->reported, i, now);
	}
	if (lost) {
		const struct flow_event event = flow_of_loss(lost, &denials->report->context);

		report_flow(denials->report, &event);
	}
	return 0;
}

int denials_collect(struct denials *denials, struct error *error)
{
	uint32_t count;
	int r;

	report_now(denials->report);
	turn_epoch(denials);
	do {
		bool crowded = HASH_COUNT(denials->items) > CROWDED;

		r = walk_next(&denials->walk, &count);
		if (r < 0)
			return error_errno(error, r, "read table denials");
		for (uint32_t i = 0; i < count; i++)
			visit(denials, (const struct abi_denial_key *)denials->walk.keys + i,
				(const struct abi_denial *)denials->walk.values + i, crowded);
	} while (count);
	r = collect_losses(denials);
	return r < 0 ? error_errno(error, r, "read table losses") : 0;
}

/* An entry that is reported, but no longer there, would hide as many packets of its next life. */
static int adopt(struct denials *denials, const struct abi_denial_key *key,
	const struct reported_count *reported)
{
	struct denial *denial;
	struct abi_denial now;

	if (bpf_map_lookup_elem(denials->objects->maps.denials, key, &now) < 0) {
		reported_forget(&denials->reported, key);
		return 0;
	}
	denial = remember(denials, key);
	if (!denial)
		return -ENOMEM;
	denial->reported = *reported;
	return 0;
}

static int adopt_all(struct denials *denials)
{
	_cleanup_walk_ struct walk walk =
		WALK_INIT(denials->reported.denials, struct abi_denial_key, struct reported_count);
	uint32_t count;
	int r;

	do {
		r = walk_next(&walk, &count);
		for (uint32_t i = 0; r == 0 && i < count; i++)
			r = adopt(denials, (const struct abi_denial_key *)walk.keys + i,
				(const struct reported_count *)walk.values + i);
		if (r < 0)
			return r;
	} while (count);
	return 0;
}

int denials_open(struct denials *denials, const struct objects *objects, const struct pins *pins,
	struct report *report, struct error *error)
{
	struct denials fresh = {
		.objects = objects,
		.report = report,
		.walk = WALK_INIT(objects->maps.denials, struct abi_denial_key, struct abi_denial),
		.reported = REPORTED_INIT,
	};
	int r;

	fresh.walk.chunk = CHUNK;
	r = reported_open(&fresh.reported, objects, pins, error);
	if (r == 0) {
		r = adopt_all(&fresh);
		if (r < 0)
			error_errno(error, r, "read what was reported");
	}
	if (r < 0) {
		denials_close(&fresh);
		return r;
	}
	*denials = fresh;
	return 0;
}
