/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/refusal.h"

#include "dataplane/nft/chain.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/rule.h"
#include "dataplane/nft/set.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>
#include <stdio.h>

#define SETS_OF_A_REASON ((size_t)REFUSAL_KINDS * 2)
#define ANSWER           "answer"

static const enum reason reasons[REFUSAL_REASONS] = {
	REASON_POLICY_DENIED,
	REASON_NO_CONNECTION,
	REASON_INVALID_CONNTRACK_STATE,
};

enum reason refusal_reason(size_t i)
{
	return reasons[i];
}

const char *refusal_reason_name(enum reason reason)
{
	static const char *const names[] = {
#define X(symbol, name, sentence) name,
		REASONS(X)
#undef X
	};

	return names[reason];
}

struct refusal_set refusal_set(size_t i)
{
	static const char *const kinds[] = {"ports", "icmp", "other"};
	struct refusal_set set = {
		.reason = reasons[i / SETS_OF_A_REASON],
		.kind = i / 2 % REFUSAL_KINDS,
		.ipv4 = !(i % 2),
	};

	snprintf(set.name, sizeof(set.name), "%s-%s%c", refusal_reason_name(set.reason),
		kinds[set.kind], set.ipv4 ? '4' : '6');
	return set;
}

static struct shape denied_shape(const struct refusal_set *set)
{
	enum field address = set->ipv4 ? FIELD_IPV4 : FIELD_IPV6;
	struct shape shape = {
		.fields = {address, address, FIELD_PROTOCOL},
		.dynamic = true,
		.size = REFUSAL_SET_SIZE,
	};

	if (set->kind == REFUSAL_PORTS)
		shape.fields[3] = FIELD_PORT;
	if (set->kind == REFUSAL_ICMP) {
		shape.fields[2] = set->ipv4 ? FIELD_ICMP_TYPE : FIELD_ICMPV6_TYPE;
		shape.fields[3] = set->ipv4 ? FIELD_ICMP_CODE : FIELD_ICMPV6_CODE;
	}
	return shape;
}

static void key_refusal(struct rule *rule, const struct refusal_set *set)
{
	if (set->kind == REFUSAL_PORTS)
		rule_protocol_in(rule, LAYOUT_TRANSPORTS);
	rule_family(rule, set->ipv4);
	if (set->kind == REFUSAL_ICMP)
		rule_protocol(rule, set->ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	rule_key_address(rule, set->ipv4, RULE_SOURCE);
	rule_key_address(rule, set->ipv4, RULE_DESTINATION);
	if (set->kind == REFUSAL_ICMP) {
		rule_key_transport(rule, 0, 1);
		rule_key_transport(rule, 1, 1);
		return;
	}
	rule_key_protocol(rule);
	if (set->kind == REFUSAL_PORTS)
		rule_key_transport(rule, 2, 2);
}

static void refuse(struct rule *rule, bool reject)
{
	rule_verdict(rule, reject ? NFT_GOTO : NF_DROP, reject ? ANSWER : NULL);
}

static void denied_chain(char *name, size_t size, enum reason reason, bool reject)
{
	snprintf(name, size, "%s-%s", reject ? "rejected" : "denied", refusal_reason_name(reason));
}

/* Known refusals first: under a flood nothing else is reached. */
static int write_denied_chain(struct batch *batch, size_t reason, bool reject)
{
	size_t first = reason * SETS_OF_A_REASON, last = first + SETS_OF_A_REASON;
	struct rule rule;
	char chain[64];
	int r;

	denied_chain(chain, sizeof(chain), reasons[reason], reject);
	r = chain_write(batch, chain, NULL, NULL);
	for (size_t i = first; !r && i < last; i++) {
		struct refusal_set set = refusal_set(i);

		rule_begin(&rule, chain);
		key_refusal(&rule, &set);
		rule_lookup(&rule, set.name);
		refuse(&rule, reject);
		r = rule_write(&rule, batch, NULL);
	}
	for (size_t i = first; !r && i < last; i++) {
		struct refusal_set set = refusal_set(i);

		rule_begin(&rule, chain);
		key_refusal(&rule, &set);
		rule_add_counted(&rule, set.name);
		rule_verdict(&rule, NFT_RETURN, NULL);
		r = rule_write(&rule, batch, NULL);
	}
	if (r < 0)
		return r;
	rule_begin(&rule, chain);
	rule_counter(&rule, REFUSAL_OVERFLOW);
	refuse(&rule, reject);
	return rule_write(&rule, batch, "no element was free: counted as lost to the log");
}

int refusal_write(struct batch *batch, const char *chain, const char *comment, enum reason reason,
	const char *detail, bool reject, uint16_t nflog_group)
{
	char prefix[100], denied[64];
	struct rule rule;
	int r = chain_write(batch, chain, comment, NULL);

	if (r < 0)
		return r;
	denied_chain(denied, sizeof(denied), reason, reject);
	rule_begin(&rule, chain);
	rule_counter(&rule, refusal_reason_name(reason));
	rule_verdict(&rule, NFT_JUMP, denied);
	r = rule_write(&rule, batch, NULL);
	if (r < 0)
		return r;
	snprintf(prefix, sizeof(prefix), "%s %s%s%s", REFUSAL_LOG_WORD, refusal_reason_name(reason),
		*detail ? " " : "", detail);
	rule_begin(&rule, chain);
	rule_log(&rule, nflog_group, prefix);
	refuse(&rule, reject);
	return rule_write(&rule, batch, comment);
}

static int write_answer(struct batch *batch)
{
	struct rule rule;
	int r = chain_write(batch, ANSWER, "for rules that ask to reject", NULL);

	if (r < 0)
		return r;
	rule_begin(&rule, ANSWER);
	rule_protocol(&rule, IPPROTO_TCP);
	rule_reject(&rule, true);
	r = rule_write(&rule, batch, NULL);
	if (r < 0)
		return r;
	rule_begin(&rule, ANSWER);
	rule_reject(&rule, false);
	return rule_write(&rule, batch, NULL);
}

int refusal_write_layout(struct batch *batch, uint16_t nflog_group)
{
	int r = write_answer(batch);

	for (size_t i = 0; !r && i < REFUSAL_SETS; i++) {
		struct refusal_set set = refusal_set(i);
		struct shape shape = denied_shape(&set);

		r = set_write(batch, set.name, &shape);
	}
	for (size_t i = 0; !r && i < REFUSAL_REASONS; i++)
		r = write_denied_chain(batch, i, false);
	if (!r) /* Only rules of policies can ask for an answer, and policies are the first reason.
		 */
		r = write_denied_chain(batch, 0, true);
	if (!r)
		r = refusal_write(batch, "refuse-invalid", NULL, REASON_INVALID_CONNTRACK_STATE, "",
			false, nflog_group);
	if (!r)
		r = refusal_write(batch, "refuse-no-connection", NULL, REASON_NO_CONNECTION, "",
			false, nflog_group);
	return r;
}
