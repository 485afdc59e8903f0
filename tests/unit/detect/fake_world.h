/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An engine over the detectors of fake.h, and what it told. */
#pragma once

#include "detect/engine.h"
#include "fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct told {
	size_t count;
	enum alert_news last;
};

struct world {
	struct detect_settings settings;
	struct engine *engine;
	struct told told;
};

static inline void on_told(const struct alert *alert, enum alert_news news, void *userdata)
{
	struct told *told = userdata;

	assert_non_null(alert->sentence);
	told->count++;
	told->last = news;
}

static inline void begin(struct world *world)
{
	struct engine_options options = {
		.settings = &world->settings, .told = on_told, .userdata = &world->told};

	memset(world, 0, sizeof(*world));
	assert_int_equal(detect_settings_init(&world->settings), 0);
	assert_int_equal(engine_new(&options, &world->engine, NULL), 0);
}

static inline void end(struct world *world)
{
	engine_free(world->engine);
	detect_settings_clear(&world->settings);
}

static inline void feed(struct world *world, double second, const char *from, const char *to,
	uint16_t port, enum flow_event_type type)
{
	struct record record = fake_record(second, from, to, port, type);

	engine_record(world->engine, &record);
	record_clear(&record);
}

static inline struct alert *only(struct world *world)
{
	assert_int_equal(engine_alerts(world->engine)->count, 1);
	return engine_alerts(world->engine)->by_age;
}
