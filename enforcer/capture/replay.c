/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/replay.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "capture/judge.h"
#include "capture/pcap_close.h"
#include "capture/refusals.h"
#include "capture/replay_names.h"
#include "capture/ruling.h"
#include "flow/cache.h"
#include "flow/record.h"
#include "flow/resolve.h"
#include "observe/observer.h"
#include "xdp/connection_times.h"

#include <errno.h>
#include <string.h>

struct replay {
	const struct replay_options *options;
	struct replay_counts counts;
	struct judge *judge;
	struct capture_refusals *refusals;
	struct replay_names names;
	struct flow_resolver resolver; /* of what DNS said; names has the rest */
	struct name_pool *pool;
	struct cache *cache;
	struct observer *observer; /* of DNS */
	struct name *node;
	struct writer scratch;
	uint64_t now_ns;   /* of the newest packet */
	uint64_t swept_ns; /* when connections were last looked at */
	bool at_end;
	int result; /* -ENOMEM: records are missing */
};

/* --- records ------------------------------------------------------------------------------------
 */

static void on_event(const struct flow_event *event, void *userdata)
{
	struct replay *replay = userdata;
	struct record record = {.event = *event};
	json_t *json;

	cache_resolve(replay->cache, &record);
	resolve_observed(&replay->resolver, replay->pool, &record);
	json = record_to_json(&record, replay->node, &replay->scratch);
	record_clear(&record);
	if (json)
		replay->options->record(json, replay->options->userdata);
	else
		replay->result = -ENOMEM;
	json_decref(json);
}

static enum reason reason_of(const struct tracked *tracked)
{
	if (tracked->audited)
		return REASON_AUDITED;
	return tracked->adopted ? REASON_ADOPTED : REASON_POLICY_ALLOWED;
}

static void tell(struct replay *replay, const struct tracked *tracked, enum flow_event_type type)
{
	const struct packet_ends *ends = &tracked->ends;
	struct flow_event event = {
		.type = type,
		.verdict = tracked->audited ? FLOW_AUDITED : FLOW_ALLOWED,
		.reason = reason_of(tracked),
		.direction = tracked->direction,
		.rule = tracked->rule[tracked->direction],
		.other_rule = tracked->rule[!tracked->direction],
		.id = tracked->id,
		.time_ns = type == FLOW_NEW ? tracked->start_ns : replay->now_ns,
		.start_ns = tracked->start_ns,
		.end_ns = tracked->last_ns,
		.source = address_from_ipv6(ends->source),
		.destination = address_from_ipv6(ends->destination),
		.ethertype = tracked->ethertype,
		.protocol = ends->protocol,
		.tcp_flags = tracked->tcp_flags[0] | tracked->tcp_flags[1],
	};

	if (packet_ends_are_icmp(ends)) {
		event.icmp_type = (uint8_t)(ends->type_code >> 8);
		event.icmp_code = (uint8_t)ends->type_code;
	} else {
		event.source_port = ends->source_port;
		event.destination_port = ends->destination_port;
	}
	memcpy(event.source_mac, tracked->mac[TRACKER_ORIGINATOR], sizeof(event.source_mac));
	memcpy(event.destination_mac, tracked->mac[TRACKER_RESPONDER],
		sizeof(event.destination_mac));
	memcpy(event.packets, tracked->packets, sizeof(event.packets));
	memcpy(event.bytes, tracked->bytes, sizeof(event.bytes));
	on_event(&event, replay);
}

/* One that the capture does not see the end of goes on, for all that is known. */
static void on_ended(const struct tracked *tracked, void *userdata)
{
	struct replay *replay = userdata;

	tell(replay, tracked, replay->at_end && !tracked->over ? FLOW_UPDATE : FLOW_END);
}

static void on_standing(struct tracked *tracked, void *userdata)
{
	struct replay *replay = userdata;
	bool is_unanswered = !tracked->replied && !tracked->told_ns &&
			     replay->now_ns >= tracked->start_ns + CONNECTION_UNANSWERED_NS;
	uint64_t last_ns = tracked->told_ns ? tracked->told_ns : tracked->start_ns;

	if (!is_unanswered &&
		(replay->now_ns < last_ns + CONNECTION_UPDATE_NS || tracked->last_ns <= last_ns))
		return;
	tracked->told_ns = replay->now_ns;
	tell(replay, tracked, FLOW_UPDATE);
}

/* --- what DNS said ------------------------------------------------------------------------------
 */

static struct name *endpoint(const struct address *address, void *userdata)
{
	const struct replay *replay = userdata;

	return cache_endpoint(replay->cache, address);
}

static struct name *named(const struct name *workload, const struct address *address,
	struct name *end, uint64_t start_ns, void *userdata)
{
	const struct replay *replay = userdata;

	return observer_named(replay->observer, workload, address, end, start_ns);
}

static void observed(const struct flow_event *event, struct name_pool *pool,
	struct flow_observation *ret, void *userdata)
{
	const struct replay *replay = userdata;

	observer_observed(replay->observer, event, pool, ret);
}

/* As the data planes show an agent what they let pass. */
static void observe(struct replay *replay, const struct capture_packet *packet,
	const struct judgement *judgement)
{
	const struct packet_ends *ends = &judgement->connection->ends;
	const struct flow_sample sample = {
		.time_ns = packet->time_ns,
		.source = address_from_ipv6(ends->source),
		.destination = address_from_ipv6(ends->destination),
		.source_port = ends->source_port,
		.destination_port = ends->destination_port,
		.protocol = ends->protocol,
		.answers = !judgement->by_originator,
		.bytes = packet->datagram,
		.size = packet->datagram_captured,
		.payload_size = packet->datagram_size,
	};

	observer_sample(replay->observer, &sample);
}

/* --- packets ------------------------------------------------------------------------------------
 */

static void pass_time(struct replay *replay, uint64_t time_ns)
{
	if (time_ns > replay->now_ns)
		replay->now_ns = time_ns;
	if (replay->now_ns < replay->swept_ns + NS_PER_SECOND)
		return;
	replay->swept_ns = replay->now_ns;
	capture_refusals_flush(replay->refusals);
	tracker_sweep(judge_tracker(replay->judge), replay->now_ns, on_standing, replay);
}

/* What is refused for its form may have no address that could be known. */
static bool concerns_us(const struct replay *replay, const struct capture_packet *packet)
{
	return packet->reason || packet->kind == PACKET_FOREIGN ||
	       ruling_concerns(replay->options->ir, &packet->ends);
}

static int take(struct replay *replay, struct capture_packet *packet, enum capture_link link)
{
	struct judgement judgement;
	int r;

	packet_parse(packet, link);
	pass_time(replay, packet->time_ns);
	replay->counts.packets++;
	replay->counts.cut += packet->cut;
	if (packet->cut)
		return 0;
	if (!concerns_us(replay, packet)) {
		replay->counts.unconcerned++;
		return 0;
	}
	r = judge_packet(replay->judge, packet, NULL, &judgement);
	if (r == 0 && packet->datagram && !packet->first_fragment && judgement.connection &&
		judgement.verdict != FLOW_REFUSED)
		observe(replay, packet, &judgement);
	if (r == 0 && judgement.opened)
		tell(replay, judgement.connection, FLOW_NEW);
	if (r < 0 || judgement.verdict != FLOW_REFUSED)
		return r;
	replay->counts.refused++;
	return capture_refusals_add(replay->refusals, packet, &judgement);
}

static int read_packets(struct replay *replay, pcap_t *pcap, const char *path, struct error *error)
{
	int link = pcap_datalink(pcap), r;
	struct pcap_pkthdr *header;
	const u_char *bytes;

	if (!packet_link_is_known(link)) {
		const char *name = pcap_datalink_val_to_description_or_dlt(link);

		return error_set(error, -EPROTONOSUPPORT,
			"%s: packets begin with %s; expected Ethernet, a Linux \"any\" capture or "
			"raw IP",
			path, name);
	}
	while ((r = pcap_next_ex(pcap, &header, &bytes)) == 1) {
		struct capture_packet packet = {
			.time_ns = (uint64_t)header->ts.tv_sec * NS_PER_SECOND +
				   (uint64_t)header->ts.tv_usec, /* nanoseconds, as asked for */
			.frame = bytes,
			.captured = header->caplen,
			.length = header->len,
		};

		if (take(replay, &packet, (enum capture_link)link) < 0)
			return error_nomem(error);
	}
	if (r == PCAP_ERROR)
		return error_set(error, -EBADMSG, "read %s: %s", path, pcap_geterr(pcap));
	return 0;
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static int make_parts(struct replay *replay)
{
	const struct replay_options *options = replay->options;
	const struct judge_options judge = {
		.adoption_ns = options->adoption_ns, .ended = on_ended, .userdata = replay};
	const struct flow_resolver resolver = replay_names_resolver(&replay->names);
	const struct observer_options observer = {.endpoint = endpoint, .userdata = replay};
	int r = name_pool_new(&replay->pool);

	replay->node = r == 0 ? name_new(NULL, json_string(options->node)) : NULL;
	if (!replay->node)
		return -ENOMEM;
	r = cache_new(&resolver, replay->pool, &replay->cache);
	if (r == 0)
		r = observer_new(&observer, &replay->observer, NULL);
	replay->resolver =
		(struct flow_resolver){.named = named, .observed = observed, .userdata = replay};
	if (r == 0)
		r = capture_refusals_new(on_event, replay, &replay->refusals);
	return r < 0 ? r : judge_new(&judge, &replay->judge);
}

/* What is left is told. */
static void end(struct replay *replay)
{
	replay->at_end = true;
	if (replay->refusals)
		capture_refusals_flush(replay->refusals);
	if (replay->judge)
		replay->counts.evicted = tracker_evicted(judge_tracker(replay->judge));
	judge_free(replay->judge);
	capture_refusals_free(replay->refusals);
	observer_free(replay->observer);
	cache_free(replay->cache);
	name_release(replay->node);
	name_pool_free(replay->pool);
	writer_clear(&replay->scratch);
}

int replay_file(const char *path, const struct replay_options *options, struct replay_counts *ret,
	struct error *error)
{
	struct replay replay = {.options = options, .names = {options->ir, options->model}};
	_cleanup_pcap_ pcap_t *pcap = NULL;
	char problem[PCAP_ERRBUF_SIZE];
	int r;

	pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, problem);
	if (!pcap)
		return error_set(error, -EBADMSG, "%s", problem);
	r = make_parts(&replay);
	if (r < 0) {
		error_nomem(error);
	} else {
		judge_set_policy(replay.judge, options->ir, 1);
		r = read_packets(&replay, pcap, path, error);
	}
	end(&replay);
	*ret = replay.counts;
	if (r == 0 && replay.result < 0)
		return error_nomem(error);
	return r;
}
