/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's side of detection: feeds the engine with what goes into the flow log, tells outputs
 * and followers what it finds, and keeps across restarts what must not be learnt anew.
 */
#pragma once

#include "agent.h"
#include "detect/alert_filter.h"
#include "detect/engine.h"

struct detection;

/* After the flow pipeline. Settings with mistakes are -EINVAL, the agent must not start; a damaged
 * state is set aside, journaled, and left. */
int detection_open(struct agent *agent, struct error *error);
/* Saves the state. Before the flow pipeline is freed. */
void detection_free(struct detection *detection);

struct engine *detection_engine(const struct agent *agent);
/* Something that a person did changed what is to be saved. */
void detection_changed(struct agent *agent);
/* As engine_describe(), with outputs. New reference. */
json_t *detection_describe(const struct agent *agent);

/* Calls line with each alert that matches when there is news of it, as one JSON line with its
 * newline ("news" says which), until it is freed. Takes filter when it succeeds. */
struct alert_follower;
int detection_follow(struct agent *agent, struct alert_filter *filter,
	void (*line)(const char *line, size_t length, void *userdata), void *userdata,
	struct alert_follower **ret);
void alert_follower_free(struct alert_follower *follower);
