/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records on their way to the detection engine. One by one, the code that writes a record down and
 * that of the detectors, which is as large, would put each other out of the processor's cache for
 * each record; so some wait for each other.
 */
#pragma once

#include "base/error.h"
#include "detect/engine.h"

#include <systemd/sd-event.h>

struct backlog;

/* engine is borrowed. */
int backlog_new(sd_event *event, struct engine *engine, struct backlog **ret, struct error *error);
/* What still waits is handed over. */
void backlog_free(struct backlog *backlog);

/* record is copied. Handed over before the event loop turns to anything else, at the latest. */
void backlog_add(struct backlog *backlog, const struct record *record);
/* Hands over all that waits: before the engine is asked. Not from within a finding, whose effects
 * come by the event loop. */
void backlog_settle(struct backlog *backlog);
