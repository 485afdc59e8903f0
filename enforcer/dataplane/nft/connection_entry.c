/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/connection_entry.h"

#include "base/cleanup.h"

#include <netinet/in.h>

#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

DEFINE_CLEANUP(struct nf_conntrack *, nfct_destroy)

/* Where packets of one way come from says it all: they go where the other way's come from. */
static bool get_source(const struct nf_conntrack *ct, enum nf_conntrack_attr ipv4,
	enum nf_conntrack_attr ipv6, struct address *ret)
{
	if (nfct_attr_is_set(ct, ipv4))
		*ret = address_from_ipv4(nfct_get_attr(ct, ipv4));
	else if (nfct_attr_is_set(ct, ipv6))
		*ret = address_from_ipv6(nfct_get_attr(ct, ipv6));
	else
		return false;
	return true;
}

static void get_ports(const struct nf_conntrack *ct, struct connection_key *key)
{
	if (key->protocol == IPPROTO_ICMP || key->protocol == IPPROTO_ICMPV6) {
		key->source_port = key->destination_port =
			ntohs(nfct_get_attr_u16(ct, ATTR_ICMP_ID));
		key->type_code = (uint16_t)(nfct_get_attr_u8(ct, ATTR_ICMP_TYPE) << 8 |
					    nfct_get_attr_u8(ct, ATTR_ICMP_CODE));
		return;
	}
	key->source_port = ntohs(nfct_get_attr_u16(ct, ATTR_ORIG_PORT_SRC));
	key->destination_port = ntohs(nfct_get_attr_u16(ct, ATTR_REPL_PORT_SRC));
}

static void get_counts(const struct nf_conntrack *ct, struct connection_entry *entry)
{
	static const struct {
		enum nf_conntrack_attr packets, bytes;
	} ways[] = {
		{ATTR_ORIG_COUNTER_PACKETS, ATTR_ORIG_COUNTER_BYTES},
		{ATTR_REPL_COUNTER_PACKETS, ATTR_REPL_COUNTER_BYTES},
	};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		entry->counts[i] = nfct_attr_is_set(ct, ways[i].packets);
		if (!entry->counts[i])
			continue;
		entry->packets[i] = nfct_get_attr_u64(ct, ways[i].packets);
		entry->bytes[i] = nfct_get_attr_u64(ct, ways[i].bytes);
	}
}

/* Window scaling, which nearly all agree on, conntrack would have noted of both ends else. */
static bool was_picked_up(const struct nf_conntrack *ct)
{
	const uint8_t seen = CONNECTION_SUPPOSED | IP_CT_TCP_FLAG_WINDOW_SCALE;

	return (nfct_get_attr_u8(ct, ATTR_TCP_FLAGS_ORIG) & seen) == CONNECTION_SUPPOSED &&
	       (nfct_get_attr_u8(ct, ATTR_TCP_FLAGS_REPL) & seen) == CONNECTION_SUPPOSED;
}

int connection_entry_read(const struct nlmsghdr *message, struct connection_entry *ret)
{
	_cleanup_(nfct_destroyp) struct nf_conntrack *ct = nfct_new();
	struct connection_entry entry = {0};

	if (!ct)
		return -ENOMEM;
	if (nfct_nlmsg_parse(message, ct) < 0 ||
		!get_source(ct, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC, &entry.key.source) ||
		!get_source(ct, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC, &entry.key.destination))
		return -EINVAL;
	entry.key.id = nfct_get_attr_u32(ct, ATTR_ID);
	entry.key.protocol = nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO);
	get_ports(ct, &entry.key);
	get_counts(ct, &entry);
	entry.has_status = nfct_attr_is_set(ct, ATTR_STATUS);
	if (entry.has_status)
		entry.status = nfct_get_attr_u32(ct, ATTR_STATUS);
	entry.has_tcp_state = nfct_attr_is_set(ct, ATTR_TCP_STATE);
	if (entry.has_tcp_state)
		entry.tcp_state = nfct_get_attr_u8(ct, ATTR_TCP_STATE);
	entry.picked_up = was_picked_up(ct);
	if (nfct_attr_is_set(ct, ATTR_TIMESTAMP_START))
		entry.start_ns = nfct_get_attr_u64(ct, ATTR_TIMESTAMP_START);
	*ret = entry;
	return 0;
}

bool connection_entry_is_seeded(const struct connection_entry *entry)
{
	return entry->status & IPS_ASSURED;
}
