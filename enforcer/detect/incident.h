/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alerts that tell one story: of one actor, and of whoever he got into, for as long as no
 * campaign's length passes in silence. After Hopper (Ho et al., USENIX Security 2021), who follows
 * the causal path of logins: an alert about a workload that was reached belongs to the incident of
 * who reached it, as does one of which the detector knows who came in before (finding.origin).
 */
#pragma once

#include "detect/alert.h"

#define INCIDENT_ID_LENGTH   (ALERT_ID_LENGTH + 1)
#define INCIDENT_PARTIES_MAX 64

struct parties {
	char *ids[INCIDENT_PARTIES_MAX];
	size_t count;
};

struct incident {
	char id[INCIDENT_ID_LENGTH + 1]; /* 'i' and the id of the alert that it began with */
	uint64_t first_ns;
	uint64_t last_ns;
	struct parties actors;
	struct parties reached;       /* who may be an actor by now */
	struct alert *alerts;         /* in the order in which they were raised */
	struct incident *prev, *next; /* from the one that is quiet for longest to the latest */
};

struct incidents {
	struct incident *by_age;
	size_t count;
	size_t max;
	uint64_t campaign_ns;         /* silence that ends a story */
	uint64_t turned_away;         /* alerts that have none, for lack of memory */
	uint64_t parties_turned_away; /* reports of a party that its story has no room for */
};

/* Puts the alert into the story that it belongs to, or that it begins; stories that it shows to be
 * one are joined. To be called for each report: a later one may know the origin. */
void incidents_take(struct incidents *incidents, struct alert *alert, const char *origin_id);
/* The alert goes: takes it out, and the incident with its last one. */
void incidents_drop(struct incidents *incidents, struct alert *alert);
/* Into the incident that it had before a restart; in the order in which they were reported last.
 * Nothing where there is no memory. */
void incidents_restore(struct incidents *incidents, struct alert *alert, const char *id);
/* NULL: there is none. */
struct incident *incidents_find(const struct incidents *incidents, const char *id);

/* The highest of its alerts'; critical where three detectors agree that it is hostile. */
enum severity incident_severity(const struct incident *incident);
bool incident_is_open(
	const struct incidents *incidents, const struct incident *incident, uint64_t now_ns);
/* As in control/API.md: "alerts" are those of its time line. New reference. */
json_t *incident_to_json(
	const struct incidents *incidents, const struct incident *incident, uint64_t now_ns);
