/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow_health.h"

#include "agent.h"
#include "base/cleanup.h"
#include "journal.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_USEC     1000000
#define LOOK_ACCURACY 500000

/* One that is written. */
struct part {
	const char *name;
	const char *meanwhile;
	char *failure; /* as it was told; NULL: none */
	uint64_t lost; /* when it began */
};

struct flow_health {
	struct agent *agent;
	sd_event_source *timer;
	struct part log;
	struct part store;
	bool set_aside; /* it was told */
};

static void fails(struct agent *agent, struct part *part, const char *why, uint64_t lost)
{
	if (!part->failure)
		part->lost = lost;
	free(part->failure);
	if (asprintf(&part->failure, "%s: %s", part->name, why) < 0) {
		part->failure = NULL;
		return;
	}
	troubles_add(&agent->troubles, part->failure, false);
	journal(JOURNAL_ERROR, "%s; %s", part->failure, part->meanwhile);
}

static void works_again(struct agent *agent, struct part *part, uint64_t lost)
{
	troubles_add(&agent->troubles, part->failure, true);
	journal(JOURNAL_WARNING, "%s is written again; %llu records are missing from it",
		part->name, (unsigned long long)(lost - part->lost));
	free(TAKE_PTR(part->failure));
}

/* why: NULL where it is well. The same failure again is no news. */
static void look_at(struct agent *agent, struct part *part, const char *why, uint64_t lost)
{
	if (!why && part->failure)
		works_again(agent, part, lost);
	else if (why && (!part->failure || !strstr(part->failure, why)))
		fails(agent, part, why, lost);
}

static void tell_damage(struct flow_health *health, const char *path)
{
	_cleanup_free_ char *message = NULL;

	if (!path || health->set_aside)
		return;
	health->set_aside = true;
	if (asprintf(&message,
		    "the flow store was damaged: it is set aside as %s, and a new one begins",
		    path) < 0) {
		message = NULL;
		return;
	}
	troubles_add(&health->agent->troubles, message, true);
	journal(JOURNAL_ERROR, "%s", message);
}

static void look(struct flow_health *health)
{
	struct flow_storage storage = flow_storage(health->agent->flows);

	look_at(health->agent, &health->log, storage.log_error, storage.log_lost);
	look_at(health->agent, &health->store, storage.store_error, storage.store_turned_away);
	tell_damage(health, storage.set_aside);
	flow_storage_clear(&storage);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)usec;
	look(userdata);
	sd_event_source_set_time_relative(source, LOOK_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int flow_health_open(struct agent *agent, struct flow_health **ret, struct error *error)
{
	struct flow_health *health = calloc(1, sizeof(*health));
	int r;

	if (!health)
		return error_nomem(error);
	health->agent = agent;
	health->log = (struct part){"the flow log",
		"records wait in memory, and those beyond its room are counted", NULL, 0};
	health->store =
		(struct part){"the flow store", "what it would say waits in memory", NULL, 0};
	r = sd_event_add_time_relative(agent->event, &health->timer, CLOCK_MONOTONIC, LOOK_USEC,
		LOOK_ACCURACY, on_timer, health);
	if (r < 0) {
		flow_health_free(health);
		return error_errno(error, r, "watch flow log and store");
	}
	*ret = health;
	return 0;
}

void flow_health_free(struct flow_health *health)
{
	if (!health)
		return;
	look(health); /* what comes at the end */
	sd_event_source_disable_unref(health->timer);
	free(health->log.failure);
	free(health->store.failure);
	free(health);
}
