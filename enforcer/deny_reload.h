/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the deny lists anew while the agent runs, for whoever asks: SIGHUP, the API. The files
 * are read aside of the event loop. Who asks while they are being read gets another reading: the
 * files may have changed behind the first.
 */
#pragma once

#include "agent.h"

/* What became of it; error: of r < 0, when the former lists stay in force. */
typedef void (*deny_reload_fn)(
	struct agent *agent, int r, const struct error *error, void *userdata);

struct deny_reload {
	deny_reload_fn done;
	void *userdata;
	struct deny_reload *next;
};

/* done is called once, from the event loop; not on failure, and not once the agent is freed. */
int deny_reload(struct agent *agent, deny_reload_fn done, void *userdata, struct error *error);
void deny_reloads_clear(struct agent *agent);
