/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where alerts are told: the alert log beside the flow log, the agent's own log, a webhook, syslog.
 */
#pragma once

#include "base/error.h"
#include "detect/alerts.h"
#include "detect/settings.h"
#include "options.h"

#include <jansson.h>
#include <systemd/sd-event.h>

struct alert_outputs;

/* options and settings outlive it. */
int alert_outputs_new(const struct options *options, const struct detect_settings *settings,
	sd_event *event, struct alert_outputs **ret, struct error *error);
void alert_outputs_free(struct alert_outputs *outputs);

/* line: the alert as a JSON line with its newline, "news" among its members. */
void alert_outputs_tell(struct alert_outputs *outputs, const struct alert *alert,
	enum alert_news news, const char *line);
/* {"log", "webhook": null|{…}, "syslog": null|{…}}. New reference. */
json_t *alert_outputs_describe(const struct alert_outputs *outputs);

static inline void alert_outputs_freep(struct alert_outputs **outputs)
{
	alert_outputs_free(*outputs);
}
