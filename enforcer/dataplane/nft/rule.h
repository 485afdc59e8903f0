/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes one nftables rule as a sentence:
 *
 *	rule_begin(&rule, "judge");
 *	rule_family(&rule, true);
 *	rule_key_address(&rule, true, RULE_SOURCE);
 *	rule_lookup_verdict(&rule, "egress4");
 *	return rule_write(&rule, batch, NULL);
 *
 * Expressions are chosen and ordered as nft itself would, so that it lists them as people write
 * them. Fields of a key go side by side into registers until a lookup takes them.
 */
#pragma once

#include "dataplane/nft/batch.h"

#include <libnftnl/rule.h>
#include <stdbool.h>
#include <stdint.h>

struct rule {
	struct nftnl_rule *nftnl;
	char chain[256];
	unsigned int word; /* where the next field of the key goes, in 32-bit words */
	bool failed;       /* out of memory; rule_write() says so */
};

enum rule_side {
	RULE_SOURCE,
	RULE_DESTINATION
};

void rule_begin(struct rule *rule, const char *chain);

/* Matches. */
void rule_family(struct rule *rule, bool ipv4);
void rule_ethernet(struct rule *rule); /* so that nft lists Ethernet fields by name */
void rule_ethertype(struct rule *rule, uint16_t type); /* as the kernel took it, behind tags */
void rule_protocol(struct rule *rule, uint8_t protocol);
void rule_protocol_in(struct rule *rule, const char *set);
/* Its transport header is elsewhere, and what nft would read for it is payload: the kernel's short
 * way to load small fields does not look. */
void rule_later_fragment(struct rule *rule, bool ipv4);
void rule_ct_state(struct rule *rule, uint32_t states); /* NF_CT_STATE_*: any of them */
void rule_tcp_pure_syn(struct rule *rule, bool is);     /* or all but these */
void rule_tcp_goes_on(struct rule *rule);               /* neither opens nor resets */
void rule_tcp_reset(struct rule *rule);
void rule_sctp_chunk(struct rule *rule, uint8_t type, bool present); /* other protocols have none */
void rule_limit_under(struct rule *rule, uint64_t packets_per_second);
void rule_longer(struct rule *rule, uint32_t bytes); /* from the IP header on */
/* Of the packet's connection, both ways together; they are counted where nf_conntrack_acct is on.
 */
void rule_ct_packets_under(struct rule *rule, uint64_t packets);
void rule_ct_reply(struct rule *rule); /* sent by who answers */

/* Of the key so far; operation: NFT_CMP_*. */
void rule_compare(struct rule *rule, uint32_t operation, const void *bytes, uint32_t size);

/* Of a key of one field: (key & and) ^ xor. */
void rule_bitwise(struct rule *rule, const void *and, const void * xor, uint32_t size);

/* Fields of a key. */
void rule_key_payload(struct rule *rule, uint32_t base, uint32_t offset, uint32_t length);
void rule_key_interface(struct rule *rule); /* where the packet came in */
void rule_key_interface_out(struct rule *rule);
void rule_key_outgoing(struct rule *rule); /* where it goes out */
void rule_key_family(struct rule *rule);
void rule_key_mark(struct rule *rule); /* in host byte order */
void rule_key_address(struct rule *rule, bool ipv4, enum rule_side side);
void rule_key_protocol(struct rule *rule);
void rule_key_transport(struct rule *rule, uint32_t offset, uint32_t length);

/* What takes a key. */
void rule_lookup(struct rule *rule, const char *set);
void rule_lookup_not(struct rule *rule, const char *set);
void rule_lookup_verdict(struct rule *rule, const char *map);
void rule_add_counted(struct rule *rule, const char *set);

/* Statements. */
/* Writes the key over the packet; checksums are not adapted. */
void rule_store_payload(struct rule *rule, uint32_t base, uint32_t offset, uint32_t length);
void rule_counter(struct rule *rule, const char *name);
void rule_log(struct rule *rule, uint16_t group, const char *prefix);
void rule_log_bytes(struct rule *rule, uint16_t group, const char *prefix, uint32_t bytes);
void rule_reject(struct rule *rule, bool tcp_reset);
void rule_verdict(struct rule *rule, int32_t code, const char *chain);

/* Writes and releases it in any case. comment may be NULL. 0 or -ENOMEM. */
int rule_write(struct rule *rule, struct batch *batch, const char *comment);
