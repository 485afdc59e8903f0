/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refused packets of the same kind as one event a second, as the data planes report them. */
#pragma once

#include "capture/judge.h"
#include "capture/packet.h"
#include "flow/event.h"

struct capture_refusals;

int capture_refusals_new(void (*event)(const struct flow_event *event, void *userdata),
	void *userdata, struct capture_refusals **ret);
void capture_refusals_free(struct capture_refusals *refusals);
/* 0 or -ENOMEM. Bounded: where there is no more room, all are reported. */
int capture_refusals_add(struct capture_refusals *refusals, const struct capture_packet *packet,
	const struct judgement *judgement);
/* Reports all. */
void capture_refusals_flush(struct capture_refusals *refusals);
