/* SPDX-License-Identifier: GPL-2.0-or-later */
/* First fragments that passed: the others follow them. */
#pragma once

#include "capture/packet.h"

#include <stdbool.h>

struct fragments;

int fragments_new(struct fragments **ret);
void fragments_free(struct fragments *fragments);

/* packet is a first fragment. Bounded: the oldest is forgotten. */
void fragments_note(
	struct fragments *fragments, const struct capture_packet *packet, bool has_passed);
/* packet is a later one: whether its first one has passed lately. */
bool fragments_follow(const struct fragments *fragments, const struct capture_packet *packet);
