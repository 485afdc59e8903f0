/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/judge.h"

#include "base/cleanup.h"
#include "capture/fragments.h"
#include "capture/ruling.h"
#include "flow/vocabulary.h"

#include <errno.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 65536

struct judge {
	struct judge_options options;
	struct tracker *tracker;
	struct fragments *fragments;
	const struct ir *ir;
	uint64_t generation;
	uint64_t first_ns; /* of the first packet; 0: none yet */
};

int judge_new(const struct judge_options *options, struct judge **ret)
{
	_cleanup_(judge_freep) struct judge *judge = calloc(1, sizeof(*judge));
	size_t max = options->connections_max ? options->connections_max : CONNECTIONS_MAX;
	int r;

	if (!judge)
		return -ENOMEM;
	judge->options = *options;
	r = tracker_new(max, options->ended, options->userdata, &judge->tracker);
	if (r < 0)
		return r;
	r = fragments_new(&judge->fragments);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(judge);
	return 0;
}

void judge_free(struct judge *judge)
{
	if (!judge)
		return;
	tracker_free(judge->tracker);
	fragments_free(judge->fragments);
	free(judge);
}

void judge_set_policy(struct judge *judge, const struct ir *ir, uint64_t generation)
{
	judge->ir = ir;
	judge->generation = generation;
}

void judge_doubt(struct judge *judge)
{
	judge->options.adoption_ns = UINT64_MAX;
}

struct tracker *judge_tracker(struct judge *judge)
{
	return judge->tracker;
}

int judge_add_connection(struct judge *judge, const struct packet_ends *ends, uint64_t now_ns)
{
	struct tracked *tracked = tracker_open(judge->tracker, ends, now_ns);

	if (!tracked)
		return -ENOMEM;
	tracked->established = true;
	tracked->tcp_flags[TRACKER_ORIGINATOR] = TH_SYN;
	tracked->tcp_flags[TRACKER_RESPONDER] = TH_SYN | TH_ACK;
	return 0;
}

static void remember(
	struct tracked *tracked, const struct judge *judge, const struct ruling *ruling)
{
	tracked->generation = judge->generation;
	tracked->audited = ruling->audited;
	tracked->direction = ruling->direction;
	tracked->deciding = ruling->deciding;
	memcpy(tracked->rule, ruling->rule, sizeof(tracked->rule));
}

/* --- verdicts -----------------------------------------------------------------------------------
 */

static struct judgement refused(enum reason reason)
{
	return (struct judgement){.verdict = FLOW_REFUSED,
		.reason = reason,
		.direction = DIRECTION_EGRESS,
		.by_originator = true};
}

static struct judgement allowed(enum reason reason)
{
	return (struct judgement){.verdict = FLOW_ALLOWED,
		.reason = reason,
		.direction = DIRECTION_EGRESS,
		.by_originator = true};
}

static struct judgement refused_by(enum reason reason, const struct ruling *ruling)
{
	struct judgement judgement = refused(reason);

	judgement.direction = ruling->direction;
	judgement.rule = ruling->deciding;
	judgement.rule_id = ruling->rule[ruling->direction];
	return judgement;
}

/* As the connection that the packet is part of. */
static struct judgement carried_by(
	struct tracked *tracked, const struct capture_packet *packet, enum reason reason)
{
	struct judgement judgement = allowed(reason);

	if (tracked->audited)
		judgement.verdict = FLOW_AUDITED;
	judgement.direction = tracked->direction;
	judgement.rule = tracked->deciding;
	judgement.rule_id = tracked->rule[tracked->direction];
	judgement.connection = tracked;
	judgement.by_originator = tracked_sender(tracked, &packet->ends) == TRACKER_ORIGINATOR;
	return judgement;
}

/* --- connections --------------------------------------------------------------------------------
 */

static int open_connection(struct judge *judge, const struct capture_packet *packet,
	const struct packet_ends *ends, const struct ruling *ruling, enum reason reason,
	struct judgement *ret)
{
	struct tracked *tracked = tracker_open(judge->tracker, ends, packet->time_ns);

	if (!tracked) {
		*ret = allowed(reason);
		return -ENOMEM;
	}
	remember(tracked, judge, ruling);
	tracked->adopted = reason == REASON_ADOPTED;
	if (tracked->adopted && !(packet->tcp_flags & TH_SYN))
		tracked->established = true;
	tracker_count_packet(judge->tracker, tracked, packet);
	*ret = carried_by(tracked, packet, ruling->audited ? REASON_AUDITED : reason);
	ret->opened = true;
	return 0;
}

static bool adopts(const struct judge *judge, uint64_t now_ns)
{
	return judge->options.adoption_ns == UINT64_MAX ||
	       now_ns < judge->options.adopts_until_ns ||
	       now_ns < judge->first_ns + judge->options.adoption_ns;
}

static int adopt(struct judge *judge, const struct capture_packet *packet, struct judgement *ret)
{
	struct packet_ends ends;
	struct ruling ruling;

	if (packet->ends.protocol != IPPROTO_TCP || !(packet->tcp_flags & (TH_ACK | TH_RST))) {
		*ret = refused(REASON_NO_CONNECTION);
		return 0;
	}
	ruling = ruling_in_mid_stream(judge->ir, packet, &ends);
	if (ruling.allowed)
		return open_connection(judge, packet, &ends, &ruling, REASON_ADOPTED, ret);
	*ret = refused_by(REASON_POLICY_DENIED, &ruling);
	ret->by_originator = ends.source_port == packet->ends.source_port &&
			     !memcmp(ends.source, packet->ends.source, sizeof(ends.source));
	return 0;
}

/* As it was opened. What nobody has seen open, policy may take for the other way round now. */
static struct ruling rule_again(const struct judge *judge, const struct tracked *tracked)
{
	const uint8_t flags =
		tracked->tcp_flags[TRACKER_ORIGINATOR] | tracked->tcp_flags[TRACKER_RESPONDER];
	struct packet_ends ends;

	if (!tracked->adopted || flags & TH_SYN)
		return ruling_of(judge->ir, &tracked->ends);
	return ruling_of_guess(judge->ir, &tracked->ends, &ends);
}

/* True: the packet is part of a connection that stands, or that policy has just cut. */
static bool track_standing(
	struct judge *judge, const struct capture_packet *packet, struct judgement *ret)
{
	struct tracked *tracked = tracker_find(judge->tracker, &packet->ends, packet->time_ns);
	struct ruling ruling;

	if (!tracked || !tracked_owns(tracked, packet))
		return false;
	if (tracked->generation != judge->generation) {
		ruling = rule_again(judge, tracked);
		if (!ruling.allowed) {
			*ret = refused_by(REASON_REVOKED, &ruling);
			ret->by_originator =
				tracked_sender(tracked, &packet->ends) == TRACKER_ORIGINATOR;
			tracker_end(judge->tracker, tracked);
			return true;
		}
		remember(tracked, judge, &ruling);
	}
	tracker_count_packet(judge->tracker, tracked, packet);
	*ret = carried_by(tracked, packet, REASON_ESTABLISHED);
	return true;
}

static int track(struct judge *judge, const struct capture_packet *packet, struct judgement *ret)
{
	struct ruling ruling;

	if (track_standing(judge, packet, ret))
		return 0;
	if (packet->kind == PACKET_CONTINUES) {
		if (adopts(judge, packet->time_ns))
			return adopt(judge, packet, ret);
		*ret = refused(REASON_NO_CONNECTION);
		return 0;
	}
	ruling = ruling_of(judge->ir, &packet->ends);
	if (!ruling.allowed) {
		*ret = refused_by(REASON_POLICY_DENIED, &ruling);
		return 0;
	}
	return open_connection(judge, packet, &packet->ends, &ruling, REASON_POLICY_ALLOWED, ret);
}

/* --- the order of questions ---------------------------------------------------------------------
 */

static bool is_foreign(const struct judge *judge, const struct capture_packet *packet)
{
	for (size_t i = 0; i < JUDGE_ETHERTYPES; i++)
		if (packet->ethertype && packet->ethertype == judge->options.ethertypes[i])
			return packet->reason == REASON_UNSUPPORTED_ETHERTYPE;
	return false;
}

static bool leaves_the_link(const struct capture_packet *packet)
{
	const uint8_t type = (uint8_t)(packet->ends.type_code >> 8);

	if (packet->kind != PACKET_NEIGHBOUR || packet->ethertype == ETH_P_ARP)
		return false;
	if (type >= ND_ROUTER_SOLICIT && type <= ND_REDIRECT)
		return packet->hop_limit != ND_HOP_LIMIT;
	return packet->hop_limit != MLD_HOP_LIMIT || packet->ends.destination[0] != 0xff;
}

/* Why the packet is refused before policy is asked; 0: it is not. */
static int check_form(const struct judge *judge, const struct capture_packet *packet,
	const struct judge_sender *sender)
{
	if (sender && memcmp(packet->source_mac, sender->mac, sizeof(sender->mac)) != 0)
		return REASON_SPOOFED_MAC;
	if (packet->reason && !is_foreign(judge, packet))
		return packet->reason;
	if (leaves_the_link(packet))
		return REASON_MALFORMED;
	return sender && !packet->reason ? sender_check(packet, sender) : 0;
}

/* An error belongs to the connection of the packet that it carries (related.bpf.h). */
static struct judgement relate(struct judge *judge, const struct capture_packet *packet)
{
	struct judgement judgement = allowed(REASON_RELATED);
	struct tracked *tracked;

	if (!packet->has_carried)
		return refused(REASON_UNRELATED_ICMP_ERROR);
	tracked = tracker_find(judge->tracker, &packet->carried, packet->time_ns);
	if (tracked) {
		judgement.rule =
			tracked->generation == judge->generation ? tracked->deciding : NULL;
		judgement.rule_id = tracked->rule[tracked->direction];
		judgement.direction = tracked->direction;
		judgement.by_originator =
			tracked_sender(tracked, &packet->carried) == TRACKER_RESPONDER;
		return judgement;
	}
	if (adopts(judge, packet->time_ns) && ruling_of(judge->ir, &packet->carried).allowed)
		return judgement;
	return refused(REASON_UNRELATED_ICMP_ERROR);
}

static int decide(struct judge *judge, const struct capture_packet *packet, struct judgement *ret)
{
	switch (packet->kind) {
	case PACKET_NEIGHBOUR:
		*ret = allowed(REASON_NEIGHBOUR);
		return 0;
	case PACKET_FOREIGN:
		*ret = allowed(REASON_POLICY_ALLOWED);
		return 0;
	case PACKET_FRAGMENT:
		*ret = fragments_follow(judge->fragments, packet) || adopts(judge, packet->time_ns)
			       ? allowed(REASON_ESTABLISHED)
			       : refused(REASON_FRAGMENT_WITHOUT_FIRST);
		return 0;
	case PACKET_ERROR:
		*ret = relate(judge, packet);
		return 0;
	default:
		return track(judge, packet, ret);
	}
}

int judge_packet(struct judge *judge, const struct capture_packet *packet,
	const struct judge_sender *sender, struct judgement *ret)
{
	int reason, r = 0;

	if (!judge->first_ns)
		judge->first_ns = packet->time_ns;
	if (packet->cut) {
		*ret = allowed(REASON_POLICY_ALLOWED);
		return 0;
	}
	reason = check_form(judge, packet, sender);
	if (reason)
		*ret = refused((enum reason)reason);
	else if (packet->reason) /* of a type that passes unjudged */
		*ret = allowed(REASON_POLICY_ALLOWED);
	else
		r = decide(judge, packet, ret);
	if (packet->first_fragment)
		fragments_note(judge->fragments, packet, ret->verdict != FLOW_REFUSED);
	return r;
}

static bool is_of_connections(const struct capture_packet *packet)
{
	return !packet->cut && !packet->reason && packet->kind <= PACKET_OPENS;
}

int judge_passed(struct judge *judge, const struct capture_packet *packet, struct judgement *ret)
{
	struct packet_ends ends = packet->ends;
	struct ruling ruling;

	if (!judge->first_ns)
		judge->first_ns = packet->time_ns;
	/* Of what is no TCP, an answer does not say what it answers. */
	if (!is_of_connections(packet) ||
		(packet->kind == PACKET_CONTINUES && packet->ends.protocol != IPPROTO_TCP &&
			!tracker_find(judge->tracker, &packet->ends, packet->time_ns))) {
		*ret = allowed(packet->kind == PACKET_NEIGHBOUR ? REASON_NEIGHBOUR
			       : packet->kind == PACKET_ERROR   ? REASON_RELATED
								: REASON_ESTABLISHED);
		return 0;
	}
	if (track_standing(judge, packet, ret) && ret->verdict != FLOW_REFUSED)
		return 0;
	if (packet->kind == PACKET_CONTINUES)
		ruling = ruling_in_mid_stream(judge->ir, packet, &ends);
	else
		ruling = ruling_of(judge->ir, &ends);
	return open_connection(judge, packet, &ends, &ruling,
		packet->kind == PACKET_CONTINUES ? REASON_ADOPTED : REASON_POLICY_ALLOWED, ret);
}

const char *judgement_format(const struct judgement *judgement, char *text, size_t size)
{
	char rule[384] = "";

	if (judgement->rule)
		ir_rule_format(judgement->rule, rule, sizeof(rule));
	snprintf(text, size, "%s: %s%s%s%s%s", flow_verdict_name(judgement->verdict),
		reason_name(judgement->reason), *rule ? ", " : "",
		*rule ? direction_name(judgement->direction) : "", *rule ? ": " : "", rule);
	return text;
}
