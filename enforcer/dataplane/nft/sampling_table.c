/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/sampling_table.h"

#include "base/cleanup.h"
#include "dataplane/nft/batch.h"
#include "dataplane/nft/chain.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/rule.h"
#include "dataplane/nft/table_write.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <arpa/inet.h>
#include <string.h>

#define PRIORITY      60 /* behind "filter" and "security": what is dropped there is not seen */
#define SAMPLED       "sampled" /* protocols of connections */
#define DNS_PORT      53
#define PACKETS_FIRST 12 /* of a connection, both ways and with those that only shake hands */
/* Longer than what acknowledges, with the options that it usually has. */
#define BARE_IPV4 60
#define BARE_IPV6 80

/* A chain for packets that were singled out: logs so many a second, and counts the others. */
static int write_logging(
	struct batch *batch, const char *chain, const char *prefix, uint64_t rate, uint16_t group)
{
	struct rule rule;
	int r = chain_write(batch, chain, NULL, NULL);

	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	rule_limit_under(&rule, rate ? rate : 1);
	rule_log_bytes(&rule, group, prefix, SAMPLING_BYTES);
	rule_verdict(&rule, NF_ACCEPT, NULL);
	r = rule_write(&rule, batch, NULL);
	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	rule_counter(&rule, SAMPLING_BEYOND);
	rule_verdict(&rule, NF_ACCEPT, NULL);
	return rule_write(&rule, batch, NULL);
}

/* Where a packet that is of UDP goes from a base chain. */
static const struct way {
	const char *chain;
	uint32_t offset; /* of the port in the transport header */
	const char *to;
} ways[] = {
	{"forwarded", 2, "dns-queries"},
	{"forwarded", 0, "dns-answers"},
	{"received", 2, "dns-queries"}, /* by a server on the node */
	{"sent", 0, "dns-answers"},
};

static int write_dns(struct batch *batch, const struct dataplane_options *options)
{
	const uint16_t group = SAMPLING_GROUP(options->nflog_group), port_be = htons(DNS_PORT);
	const uint64_t rate = options->samples / 2;
	struct rule rule;
	int r = write_logging(batch, "dns-queries", SAMPLING_ASK, rate, group);

	if (!r)
		r = write_logging(batch, "dns-answers", SAMPLING_ANSWER, rate, group);
	for (size_t i = 0; !r && i < ARRAY_SIZE(ways); i++) {
		if (!i || strcmp(ways[i].chain, ways[i - 1].chain) != 0)
			r = chain_write(batch, ways[i].chain, NULL, NULL);
		if (r < 0)
			break;
		rule_begin(&rule, ways[i].chain);
		rule_protocol(&rule, IPPROTO_UDP);
		rule_key_transport(&rule, ways[i].offset, sizeof(port_be));
		rule_compare(&rule, NFT_CMP_EQ, &port_be, sizeof(port_be));
		rule_verdict(&rule, NFT_GOTO, ways[i].to);
		r = rule_write(&rule, batch, NULL);
	}
	return r;
}

/* Connections besides: their first packets, as far as they are likely to carry something. */
static int write_beginnings(struct batch *batch, const struct dataplane_options *options)
{
	static const uint8_t sampled[] = {IPPROTO_TCP, IPPROTO_UDP};
	const uint64_t rate = (uint64_t)options->sampled_connections * PACKETS_FIRST / 2;
	const uint16_t group = SAMPLING_GROUP(options->nflog_group);
	struct rule rule;
	int r = layout_write_bytes(batch, SAMPLED, FIELD_PROTOCOL, sampled, sizeof(sampled));

	if (!r)
		r = write_logging(batch, "queries", SAMPLING_ASK, rate, group);
	if (!r)
		r = write_logging(batch, "answers", SAMPLING_ANSWER, rate, group);
	if (!r)
		r = chain_write(batch, "beginnings", NULL, NULL);
	for (int i = 0; !r && i < 4; i++) {
		bool ipv4 = i < 2, answer = !(i % 2);

		rule_begin(&rule, "beginnings");
		rule_family(&rule, ipv4);
		rule_longer(&rule, ipv4 ? BARE_IPV4 : BARE_IPV6);
		if (answer)
			rule_ct_reply(&rule);
		rule_verdict(&rule, NFT_GOTO, answer ? "answers" : "queries");
		r = rule_write(&rule, batch, NULL);
	}
	return r;
}

static int write_base_chain(
	struct batch *batch, const char *name, uint32_t number, const char *to, bool beginnings)
{
	const struct chain_hook hook = {NFPROTO_INET, number, PRIORITY, NULL};
	struct rule rule;
	int r = chain_write(batch, name, NULL, &hook);

	if (!r) {
		rule_begin(&rule, name);
		rule_protocol(&rule, IPPROTO_UDP);
		rule_verdict(&rule, NFT_JUMP, to);
		r = rule_write(&rule, batch, NULL);
	}
	if (r < 0 || !beginnings)
		return r;
	rule_begin(&rule, name);
	rule_ct_packets_under(&rule, PACKETS_FIRST);
	rule_protocol_in(&rule, SAMPLED);
	rule_verdict(&rule, NFT_GOTO, "beginnings");
	return rule_write(&rule, batch, NULL);
}

static int write_path(struct batch *batch, const struct dataplane_options *options)
{
	bool beginnings = options->sampled_connections;
	int r = layout_write_counter(batch, SAMPLING_BEYOND);

	if (!r)
		r = write_dns(batch, options);
	if (!r && beginnings)
		r = write_beginnings(batch, options);
	if (!r)
		r = write_base_chain(batch, "forward", NF_INET_FORWARD, "forwarded", beginnings);
	if (!r)
		r = write_base_chain(batch, "input", NF_INET_LOCAL_IN, "received", false);
	return r ? r : write_base_chain(batch, "output", NF_INET_LOCAL_OUT, "sent", false);
}

/* Whether or not one is there: it can be removed when it has been added. */
static int write_removal(struct batch *batch)
{
	int r = layout_write_table(batch, "beginnings of packets, for segd to look into");

	return r ? r : table_write_removal(batch);
}

int sampling_table_write(
	struct mnl_socket *socket, const struct dataplane_options *options, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r = batch_new(&batch);

	if (r < 0)
		return error_nomem(error);
	batch_set_table(batch, SAMPLING_TABLE);
	r = write_removal(batch);
	if (!r)
		r = layout_write_table(batch, "beginnings of packets, for segd to look into");
	if (!r)
		r = write_path(batch, options);
	if (r < 0)
		return error_nomem(error);
	r = batch_send(batch, socket, NULL, NULL, error);
	return r < 0 ? error_context(error, r, "write table inet " SAMPLING_TABLE) : 0;
}

int sampling_table_remove(struct mnl_socket *socket, struct error *error)
{
	_cleanup_(batch_freep) struct batch *batch = NULL;
	int r = batch_new(&batch);

	if (r < 0)
		return error_nomem(error);
	batch_set_table(batch, SAMPLING_TABLE);
	if (write_removal(batch) < 0)
		return error_nomem(error);
	r = batch_send(batch, socket, NULL, NULL, error);
	return r < 0 ? error_context(error, r, "remove table inet " SAMPLING_TABLE) : 0;
}
