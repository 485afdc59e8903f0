/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What became of an attempt to reach somebody, as far as one record tells.
 *
 * Data planes report a failed opening soon: a refused one within a tenth of a second, a reset one
 * as ended and an unanswered one as not answered (an update without a packet from the responder)
 * within 2 to 4 seconds. Of one that goes well nothing is told until its first regular update, so
 * what is silent for CONTACT_SETTLE_NS after it opened has been answered.
 */
#pragma once

#include "flow/record.h"

#define CONTACT_SETTLE_NS 5000000000ULL

enum contact {
	CONTACT_NONE,     /* says nothing of the kind */
	CONTACT_OPENED,   /* what becomes of it is not known yet */
	CONTACT_REFUSED,  /* by policy */
	CONTACT_FAILED,   /* reset, unreachable or not answered */
	CONTACT_ANSWERED, /* the responder has sent more than a reset */
};

enum contact contact_of(const struct record *record);
