/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words that records use for the enumerations of events. */
#pragma once

#include "flow/event.h"

const char *flow_event_type_name(enum flow_event_type type);
const char *flow_verdict_name(enum flow_verdict verdict);
const char *reason_name(enum reason reason);
const char *reason_sentence(enum reason reason);
/* -EINVAL: no such name. */
int flow_event_type_parse(const char *text, enum flow_event_type *ret);
int flow_verdict_parse(const char *text, enum flow_verdict *ret);
int reason_parse(const char *text, enum reason *ret);
