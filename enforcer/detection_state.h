/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What detection knows across restarts, in the state directory: alerts.json (alerts and mutes),
 * baseline.jsonl, detectors.json. Each is written whole beside the former and takes its place.
 */
#pragma once

#include "base/error.h"
#include "detect/engine.h"

enum detection_file {
	DETECTION_ALERTS,
	DETECTION_BASELINE,
	DETECTION_DETECTORS,
	DETECTION_FILES
};

struct detection_state {
	const char *directory; /* borrowed */
	/* What could be neither read nor set aside: it stays, and nothing is saved in its place. */
	bool stays[DETECTION_FILES];
};

int detection_state_save_alerts(
	const struct detection_state *state, const struct alerts *alerts, struct error *error);
/* The baseline and what detectors remember: more, and less urgent. */
int detection_state_save_learnt(
	const struct detection_state *state, struct engine *engine, struct error *error);

/* Loads what is there. A file that is damaged is renamed to NAME.damaged, so that the next one does
 * not overwrite what a person may want to look at; what could be read of it is loaded. That, and
 * that a file cannot be read, is told by damaged. */
void detection_state_load(struct detection_state *state, struct engine *engine,
	void (*damaged)(const char *message, void *userdata), void *userdata);
