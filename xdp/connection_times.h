/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long connections stand, and when they are told of. The programs, who reads their table, and
 * who reads captured packets as they would have, agree on these.
 */
#pragma once

#define CONNECTION_SECOND_NS 1000000000ULL

/* Without a packet, until it may be forgotten. */
#define CONNECTION_TCP_ESTABLISHED_NS (5ULL * 24 * 3600 * CONNECTION_SECOND_NS)
#define CONNECTION_TCP_OPENING_NS     (60 * CONNECTION_SECOND_NS)
#define CONNECTION_TCP_REFUSED_NS     (1 * CONNECTION_SECOND_NS)    /* an opening that was reset */
#define CONNECTION_TCP_HALF_CLOSED_NS (3600 * CONNECTION_SECOND_NS) /* one side has finished */
#define CONNECTION_TCP_CLOSING_NS     (10 * CONNECTION_SECOND_NS)
#define CONNECTION_UDP_NS             (120 * CONNECTION_SECOND_NS)
#define CONNECTION_OTHER_NS           (60 * CONNECTION_SECOND_NS)

/* From its beginning on, until it is told of again where nobody has answered: whoever looks for
 * scans wants to know that soon. */
#define CONNECTION_UNANSWERED_NS (2 * CONNECTION_SECOND_NS)
/* Between two reports of one that goes on. */
#define CONNECTION_UPDATE_NS (30 * CONNECTION_SECOND_NS)

/* After enforcement begins, for so long TCP in mid-stream may be of an older connection; by
 * default. */
#define CONNECTION_ADOPTION_NS (60 * CONNECTION_SECOND_NS)
