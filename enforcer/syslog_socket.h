/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages to a local syslog daemon (RFC 5424 in datagrams of a Unix socket), without waiting for
 * it: what it does not take waits in a bounded outbox and is tried again each second.
 */
#pragma once

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

struct syslog_socket;

/* path: "/dev/log". That nobody listens there is no failure: see syslog_socket_describe(). */
int syslog_socket_new(
	const char *path, sd_event *event, struct syslog_socket **ret, struct error *error);
void syslog_socket_free(struct syslog_socket *syslog);
/* Takes message; NULL counts as dropped. */
void syslog_socket_send(struct syslog_socket *syslog, char *message);
/* {"waiting", "sent", "failures", "dropped", "error": null|"…"}. New reference. */
json_t *syslog_socket_describe(const struct syslog_socket *syslog);

struct syslog_parameter {
	const char *name;
	const char *value;
};

/* A message with one structured element, "segd". priority: facility * 8 + severity; parameters end
 * with one without a name. New string; NULL: out of memory. */
char *syslog_format(unsigned int priority, uint64_t time_ns, const char *host,
	const char *message_id, const struct syslog_parameter *parameters, const char *text);
