/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/connection.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <netinet/in.h>

#include <arpa/inet.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <net/ethernet.h>
#include <netinet/tcp.h>
#include <string.h>

/* Until its next packet sets the usual one. */
#define SEED_TIMEOUT_S     300
#define PUT_BACK_TIMEOUT_S (7200 + 300) /* it may rest: TCP asks every two hours (keepalive) */
/* Conntrack keeps its timeouts in ticks of the kernel, of 10 ms at most. */
#define TICKS_NS (NS_PER_SECOND / 50)

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

bool connection_was_replaced(
	const struct connection *connection, const struct connection_entry *entry)
{
	/* Ours is of when it was heard of, at the earliest of when it began. */
	if (entry->start_ns)
		return entry->start_ns > connection->start_ns;
	for (size_t i = 0; i < 2; i++)
		if (entry->counts[i] && entry->packets[i] < connection->packets[i])
			return true;
	return false;
}

/* How long no packet has come, if timeout_s is that of this connection. */
static uint64_t silence_ns(const struct connection_entry *entry, uint32_t timeout_s)
{
	if (entry->stop_ns)
		return timeout_s * NS_PER_SECOND;
	if (!entry->has_left || entry->left_s >= timeout_s)
		return 0;
	return (timeout_s - entry->left_s - 1) * NS_PER_SECOND; /* what is left was rounded down */
}

static uint64_t last_packet_ns(const struct connection *connection,
	const struct connection_entry *entry, const struct timeouts *timeouts, uint64_t looked_ns)
{
	uint64_t earliest_ns = connection->seen_ns > connection->start_ns ? connection->seen_ns
									  : connection->start_ns;
	uint32_t timeout_s = timeouts_of(timeouts, connection->key.protocol, connection->tcp_state,
		entry->status & IPS_ASSURED);
	uint64_t last_ns = looked_ns - silence_ns(entry, timeout_s);

	if (last_ns > looked_ns || last_ns + TICKS_NS < earliest_ns)
		last_ns = looked_ns; /* the timeout is another one, or it was not waited for */
	return last_ns > earliest_ns ? last_ns : earliest_ns;
}

/* True where entry does not say. */
static bool has_new_packets(
	const struct connection *connection, const struct connection_entry *entry)
{
	for (size_t i = 0; i < 2; i++)
		if (!entry->counts[i] || entry->packets[i] != connection->packets[i])
			return true;
	return false;
}

void connection_update(struct connection *connection, const struct connection_entry *entry,
	const struct timeouts *timeouts)
{
	const bool news = has_new_packets(connection, entry);

	if (news)
		connection->reported = false;
	for (size_t i = 0; i < 2; i++) {
		if (!entry->counts[i])
			continue;
		connection->packets[i] = entry->packets[i];
		connection->bytes[i] = entry->bytes[i];
	}
	if (entry->has_tcp_state)
		connection->tcp_state = entry->tcp_state;
	if (entry->has_status)
		connection->replied = entry->status & IPS_SEEN_REPLY;
	if (entry->start_ns) {
		connection->start_ns = entry->start_ns;
		connection->dated = true;
	}
	connection->picked_up |= entry->picked_up;
	connection->put_back |= entry->put_back;
	if (timeouts) {
		uint64_t looked_ns = entry->stop_ns ? entry->stop_ns : clock_ns(CLOCK_REALTIME);

		if (news)
			connection->last_ns =
				last_packet_ns(connection, entry, timeouts, looked_ns);
		connection->seen_ns = looked_ns;
	}
}

const char *connection_state(const struct connection *connection)
{
	if (connection->key.protocol != IPPROTO_TCP)
		return connection->replied ? "answered" : "unanswered";
	switch (connection->tcp_state) {
	case TCP_CONNTRACK_ESTABLISHED:
		return "established";
	case TCP_CONNTRACK_FIN_WAIT:
	case TCP_CONNTRACK_CLOSE_WAIT:
		return "half-closed";
	case TCP_CONNTRACK_LAST_ACK:
	case TCP_CONNTRACK_TIME_WAIT:
		return "closing";
	case TCP_CONNTRACK_CLOSE:
		return "reset";
	default:
		return "opening";
	}
}

struct flow_query connection_query(const struct connection_key *key)
{
	return (struct flow_query){
		.source = key->source,
		.destination = key->destination,
		.protocol = key->protocol,
		.port = is_icmp(key->protocol) ? key->type_code : key->destination_port,
	};
}

/* What conntrack's state says of the flags that went by. */
static uint8_t tcp_flags(const struct connection *connection, enum flow_event_type type)
{
	/* Policy lets no other one begin, and conntrack tells of none that were seen later. */
	uint8_t flags = connection->reason == REASON_ADOPTED ? 0 : TH_SYN;

	if (type == FLOW_NEW)
		return flags;
	switch (connection->tcp_state) {
	case TCP_CONNTRACK_FIN_WAIT:
	case TCP_CONNTRACK_CLOSE_WAIT:
	case TCP_CONNTRACK_LAST_ACK:
	case TCP_CONNTRACK_TIME_WAIT:
		return flags | TH_FIN;
	case TCP_CONNTRACK_CLOSE:
		return flags | TH_RST;
	default:
		return flags;
	}
}

/* Of what any agent hears of it. */
static uint64_t lasting_id(const struct connection *connection)
{
	const uint64_t parts[] = {hash_bytes_64(&connection->key, sizeof(connection->key)),
		connection->dated ? connection->start_ns : 0};

	return hash_bytes_64(parts, sizeof(parts));
}

struct flow_event connection_event(
	const struct connection *connection, enum flow_event_type type, uint64_t now_ns)
{
	const struct connection_key *key = &connection->key;
	const bool turned = connection->turned;
	struct flow_event event = {
		.type = type,
		.verdict = connection->verdict,
		.reason = connection->reason,
		.direction = connection->direction,
		.rule = connection->rule,
		.other_rule = connection->other_rule,
		.id = connection->id,
		.time_ns = now_ns,
		.start_ns = connection->start_ns,
		.end_ns = connection->last_ns,
		.source = turned ? key->destination : key->source,
		.destination = turned ? key->source : key->destination,
		.ethertype = address_is_ipv4(&key->source) ? ETHERTYPE_IP : ETHERTYPE_IPV6,
		.protocol = key->protocol,
	};

	if (type != FLOW_NEW)
		event.lasting_id = lasting_id(connection);
	if (is_icmp(key->protocol)) {
		event.icmp_type = (uint8_t)(key->type_code >> 8);
		event.icmp_code = (uint8_t)key->type_code;
	} else {
		event.source_port = turned ? key->destination_port : key->source_port;
		event.destination_port = turned ? key->source_port : key->destination_port;
	}
	if (key->protocol == IPPROTO_TCP)
		event.tcp_flags = tcp_flags(connection, type);
	for (size_t i = 0; i < ARRAY_SIZE(event.packets); i++) {
		event.packets[i] = connection->packets[turned ? !i : i];
		event.bytes[i] = connection->bytes[turned ? !i : i];
	}
	return event;
}

static struct nlmsghdr *request(char *buffer, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header;

	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	header->res_id = 0;
	return message;
}

struct nlmsghdr *connection_request_list(char *buffer)
{
	return request(buffer, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
}

struct nlmsghdr *connection_request_total(char *buffer)
{
	return request(buffer, IPCTNL_MSG_CT_GET_STATS, NLM_F_ACK, AF_UNSPEC);
}

static int read_total(const struct nlattr *attribute, void *userdata)
{
	if (mnl_attr_get_type(attribute) == CTA_STATS_GLOBAL_ENTRIES)
		*(uint32_t *)userdata = ntohl(mnl_attr_get_u32(attribute));
	return MNL_CB_OK;
}

int connection_parse_total(const struct nlmsghdr *message, void *userdata)
{
	return mnl_attr_parse(message, sizeof(struct nfgenmsg), read_total, userdata);
}

struct nlmsghdr *connection_request_unanswered(char *buffer)
{
	struct nlmsghdr *message = connection_request_list(buffer);

	mnl_attr_put_u32(message, CTA_STATUS, 0);
	mnl_attr_put_u32(message, CTA_STATUS_MASK, htonl(IPS_SEEN_REPLY));
	return message;
}

static const struct nlattr *find_attribute(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attribute) == type)
			return attribute;
	}
	return NULL;
}

static bool put_copy(struct nlmsghdr *request, const struct nlattr *attribute)
{
	return attribute &&
	       mnl_attr_put_check(request, CONNECTION_REQUEST_BYTES, attribute->nla_type,
		       mnl_attr_get_payload_len(attribute), mnl_attr_get_payload(attribute));
}

struct nlmsghdr *connection_request_delete(char *buffer, const struct nlmsghdr *message)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *zone = find_attribute(message, CTA_ZONE);
	struct nlmsghdr *deletion =
		request(buffer, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, header->nfgen_family);

	if (put_copy(deletion, find_attribute(message, CTA_TUPLE_ORIG)) &&
		/* Only this one, not a later connection with the same ends. */
		put_copy(deletion, find_attribute(message, CTA_ID)) &&
		(!zone || put_copy(deletion, zone)))
		return deletion;
	return NULL;
}

static void set_tuple(struct nf_conntrack *ct, const struct flow_query *query, uint16_t source_port)
{
	bool ipv4 = address_is_ipv4(&query->source);
	const uint8_t *source = query->source.bytes + (ipv4 ? 12 : 0);
	const uint8_t *destination = query->destination.bytes + (ipv4 ? 12 : 0);

	nfct_set_attr_u8(ct, ATTR_L3PROTO, ipv4 ? AF_INET : AF_INET6);
	nfct_set_attr(ct, ipv4 ? ATTR_IPV4_SRC : ATTR_IPV6_SRC, source);
	nfct_set_attr(ct, ipv4 ? ATTR_IPV4_DST : ATTR_IPV6_DST, destination);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(source_port));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(query->port));
	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
}

static void set_established(struct nf_conntrack *ct, uint32_t timeout_s, uint8_t tcp_flags)
{
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, timeout_s);
	nfct_set_attr_u32(ct, ATTR_STATUS, IPS_SEEN_REPLY | IPS_ASSURED);
	nfct_set_attr_u8(ct, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
	nfct_set_attr_u8(ct, ATTR_TCP_FLAGS_ORIG, tcp_flags);
	nfct_set_attr_u8(ct, ATTR_TCP_MASK_ORIG, tcp_flags);
	nfct_set_attr_u8(ct, ATTR_TCP_FLAGS_REPL, tcp_flags);
	nfct_set_attr_u8(ct, ATTR_TCP_MASK_REPL, tcp_flags);
}

static struct nlmsghdr *request_new(char *buffer, const struct nf_conntrack *ct)
{
	struct nlmsghdr *message = request(buffer, IPCTNL_MSG_CT_NEW,
		NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, nfct_get_attr_u8(ct, ATTR_L3PROTO));

	nfct_nlmsg_build(message, ct);
	return message;
}

struct nlmsghdr *connection_request_seed(
	char *buffer, const struct flow_query *query, uint16_t source_port)
{
	struct nf_conntrack *ct = nfct_new();
	struct nlmsghdr *message;

	if (!ct)
		return NULL;
	set_tuple(ct, query, source_port);
	set_established(ct, SEED_TIMEOUT_S, CONNECTION_SUPPOSED);
	message = request_new(buffer, ct);
	nfct_destroy(ct);
	return message;
}

/* The library's reading of an entry has where packets went; to make one, the kernel wants where
 * they were to go and what to make of it. */
static void undo_translations(struct nf_conntrack *ct)
{
	static const struct {
		unsigned int is, undo;
	} translations[] = {
		{NFCT_GOPT_IS_SNAT, NFCT_SOPT_UNDO_SNAT},
		{NFCT_GOPT_IS_DNAT, NFCT_SOPT_UNDO_DNAT},
		{NFCT_GOPT_IS_SPAT, NFCT_SOPT_UNDO_SPAT},
		{NFCT_GOPT_IS_DPAT, NFCT_SOPT_UNDO_DPAT},
	};
	bool translated[ARRAY_SIZE(translations)];

	/* To undo one changes what the others are told by. */
	for (size_t i = 0; i < ARRAY_SIZE(translations); i++)
		translated[i] = nfct_getobjopt(ct, translations[i].is);
	for (size_t i = 0; i < ARRAY_SIZE(translations); i++)
		if (translated[i])
			nfct_setobjopt(ct, translations[i].undo);
}

struct nlmsghdr *connection_request_put_back(
	char *buffer, const struct nlmsghdr *message, bool picked_up)
{
	struct nf_conntrack *ct = nfct_new();
	struct nlmsghdr *creation = NULL;

	if (!ct)
		return NULL;
	if (!nfct_nlmsg_parse(message, ct) && nfct_get_attr_u8(ct, ATTR_L4PROTO) == IPPROTO_TCP) {
		undo_translations(ct);
		set_established(ct, PUT_BACK_TIMEOUT_S,
			picked_up ? CONNECTION_SUPPOSED : CONNECTION_PUT_BACK);
		creation = request_new(buffer, ct);
	}
	nfct_destroy(ct);
	return creation;
}
