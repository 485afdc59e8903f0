/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Feeds flow records to the detectors and makes alerts and incidents of what they find. It has no
 * clock: time is that of the records, so an offline run over the flow log of a live one gives the
 * same alerts.
 */
#pragma once

#include "base/error.h"
#include "detect/alerts.h"
#include "detect/baseline.h"
#include "detect/settings.h"

#include <jansson.h>

struct engine;

struct engine_options {
	const struct detect_settings *settings; /* borrowed, until the engine is freed */
	/* As in alerts.h; may be NULL. The record that it is about is being dealt with: what
	 * would change the data planes must wait. */
	void (*told)(const struct alert *alert, enum alert_news news, void *userdata);
	void *userdata;
};

int engine_new(const struct engine_options *options, struct engine **ret, struct error *error);
void engine_free(struct engine *engine);

/* One that goes into the flow log, in its order. Gaps are passed over. */
void engine_record(struct engine *engine, const struct record *record);
/* The same, as JSON. -EINVAL: it is no record. */
int engine_json(struct engine *engine, const json_t *json);

struct alerts *engine_alerts(struct engine *engine);
struct baseline *engine_baseline(struct engine *engine);

/* {"records", "alerts", "incidents", …, "detectors": [{"name", "summary", "method", "enabled",
 * "parameters", "state"}…], "baseline"}. New reference. */
json_t *engine_describe(const struct engine *engine);

/* What the detectors must know after a restart, as {"name": …}. New reference. */
json_t *engine_save(const struct engine *engine);
/* One that does not understand its state begins empty; its name is in error. -EBADMSG. */
int engine_load(struct engine *engine, const json_t *state, struct error *error);

static inline void engine_freep(struct engine **engine)
{
	engine_free(*engine);
}
