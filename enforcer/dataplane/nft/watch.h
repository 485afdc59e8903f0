/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notices whoever else changes our tables. The kernel announces each transaction to
 * NFNLGRP_NFTABLES with what it changed, and closes it with the new generation of the ruleset and
 * who made it.
 *
 * Where announcements are lost (-ENOBUFS: a large change, our own included), the generation tells
 * whether anybody else has been there: it grows by one with each transaction, and our own are
 * counted (batch_commits()).
 *
 * It listens during our own small changes, too. During a large one nobody listens: the kernel makes
 * a message of each element where somebody does, which is a third of the time that loading 100,000
 * elements takes. Then, too, the generation tells whether anybody else was there meanwhile.
 */
#pragma once

#include "base/error.h"
#include "dataplane/nft/table.h"

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#define WATCH_WHO_MAX  64
#define WATCH_SOMEBODY "somebody"

/* What is watched. */
struct watch_scope {
	const char *table; /* of family inet; borrowed for good */
	bool netdev;       /* table netdev segd, too */
};

struct intrusion {
	const char *table; /* of the scope */
	bool inet;         /* it was that one */
	enum table_damage damage;
	bool netdev;             /* table netdev segd */
	bool overrun;            /* perhaps: announcements were lost, and not only of our own */
	char who[WATCH_WHO_MAX]; /* "nft (pid 4711)", "somebody" */
};

struct watch;

typedef void (*watch_fn)(const struct intrusion *intrusion, void *userdata);

int watch_open(sd_event *event, const struct watch_scope *scope, watch_fn callback, void *userdata,
	struct watch **ret, struct error *error);
void watch_free(struct watch *watch);

/* Around a large change of our own, by batch_send(): all watches of this process stop listening,
 * and listen again. Whoever else was there meanwhile is told of from the event loop. */
void watch_pause(void);
void watch_resume(void);

/* Times that announcements were lost. */
uint64_t watch_overruns(const struct watch *watch);

static inline void watch_freep(struct watch **watch)
{
	watch_free(*watch);
}
