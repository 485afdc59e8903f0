/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was reported so far, kept in pinned maps of the agent's own: totals stay exact when an agent
 * follows another, however that one ended.
 */
#pragma once

#include "base/error.h"
#include "dataplane/bpf/objects.h"
#include "dataplane/bpf/pins.h"
#include "xdp/abi.h"

#include <stdint.h>

struct reported_count {
	uint64_t packets;
	uint64_t bytes;
};

struct reported {
	int denials; /* hash: struct abi_denial_key -> struct reported_count */
	int losses;  /* array by enum abi_loss -> uint64_t */
};

#define REPORTED_INIT                        \
	{                                    \
		.denials = -1, .losses = -1, \
	}

/* Beside the maps of objects. */
int reported_open(struct reported *reported, const struct objects *objects, const struct pins *pins,
	struct error *error);
void reported_close(struct reported *reported);

/* A full map is no failure: the next agent will then report some of this again. */
void reported_store(const struct reported *reported, const struct abi_denial_key *key,
	const struct reported_count *count);
void reported_forget(const struct reported *reported, const struct abi_denial_key *key);
/* 0 where nothing is stored. */
uint64_t reported_loss(const struct reported *reported, uint32_t loss);
void reported_store_loss(const struct reported *reported, uint32_t loss, uint64_t lost);
