// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/scan_group.h"

#include "detect/distinct.h"
#include "detect/party.h"
#include "detect/suspect.h"

#include <inttypes.h>
#include <string.h>

#define GROUPS_MAX       4096
#define TRIED_MAX        65536
#define GROUP_SOURCES    8
#define SOURCES_AT_LEAST 3
/* Of the failures, at most, that come from one source: more, and the scan is his own. */
#define SHARE_MAX 0.6

enum group_kind {
	GROUP_TARGET,
	GROUP_SERVICE
};

struct share {
	uint64_t source;
	struct name *name; /* reference */
	struct address address;
	unsigned int failures;
};

struct group {
	struct ledger_entry entry;
	struct walk walk;
	struct share shares[GROUP_SOURCES]; /* the last is of all others, too */
	unsigned int failures;
	struct distinct sources;
	struct distinct things; /* services of the target, or targets of the service */
	struct suspect suspect;
	const struct share *foremost; /* who had failed most when it was told first; or NULL */
};

static void group_forget(struct group *group)
{
	suspect_clear(&group->suspect);
	for (size_t i = 0; i < GROUP_SOURCES; i++)
		name_release(group->shares[i].name);
	group->foremost = NULL;
	group->failures = 0;
	memset(group->shares, 0, sizeof(group->shares));
	group->sources = group->things = (struct distinct){0};
}

static void group_clear(void *entry)
{
	group_forget(entry);
}

static struct ledger_key key_of(enum group_kind kind, const struct attempt *attempt)
{
	return (struct ledger_key){
		{(uint64_t)kind + 1, kind == GROUP_TARGET ? attempt->target : attempt->service}};
}

static void count_source(struct group *group, uint64_t source, const struct record *record)
{
	size_t i = 0;

	while (i < GROUP_SOURCES - 1 && group->shares[i].failures &&
		group->shares[i].source != source)
		i++;
	if (!group->shares[i].failures) {
		group->shares[i].source = source;
		group->shares[i].name = name_reference(record->source);
		group->shares[i].address = record->event.source;
	}
	group->shares[i].failures++;
	group->failures++;
	distinct_add(&group->sources, source);
}

static bool is_spread(const struct group *group)
{
	for (size_t i = 0; i < GROUP_SOURCES - 1; i++)
		if (group->shares[i].failures > SHARE_MAX * group->failures)
			return false;
	return distinct_count(&group->sources) >= SOURCES_AT_LEAST;
}

static const struct share *find_foremost(const struct group *group)
{
	const struct share *foremost = &group->shares[0];

	for (size_t i = 1; i < GROUP_SOURCES; i++)
		if (group->shares[i].failures > foremost->failures)
			foremost = &group->shares[i];
	return foremost;
}

static void report(const struct scan_groups *groups, const struct group *group,
	enum group_kind kind, const struct record *record)
{
	const struct suspect *suspect = &group->suspect;
	struct finding finding = suspect_finding(suspect, "scan", "T1046");
	char target[PARTY_TEXT_MAX], first[PARTY_TEXT_MAX], service[SERVICE_TEXT_MAX];
	char took[DURATION_TEXT_MAX];
	unsigned int sources = distinct_count(&group->sources);
	unsigned int things = distinct_count(&group->things);

	party_format(suspect->target, &suspect->target_address, target);
	party_format(group->foremost->name, &group->foremost->address, first);
	service_format(record, service);
	duration_format(suspect->last_ns - suspect->first_ns, took);
	finding.actor = group->foremost->name;
	finding.actor_address = group->foremost->address;
	finding.severity = SEVERITY_MEDIUM;
	if (kind == GROUP_TARGET) {
		finding_key(&finding, "distributed:%s", target);
		finding_sentence(&finding,
			"%u sources, %s among them, tried %u services of %s in %s, and failed",
			sources, first, things, target, took);
	} else {
		finding_has_many_targets(&finding);
		finding_key(&finding, "distributed:%s", service);
		finding_sentence(&finding,
			"%u sources, %s among them, tried %s on %u targets in %s, and failed",
			sources, first, service, things, took);
	}
	finding_because(&finding,
		"together they fail as a scanner does, though each stays below what would tell");
	groups->context->report(&finding, record, groups->context->userdata);
}

static void fail_in(struct scan_groups *groups, enum group_kind kind, const struct attempt *attempt,
	const struct record *record)
{
	struct ledger_key key = key_of(kind, attempt);
	struct group *group = ledger_touch(&groups->ledger, &key);

	if (!group)
		return;
	walk_fail(&group->walk, groups->limits, attempt->time_ns);
	count_source(group, attempt->source, record);
	distinct_add(&group->things, kind == GROUP_TARGET ? attempt->service : attempt->target);
	suspect_add(&group->suspect, record);
	if (!walk_accuses(&group->walk, groups->limits) || !is_spread(group))
		return;
	if (!group->foremost)
		group->foremost = find_foremost(group);
	report(groups, group, kind, record);
}

void scan_groups_failed(
	struct scan_groups *groups, const struct attempt *attempt, const struct record *record)
{
	/* Outsiders scan all day, each a little. */
	if (party_is_world(record, RECORD_SOURCE) ||
		seen_add(&groups->tried, party_join(attempt->target, attempt->service)))
		return;
	fail_in(groups, GROUP_TARGET, attempt, record);
	fail_in(groups, GROUP_SERVICE, attempt, record);
}

static void succeed_in(
	struct scan_groups *groups, enum group_kind kind, const struct attempt *attempt)
{
	struct ledger_key key = key_of(kind, attempt);
	struct group *group = ledger_find(&groups->ledger, &key);

	if (!group)
		return;
	walk_succeed(&group->walk, groups->limits, attempt->time_ns);
	if (walk_is_low(&group->walk))
		group_forget(group);
}

void scan_groups_answered(struct scan_groups *groups, const struct attempt *attempt)
{
	succeed_in(groups, GROUP_TARGET, attempt);
	succeed_in(groups, GROUP_SERVICE, attempt);
}

int scan_groups_open(struct scan_groups *groups, const struct walk_limits *limits,
	const struct detect_context *context)
{
	*groups = (struct scan_groups){
		.ledger = {.size = GROUPS_MAX,
			.entry_bytes = sizeof(struct group),
			.clear = group_clear},
		.limits = limits,
		.context = context,
	};
	return seen_open(&groups->tried, TRIED_MAX);
}

void scan_groups_close(struct scan_groups *groups)
{
	ledger_clear(&groups->ledger);
	seen_close(&groups->tried);
}
