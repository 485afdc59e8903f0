/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Posts JSON to a URL, one message after the other, without holding anything up: what cannot be
 * delivered waits in a bounded outbox and is tried again, after a second at first and then after
 * twice as long each time, up to five minutes. A message that the other side refuses as wrong (4xx,
 * but for 408 and 429) is given up.
 */
#pragma once

#include "base/error.h"

#include <jansson.h>
#include <systemd/sd-event.h>

struct webhook;

/* url: http or https; redirections are not followed, and no proxy is used. */
int webhook_new(const char *url, sd_event *event, struct webhook **ret, struct error *error);
/* What waits is lost. */
void webhook_free(struct webhook *webhook);
/* Takes body; NULL counts as dropped. */
void webhook_post(struct webhook *webhook, char *body);
/* {"waiting", "sent", "failures", "refused", "dropped", "error": null|"…"}. New reference. */
json_t *webhook_describe(const struct webhook *webhook);
