/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What detection knows across restarts, in the state directory: alerts.json (alerts and mutes),
 * baseline.jsonl, detectors.json. Each is written whole beside the former and takes its place.
 */
#pragma once

#include "base/error.h"
#include "detect/engine.h"

int detection_state_save_alerts(
	const char *directory, const struct alerts *alerts, struct error *error);
/* The baseline and what detectors remember: more, and less urgent. */
int detection_state_save_learnt(const char *directory, struct engine *engine, struct error *error);

/* Loads what is there. A file that is damaged is renamed to NAME.damaged, so that the next one does
 * not overwrite what a person may want to look at, and told by damaged; what could be read of it is
 * loaded. */
void detection_state_load(const char *directory, struct engine *engine,
	void (*damaged)(const char *message, void *userdata), void *userdata);
