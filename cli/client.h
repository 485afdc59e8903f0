/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's API (enforcer/control/API.md) over its Unix socket.
 *
 * Errors: -ENOTCONN the agent cannot be reached or says not a word, -EREMOTEIO it refused and said
 * why, -EPROTO its answer is not what the API promises.
 */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct client;

/* Connects with the first request. socket_path is borrowed. */
struct client *client_new(const char *socket_path);
void client_free(struct client *client);

DEFINE_CLEANUP(struct client *, client_free)
#define _cleanup_client_ _cleanup_(client_freep)
#define _cleanup_json_   _cleanup_(json_decrefp)

/* How long an answer may take; a minute unless said. Streams may take for ever. */
void client_set_patience(struct client *client, long milliseconds);

struct client_reply {
	long status;  /* of HTTP */
	json_t *body; /* an object */
};

/* Any HTTP status is a success here. body: NULL for none. */
int client_call(struct client *client, const char *method, const char *url, const char *body,
	struct client_reply *ret, struct error *error);
/* -EREMOTEIO with the agent's message if the status says that it refused, else 0. */
int client_reply_check(const struct client_reply *reply, struct error *error);

/* GET; a refusal is an error. */
int client_get(struct client *client, const char *url, json_t **ret, struct error *error);

/* POST that is answered by a stream of bytes: calls bytes for each piece until it returns false. 0:
 * that, or the stream ended in good order; a refusal is an error. What bytes has to say about its
 * own failure goes into another error than this one. */
int client_stream(struct client *client, const char *url, const char *body,
	bool (*bytes)(const char *bytes, size_t length, void *userdata), void *userdata,
	struct error *error);
/* Ends what client_stream() waits for. To be called from a signal handler, too. */
void client_interrupt(struct client *client);

/* GET of a stream: calls line for each JSON line (without its newline). Returns only with an error:
 * the stream ended, which an agent does when it stops. */
int client_follow(struct client *client, const char *url,
	void (*line)(const char *line, size_t length, void *userdata), void *userdata,
	struct error *error);
