/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One thing that a person should know: what a detector said of an actor, however often it said so.
 * Times are those of records, in whole microseconds, so that an alert which went through JSON is
 * the same as before.
 */
#pragma once

#include "base/large_hash.h"
#include "detect/finding.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALERT_ID_LENGTH    12
#define ALERT_EVIDENCE_MAX 32

struct incident;

/* A workload, the node, or an address that nobody here owns. */
struct party {
	struct name *name; /* reference; NULL: only the address is known */
	struct address address;
	char *id; /* "namespace/workload", "host", the address; "" for many or nobody */
};

struct alert {
	char id[ALERT_ID_LENGTH + 1]; /* from who, what and when: live and offline agree */
	char *detector;
	char *technique;
	char *key;
	char *sentence;
	char *because;
	enum severity severity;
	struct party actor;
	struct party target;
	uint64_t first_ns;  /* when it began */
	uint64_t raised_ns; /* when it was told */
	uint64_t last_ns;
	uint64_t count;                        /* of what the detector counts */
	uint64_t reports;                      /* how often the detector said so */
	uint64_t evidence[ALERT_EVIDENCE_MAX]; /* ids of flow records: the first, then the latest */
	size_t evidence_count;

	/* What people and the agent did about it. */
	char *acknowledged_by; /* NULL: nobody has seen it */
	char *acknowledged_note;
	uint64_t acknowledged_ns;
	bool muted;       /* when it was raised */
	bool kept_back;   /* there was news while it was muted, which nobody was told since */
	json_t *response; /* {"quarantine": "…", "capture": "…"} or NULL */
	uint64_t told_ns; /* the last time that it was news, see alerts.h */
	bool open;        /* a further report belongs to it */

	struct incident *incident; /* NULL: alone, for lack of memory */
	struct alert *incident_prev, *incident_next;
	struct alert *prev, *next; /* from the one that was quiet for longest to the latest */
	UT_hash_handle by_id;
	UT_hash_handle by_matter; /* of those that are open */
	size_t matter_length;
	char matter[]; /* detector, actor and key */
};

/* "low", …; -EINVAL. */
const char *severity_name(enum severity severity);
int severity_parse(const char *text, enum severity *ret);

#define PARTY_ID_MAX 520
/* The id of one end. Returns text. */
const char *party_id(
	const struct name *name, const struct address *address, char text[static PARTY_ID_MAX]);
/* {"id", "ip", …names}; JSON null for nobody. New reference; NULL: out of memory. */
json_t *party_to_json(const struct party *party);

/* What makes a finding the same as an earlier one. Returns its length; ret is not terminated. */
#define MATTER_MAX (64 + PARTY_ID_MAX + FINDING_KEY_MAX)
size_t alert_matter(const struct finding *finding, char ret[static MATTER_MAX]);

/* In no table yet. -ENOMEM. */
int alert_new(const struct finding *finding, struct alert **ret);
void alert_free(struct alert *alert);
/* Takes what a later report says, unless it is less severe: whom, how, and why. true: it is more
 * severe than before. */
bool alert_update(struct alert *alert, const struct finding *finding);

/* As in control/API.md, without its incident. New reference; NULL: out of memory. */
json_t *alert_to_json(const struct alert *alert);
/* -EBADMSG, -ENOMEM. */
int alert_from_json(const json_t *json, struct alert **ret);

static inline void alert_freep(struct alert **alert)
{
	alert_free(*alert);
}
