/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers that a data plane gives in the name of another (onDeny: reject). No tap of the other has
 * seen them, so they are told by the refused packets that they answer: the last ones.
 */
#pragma once

#include "capture/packet.h"

#include <stdbool.h>
#include <stddef.h>

#define ANSWERS_MAX 64

struct answers {
	struct packet_ends refused[ANSWERS_MAX];
	size_t count; /* of all that were, so the newest is at (count - 1) % ANSWERS_MAX */
};

void answers_note(struct answers *answers, const struct capture_packet *refused);
/* A reset or an ICMP error about one of them. */
bool answers_have(const struct answers *answers, const struct capture_packet *packet);
