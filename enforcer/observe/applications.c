/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/applications.h"

#include "base/cleanup.h"
#include "base/large_hash.h"
#include "observe/ndpi_library.h"

#include <netinet/in.h>

#include <ctype.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <utlist.h>

#define NS_PER_MS      1000000ULL
#define IPV4_MAPPED    12
#define PAYLOAD_MAX    1400
#define NAME_MAX_BYTES 32
#define HOST_MAX_BYTES 80 /* as nDPI has it */

struct conversation {
	struct flow_key key;
	struct ndpi_flow_struct *flow; /* NULL: nothing more is looked at */
	unsigned int packets;
	uint32_t sequence[2];             /* TCP's, by who sends */
	char application[NAME_MAX_BYTES]; /* "": not known */
	char host[HOST_MAX_BYTES];
	struct name *name;                /* of both, once somebody asked */
	struct conversation *prev, *next; /* of all with or without flow, from the longest silent */
	UT_hash_handle hh;
};

struct applications {
	struct ndpi_library library;
	struct ndpi_detection_module_struct *module;
	struct conversation *conversations;
	struct conversation *detecting; /* by age, as is kept: each is in one of them */
	struct conversation *kept;
	size_t detecting_count;
	uint64_t detected;
	uint64_t unknown;
	uint64_t evicted; /* before they were found out, or told of */
};

int applications_new(struct applications **ret, struct error *error)
{
	_cleanup_(applications_freep) struct applications *applications =
		calloc(1, sizeof(*applications));
	NDPI_PROTOCOL_BITMASK all;
	int r;

	if (!applications)
		return error_nomem(error);
	r = ndpi_library_open(&applications->library, error);
	if (r < 0)
		return r;
	applications->module = applications->library.init_detection_module(
		ndpi_dont_load_tor_hosts | ndpi_dont_init_libgcrypt);
	if (!applications->module)
		return error_set(error, -ENOMEM, "start nDPI: it gives no reason");
	NDPI_BITMASK_SET_ALL(all);
	applications->library.set_protocol_detection_bitmask2(applications->module, &all);
	applications->library.finalize_initialization(applications->module);
	*ret = TAKE_PTR(applications);
	return 0;
}

/* Takes it from those under detection to those that are kept. */
static void end_detection(struct applications *applications, struct conversation *conversation)
{
	applications->library.free_flow_data(conversation->flow);
	free(conversation->flow);
	conversation->flow = NULL;
	DL_DELETE(applications->detecting, conversation);
	applications->detecting_count--;
	DL_APPEND(applications->kept, conversation);
	if (conversation->application[0])
		applications->detected++;
	else
		applications->unknown++;
}

static void forget(struct applications *applications, struct conversation *conversation)
{
	if (conversation->flow)
		end_detection(applications, conversation);
	HASH_DELETE(hh, applications->conversations, conversation);
	DL_DELETE(applications->kept, conversation);
	name_release(conversation->name);
	free(conversation);
}

void applications_free(struct applications *applications)
{
	if (!applications)
		return;
	while (applications->detecting)
		forget(applications, applications->detecting);
	while (applications->kept)
		forget(applications, applications->kept);
	if (applications->module)
		applications->library.exit_detection_module(applications->module);
	ndpi_library_close(&applications->library);
	free(applications);
}

static struct conversation *find(
	const struct applications *applications, const struct flow_key *key)
{
	struct conversation *conversation;

	HASH_FIND(hh, applications->conversations, key, sizeof(*key), conversation);
	return conversation;
}

static void make_room(struct applications *applications)
{
	if (applications->detecting_count >= APPLICATIONS_DETECTING) {
		end_detection(applications, applications->detecting);
		applications->evicted++;
	}
	if (HASH_COUNT(applications->conversations) >= APPLICATIONS_MAX && applications->kept) {
		forget(applications, applications->kept);
		applications->evicted++;
	}
}

/* NULL: out of memory. */
static struct conversation *begin(struct applications *applications, const struct flow_key *key)
{
	struct conversation *conversation;

	make_room(applications);
	conversation = calloc(1, sizeof(*conversation));
	if (!conversation)
		return NULL;
	conversation->key = *key;
	conversation->flow = calloc(1, sizeof(*conversation->flow));
	if (conversation->flow) {
		HASH_ADD(hh, applications->conversations, key, sizeof(conversation->key),
			conversation);
		if (HASH_ADDED(conversation)) {
			DL_APPEND(applications->detecting, conversation);
			applications->detecting_count++;
			return conversation;
		}
	}
	free(conversation->flow);
	free(conversation);
	return NULL;
}

/* nDPI reads packets from the network header on. */
struct packet {
	size_t size;
	uint8_t bytes[sizeof(struct ip6_hdr) + sizeof(struct tcphdr) + PAYLOAD_MAX];
};

static void put(struct packet *packet, const void *bytes, size_t size)
{
	memcpy(packet->bytes + packet->size, bytes, size);
	packet->size += size;
}

static void put_ip(struct packet *packet, const struct flow_key *key, bool answers, size_t size)
{
	const struct address *from = answers ? &key->destination : &key->source;
	const struct address *to = answers ? &key->source : &key->destination;
	struct iphdr ipv4 = {.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = key->protocol,
		.tot_len = htons((uint16_t)(sizeof(ipv4) + size))};
	struct ip6_hdr ipv6 = {.ip6_hlim = 64, .ip6_nxt = key->protocol};

	if (address_is_ipv4(from)) {
		memcpy(&ipv4.saddr, from->bytes + IPV4_MAPPED, sizeof(ipv4.saddr));
		memcpy(&ipv4.daddr, to->bytes + IPV4_MAPPED, sizeof(ipv4.daddr));
		put(packet, &ipv4, sizeof(ipv4));
		return;
	}
	ipv6.ip6_vfc = 6 << 4;
	ipv6.ip6_plen = htons((uint16_t)size);
	memcpy(&ipv6.ip6_src, from->bytes, sizeof(ipv6.ip6_src));
	memcpy(&ipv6.ip6_dst, to->bytes, sizeof(ipv6.ip6_dst));
	put(packet, &ipv6, sizeof(ipv6));
}

static void put_transport(struct packet *packet, const struct conversation *conversation,
	bool answers, size_t payload)
{
	const struct flow_key *key = &conversation->key;
	uint16_t from = htons(answers ? key->destination_port : key->source_port);
	uint16_t to = htons(answers ? key->source_port : key->destination_port);
	const struct tcphdr tcp = {.th_sport = from,
		.th_dport = to,
		.th_seq = htonl(1 + conversation->sequence[answers]),
		.th_ack = htonl(1 + conversation->sequence[!answers]),
		.th_off = sizeof(tcp) / 4,
		.th_flags = TH_ACK | TH_PUSH,
		.th_win = htons(UINT16_MAX)};
	const struct udphdr udp = {.uh_sport = from,
		.uh_dport = to,
		.uh_ulen = htons((uint16_t)(sizeof(udp) + payload))};

	if (key->protocol == IPPROTO_TCP)
		put(packet, &tcp, sizeof(tcp));
	else
		put(packet, &udp, sizeof(udp));
}

static void make_packet(const struct conversation *conversation, const struct flow_sample *sample,
	struct packet *packet)
{
	size_t payload = sample->size < PAYLOAD_MAX ? sample->size : PAYLOAD_MAX;
	size_t header = conversation->key.protocol == IPPROTO_TCP ? sizeof(struct tcphdr)
								  : sizeof(struct udphdr);

	packet->size = 0;
	put_ip(packet, &conversation->key, sample->answers, header + payload);
	put_transport(packet, conversation, sample->answers, payload);
	put(packet, sample->bytes, payload);
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (!isgraph((unsigned char)*text))
			return false;
	return true;
}

/* What carries the rest: TLS, where nDPI also knows whose service it is. */
static void take_result(
	struct applications *applications, struct conversation *conversation, ndpi_protocol found)
{
	uint16_t number = found.master_protocol ? found.master_protocol : found.app_protocol;
	const char *name, *host = conversation->flow->host_server_name;
	size_t i;

	if (number == NDPI_PROTOCOL_UNKNOWN)
		return;
	name = applications->library.get_proto_name(applications->module, number);
	for (i = 0; name[i] && i + 1 < sizeof(conversation->application); i++)
		conversation->application[i] = (char)tolower((unsigned char)name[i]);
	conversation->application[i] = '\0';
	if (is_printable(host))
		snprintf(conversation->host, sizeof(conversation->host), "%s", host);
}

/* Whether what is known may still become more: whom TLS or HTTP speaks to. */
static bool is_enough(const struct conversation *conversation)
{
	return conversation->packets >= APPLICATION_PACKETS ||
	       (conversation->application[0] &&
		       (conversation->host[0] || conversation->packets > 3));
}

void applications_sample(struct applications *applications, const struct flow_key *key,
	const struct flow_sample *sample)
{
	struct conversation *conversation = find(applications, key);
	struct packet packet;
	uint8_t guessed = 0;

	if (!conversation)
		conversation = begin(applications, key);
	if (!conversation || !conversation->flow)
		return;
	DL_DELETE(applications->detecting, conversation);
	DL_APPEND(applications->detecting, conversation);
	make_packet(conversation, sample, &packet);
	conversation->packets++;
	take_result(applications, conversation,
		applications->library.detection_process_packet(applications->module,
			conversation->flow, packet.bytes, (unsigned short)packet.size,
			sample->time_ns / NS_PER_MS));
	conversation->sequence[sample->answers] += (uint32_t)sample->payload_size;
	if (!is_enough(conversation))
		return;
	if (!conversation->application[0])
		take_result(applications, conversation,
			applications->library.detection_giveup(
				applications->module, conversation->flow, 0, &guessed));
	end_detection(applications, conversation);
}

static struct name *make_name(const struct conversation *conversation, struct name_pool *pool)
{
	bool crowded = name_pool_count(pool) >= FLOW_NAMES_CROWDED;

	return name_new(pool,
		json_pack("{s:s, s:s*}", "application", conversation->application, "server_name",
			conversation->host[0] && !crowded ? conversation->host : NULL));
}

struct name *applications_of(
	struct applications *applications, const struct flow_key *key, struct name_pool *pool)
{
	struct conversation *conversation = find(applications, key);

	if (!conversation || !conversation->application[0])
		return NULL;
	if (conversation->flow) /* it may still change */
		return make_name(conversation, pool);
	if (!conversation->name)
		conversation->name = make_name(conversation, pool);
	return name_reference(conversation->name);
}

void applications_end(struct applications *applications, const struct flow_key *key)
{
	struct conversation *conversation = find(applications, key);

	if (conversation)
		forget(applications, conversation);
}

json_t *applications_describe(const struct applications *applications)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "detecting",
		(json_int_t)applications->detecting_count, "kept",
		(json_int_t)HASH_COUNT(applications->conversations), "detected",
		(json_int_t)applications->detected, "unknown", (json_int_t)applications->unknown,
		"evicted", (json_int_t)applications->evicted);
}
