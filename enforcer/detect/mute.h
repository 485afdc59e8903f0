/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody does not want to be told for a while. A mute narrows by detector, actor and key;
 * what it leaves open matches all. Muted alerts are kept and counted like others, but no output
 * tells them.
 */
#pragma once

#include "base/error.h"
#include "detect/alert.h"

#define MUTES_MAX       256
#define MUTE_REASON_MAX 256
#define MUTE_ID_LENGTH  8

struct mute {
	char id[MUTE_ID_LENGTH + 1];
	char *detector; /* NULL: any, as for … */
	char *actor;    /* as in party.id */
	char *key;
	char *reason;
	char *user;
	uint64_t since_ns; /* CLOCK_REALTIME */
	uint64_t until_ns;
};

struct mutes {
	struct mute items[MUTES_MAX];
	size_t count;
};

/* Takes mute, whose id is set here, where it returns 0. -ENOSPC: there are MUTES_MAX that have not
 * ended; -EINVAL: it would match everything. */
int mutes_add(struct mutes *mutes, struct mute *mute, struct error *error);
/* -ENOENT. */
int mutes_remove(struct mutes *mutes, const char *id);
/* At that time. */
bool mutes_match(const struct mutes *mutes, const struct alert *alert, uint64_t time_ns);
void mutes_drop_ended(struct mutes *mutes, uint64_t now_ns);
void mutes_clear(struct mutes *mutes);

void mute_clear(struct mute *mute);
/* A member of a mute: NULL for NULL. -ENOMEM. */
int mute_copy(const char *text, char **ret);
/* {"id", "detector", "actor", "key", "reason", "user", "since", "until"}. New reference. */
json_t *mute_to_json(const struct mute *mute);
/* -EBADMSG, -ENOMEM. */
int mute_from_json(const json_t *json, struct mute *ret);

#define _cleanup_mute_ __attribute__((cleanup(mute_clear)))
