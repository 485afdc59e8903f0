/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All alerts that are remembered, with the stories that they tell. A finding whose detector, actor
 * and key are those of an open alert belongs to it; after a time without one the alert is closed
 * and the next finding is another alert.
 *
 * Bounded: one more alert than there is room for takes the place of a closed one, the least severe
 * first, then the oldest.
 */
#pragma once

#include "detect/incident.h"
#include "detect/mute.h"

enum alert_news {
	ALERT_RAISED,  /* it is new, or there was news while it was muted */
	ALERT_WORSE,   /* its severity rose */
	ALERT_GOES_ON, /* a minute passed since it was told last, and there is more */
};

struct alerts_options {
	size_t alerts_max;
	size_t incidents_max;
	uint64_t quiet_ns;
	uint64_t campaign_ns;
	/* Not for muted ones. May be NULL. */
	void (*told)(const struct alert *alert, enum alert_news news, void *userdata);
	void *userdata;
};

struct alerts {
	struct alerts_options options;
	struct alert *by_age; /* from the one that was quiet for longest to the latest */
	struct alert *by_id;
	struct alert *by_matter;
	size_t count;
	uint64_t now_ns; /* of the latest record */
	uint64_t swept_ns;
	struct incidents incidents;
	struct mutes mutes;
	uint64_t muted; /* news that nobody was told */
	uint64_t evicted;
	uint64_t turned_away; /* findings for which there was no memory */
	uint64_t changes;     /* of what is to be saved */
};

void alerts_init(struct alerts *alerts, const struct alerts_options *options);
void alerts_clear(struct alerts *alerts);

/* The alert that the finding belongs to, made if need be. NULL: out of memory, counted. */
struct alert *alerts_report(struct alerts *alerts, const struct finding *finding);
/* Time goes on: closes what was quiet for long enough. Never backwards. */
void alerts_pass(struct alerts *alerts, uint64_t now_ns);

struct alert *alerts_find(const struct alerts *alerts, const char *id);
/* Somebody who is told of with medium severity or above, in an open alert that nobody has
 * acknowledged. */
bool alerts_suspect(const struct alerts *alerts, const char *actor_id);
/* Mutes were added, removed, or ended: which alerts are muted at that time. */
void alerts_mute(struct alerts *alerts, uint64_t now_ns);
/* -ENOMEM. note may be NULL. */
int alert_acknowledge(struct alerts *alerts, struct alert *alert, const char *user,
	const char *note, uint64_t now_ns);

/* With its incident's id and time line left out: {…alert, "incident": id|null}. New reference. */
json_t *alerts_one_to_json(const struct alert *alert);
/* {"alerts": […], "mutes": […]} for the state directory, oldest first. New reference. */
json_t *alerts_save(const struct alerts *alerts);
/* -EBADMSG: what could be read is there, the rest is not. */
int alerts_load(struct alerts *alerts, const json_t *state);
