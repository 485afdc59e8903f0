/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First contacts: of all records those that tell whether somebody reached a service that he had not
 * tried before. Each is told once, when it failed or when it has been silent for long enough to
 * have been answered (contact.h); one that fails later is taken back.
 */
#pragma once

#include "detect/contact.h"
#include "detect/ledger.h"
#include "detect/seen.h"

#define ATTEMPTS_PENDING 16384

struct attempt {
	uint64_t source; /* party.h */
	uint64_t target;
	uint64_t service;
	uint64_t time_ns;
	bool was_answered; /* a failure takes back an answer that was told */
	bool is_known;     /* the service has answered somebody before */
	bool was_refused;  /* by policy */
};

struct attempts {
	struct seen tried;                /* source, target, service */
	struct seen services;             /* target, service: that have answered */
	struct ledger pending;            /* by id of the flow */
	uint64_t queue[ATTEMPTS_PENDING]; /* ids in the order in which they opened: a ring */
	size_t queue_head;
	size_t queue_count;
	void (*answered)(const struct attempt *attempt, void *userdata);
	/* record: whose ends are those of the attempt. */
	void (*failed)(const struct attempt *attempt, const struct record *record, void *userdata);
	void *userdata;
};

/* Callbacks are set by the caller before. -ENOMEM */
int attempts_open(struct attempts *attempts, size_t remembered_max);
void attempts_record(struct attempts *attempts, const struct record *record);
void attempts_close(struct attempts *attempts);
