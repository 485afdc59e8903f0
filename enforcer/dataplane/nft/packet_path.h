/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a packet through the table, as far as no policy changes it.
 *
 *	forward, input, output: established goes on, but for a SYN or INIT in answer to one; that,
 *	       and what is from or to a workload -> judge
 *	judge: invalid -> refuse-invalid, TCP that goes on -> invalid-mid-stream; TCP in
 *	       mid-stream -> mid-stream, SCTP likewise -> refuse-no-connection, unless they are
 *	       kept from conntrack; to itself: accept;
 *	       egress4/6 by source -> chain of its peer table; ingress4/6 by destination, likewise
 *	mid-stream, invalid-mid-stream: to or from an address under adoption -> adopt, else
 *	       refuse-no-connection, refuse-invalid
 */
#pragma once

#include "dataplane/nft/batch.h"

#include <stdint.h>

/* The sets, maps and refusal chains that it speaks of must be there. 0 or -ENOMEM. */
int packet_path_write(struct batch *batch, uint16_t nflog_group);

/* Parts that the node's own table (host_path.h) has, too. In a chain that is there: established
 * connections and related errors go on, but for a SYN or INIT that answers one, which is judged;
 * invalid and mid-stream packets leave. */
int packet_path_write_known(struct batch *batch, const char *chain, const char *judge);
int packet_path_write_state(struct batch *batch, const char *chain);
/* Chains adopt, mid-stream and invalid-mid-stream. */
int packet_path_write_mid_stream(struct batch *batch, uint16_t nflog_group);
