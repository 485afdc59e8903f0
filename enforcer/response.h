/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent does by itself when an alert rises: records the actor's packets for a while, and
 * isolates it, where settings ask for it and --automatic-quarantines leaves room. The alert says
 * what came of it.
 *
 * It happens behind the record that the alert is about, but before anything else: data planes are
 * not changed from within their own reports.
 */
#pragma once

#include "agent.h"
#include "detect/alerts.h"
#include "detect/settings.h"

struct response;

/* settings and alerts outlive it. */
int response_new(struct agent *agent, const struct detect_settings *settings, struct alerts *alerts,
	struct response **ret, struct error *error);
void response_free(struct response *response);

/* An alert is raised, or worse than before. */
void response_consider(struct response *response, const struct alert *alert);
/* {"isolated", "failed", "turned_away", "captures", "captures_failed"}. New reference. */
json_t *response_describe(const struct response *response);

static inline void response_freep(struct response **response)
{
	response_free(*response);
}
