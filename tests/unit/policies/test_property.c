/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compiled IR against a plain reading of the same policies: for each query, go through the
 * rules as the specification words it, with no code of the resolver: no classes, tables, painting,
 * nor its matching of selectors and prefixes. SEED=n repeats one round.
 */
#include "policies/evaluate.h"
#include "policies/model.h"
#include "policies/policy.h"

#include "base/cleanup.h"
#include "tests/unit/policies/random_policies.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define ROUNDS  1000 /* of one cluster and one set of policies … */
#define QUERIES 300  /* … with so many connections, each judged at both ends */

/* --- the plain reading --- */

struct reading {
	const struct document_list *documents;
	const struct model *model;
	enum posture posture;
};

struct outcome {
	enum verdict verdict;
	unsigned int flags;
	const struct document *document; /* NULL: default */
	int index;
};

struct question {
	enum direction direction;
	const struct model_workload *subject;
	const struct model_workload *peer; /* NULL: no workload */
	struct address peer_address;
	uint8_t protocol;
	uint16_t port;
};

static bool is_host(const struct model *model, const struct address *address)
{
	for (size_t i = 0; i < model->host_addresses_count; i++)
		if (address_equal(&model->host_addresses[i], address))
			return true;
	for (size_t i = 0; i < model->workloads_count; i++)
		for (size_t k = 0; k < model->workloads[i].addresses_count; k++)
			if (model->workloads[i].host_network &&
				address_equal(&model->workloads[i].addresses[k], address))
				return true;
	return false;
}

/* As Kubernetes words it: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
 */
static bool read_requirement(
	const struct selector_requirement *requirement, const struct labels *labels)
{
	const char *value = NULL;
	bool among = false;

	for (size_t i = 0; i < labels->count; i++)
		if (!strcmp(labels->items[i].key, requirement->key))
			value = labels->items[i].value;
	for (size_t i = 0; value && i < requirement->values_count; i++)
		among |= !strcmp(requirement->values[i], value);
	if (requirement->relation == SELECTOR_EXISTS ||
		requirement->relation == SELECTOR_NOT_EXISTS)
		return (requirement->relation == SELECTOR_EXISTS) == (value != NULL);
	return (requirement->relation == SELECTOR_IN) == among;
}

static bool read_selector(const struct selector *selector, const struct labels *labels)
{
	bool all = true;

	for (size_t i = 0; i < selector->count; i++)
		all &= read_requirement(&selector->requirements[i], labels);
	return all;
}

static const struct labels *labels_of_namespace(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->namespaces_count; i++)
		if (!strcmp(model->namespaces[i].name, name))
			return &model->namespaces[i].labels;
	return NULL;
}

static bool read_workloads(const struct reading *reading, const struct policy_workloads *workloads,
	const struct model_workload *workload)
{
	if (workloads->namespace && strcmp(workloads->namespace, workload->namespace))
		return false;
	if (!workloads->namespace &&
		!read_selector(&workloads->namespaces,
			labels_of_namespace(reading->model, workload->namespace)))
		return false;
	return read_selector(&workloads->labels, &workload->labels);
}

/* Bit by bit. */
static bool read_prefix(const struct prefix *prefix, const struct address *address)
{
	/* ::/0 and what else holds all of IPv4's mapped addresses is about IPv6 alone. */
	if (prefix_is_ipv4(prefix) != address_is_ipv4(address))
		return false;
	for (unsigned int bit = 0; bit < prefix->length; bit++)
		if ((prefix->address.bytes[bit / 8] ^ address->bytes[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static bool read_cidr(const struct policy_peer *peer, const struct address *address)
{
	for (size_t i = 0; i < peer->except_count; i++)
		if (read_prefix(&peer->except[i], address))
			return false;
	return read_prefix(&peer->cidr, address);
}

static bool read_nodes(const struct reading *reading, const struct selector *labels,
	const struct question *question)
{
	const struct model *model = reading->model;

	for (size_t i = 0; !question->peer && i < model->nodes_count; i++)
		for (size_t k = 0; k < model->nodes[i].addresses_count; k++)
			if (address_equal(&model->nodes[i].addresses[k], &question->peer_address) &&
				read_selector(labels, &model->nodes[i].labels))
				return true;
	return false;
}

static bool read_peer(const struct reading *reading, const struct policy_peer *peer,
	const struct question *question)
{
	bool host = !question->peer && is_host(reading->model, &question->peer_address);

	switch (peer->kind) {
	case PEER_CIDR:
		return read_cidr(peer, &question->peer_address);
	case PEER_WORKLOADS:
		return question->peer && read_workloads(reading, &peer->workloads, question->peer);
	case PEER_NODES:
		return read_nodes(reading, &peer->workloads.labels, question);
	case PEER_ENTITY:
		break;
	}
	return peer->entity == ENTITY_ALL || (peer->entity == ENTITY_HOST && host) ||
	       (peer->entity == ENTITY_WORLD && !host && !question->peer);
}

static bool read_port(const struct policy_port *port, const struct question *question)
{
	const struct model_workload *owner =
		question->direction == DIRECTION_INGRESS ? question->subject : question->peer;

	if (port->protocol != question->protocol)
		return false;
	if (!port->name)
		return question->port >= port->first && question->port <= port->last;
	for (size_t i = 0; owner && i < owner->ports_count; i++)
		if (owner->ports[i].protocol == port->protocol &&
			owner->ports[i].port == question->port &&
			!strcmp(owner->ports[i].name, port->name))
			return true;
	return false;
}

static bool read_rule(const struct reading *reading, const struct policy_rule *rule,
	const struct question *question)
{
	bool peers = !rule->peers_count, ports = !rule->ports_count;

	for (size_t i = 0; i < rule->peers_count; i++)
		peers |= read_peer(reading, &rule->peers[i], question);
	for (size_t i = 0; i < rule->ports_count; i++)
		ports |= read_port(&rule->ports[i], question);
	return peers && ports;
}

static int compare_documents(const struct document *a, const struct document *b)
{
	int order = (int)a->kind - (int)b->kind;

	if (!order)
		order = strcmp(a->namespace, b->namespace);
	return order ? order : strcmp(a->name, b->name);
}

/* Whether rule a of document x decides before rule b of document y, both of one tier. */
static bool precedes(const struct document *x, const struct policy_rule *a,
	const struct document *y, const struct policy_rule *b)
{
	if (x->policy->tier != TIER_APPLICATION && x->policy->priority != y->policy->priority)
		return x->policy->priority < y->policy->priority;
	if (x->policy->ordered != y->policy->ordered)
		return y->policy->ordered;
	if (!x->policy->ordered && a->action != b->action)
		return a->action < b->action;
	return compare_documents(x, y) < 0;
}

static bool speaks(const struct reading *reading, const struct document *document,
	const struct question *question, bool audit, enum tier tier)
{
	return document->policy && document->policy->tier == tier &&
	       (audit || !document->policy->audit) &&
	       read_workloads(reading, &document->policy->subject, question->subject);
}

/* True: the tier decides. */
static bool read_tier(const struct reading *reading, const struct question *question, bool audit,
	enum tier tier, struct outcome *ret)
{
	const struct document *best = NULL, *isolating = NULL;
	const struct policy_rule *best_rule = NULL;
	bool reject = false;
	int best_index = 0;

	for (size_t i = 0; i < reading->documents->count; i++) {
		const struct document *document = reading->documents->items[i];
		const struct policy *policy = document->policy;

		if (!speaks(reading, document, question, audit, tier))
			continue;
		for (size_t k = 0; k < policy->rules_count[question->direction]; k++) {
			const struct policy_rule *rule = &policy->rules[question->direction][k];

			if (read_rule(reading, rule, question) &&
				(!best || precedes(document, rule, best, best_rule))) {
				best = document;
				best_rule = rule;
				best_index = (int)k;
			}
		}
		if (policy->isolates[question->direction]) {
			reject |= policy->reject[question->direction];
			if (!isolating || compare_documents(document, isolating) < 0)
				isolating = document;
		}
	}
	if (best && best_rule->action != POLICY_PASS) {
		bool deny = best_rule->action == POLICY_DENY;

		*ret = (struct outcome){deny ? VERDICT_DENY : VERDICT_ALLOW,
			(best_rule->log ? DECISION_LOG : 0) |
				(deny && best_rule->reject ? DECISION_REJECT : 0),
			best, best_index};
		return true;
	}
	if (isolating)
		*ret = (struct outcome){VERDICT_DENY, reject ? DECISION_REJECT : 0, isolating, -1};
	return isolating;
}

static struct outcome read_policies(
	const struct reading *reading, const struct question *question, bool audit)
{
	struct outcome outcome = {.index = IR_RULE_DEFAULT};

	for (int tier = TIER_ADMIN; tier <= TIER_BASELINE; tier++)
		if (read_tier(reading, question, audit, (enum tier)tier, &outcome))
			return outcome;
	if (reading->posture == POSTURE_DENY || (reading->posture == POSTURE_AUDIT && audit))
		outcome.verdict = VERDICT_DENY;
	return outcome;
}

static struct outcome read_question(const struct reading *reading, const struct question *question)
{
	struct outcome enforced, audited;

	if (!question->subject)
		return (struct outcome){.index = IR_RULE_DEFAULT};
	if (question->subject == question->peer)
		return (struct outcome){.index = IR_RULE_SELF};
	/* Who took one of the node's addresses has not its rights. */
	if (question->direction == DIRECTION_INGRESS && !question->peer &&
		is_host(reading->model, &question->peer_address))
		return (struct outcome){.index = IR_RULE_NODE};
	enforced = read_policies(reading, question, false);
	audited = read_policies(reading, question, true);
	if (enforced.verdict == VERDICT_ALLOW && audited.verdict == VERDICT_DENY) {
		audited.verdict = VERDICT_ALLOW;
		audited.flags = DECISION_AUDIT | ((enforced.flags | audited.flags) & DECISION_LOG);
		return audited;
	}
	return enforced;
}

/* --- both, on the same questions --- */

static struct address random_address(void)
{
	struct address address;
	char text[ADDRESS_TEXT_MAX];

	if (random_below(2))
		snprintf(text, sizeof(text), "10.0.%u.%u", random_below(3), random_below(18));
	else
		snprintf(text, sizeof(text), "%s%x", PICK("fd00::", "fd00::", "2001:db8::"),
			random_below(44));
	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

static void check(const struct ir *ir, const struct reading *reading,
	const struct question *question, const struct decision *decision, unsigned int seed)
{
	struct outcome expected = read_question(reading, question);
	const struct ir_rule *rule = &ir->rules[decision->rule];
	char text[200], address[ADDRESS_TEXT_MAX];

	if (decision->verdict == expected.verdict && decision->flags == expected.flags &&
		rule->document == expected.document && rule->index == expected.index)
		return;
	fail_msg("SEED=%u: %s of %s with %s protocol %u port %u: %s flags %u by %s; "
		 "expected %s flags %u by %s [%d]",
		seed, direction_name(question->direction), question->subject->name,
		address_format(&question->peer_address, address), question->protocol,
		question->port, verdict_name(decision->verdict), decision->flags,
		ir_rule_format(rule, text, sizeof(text)), verdict_name(expected.verdict),
		expected.flags, expected.document ? expected.document->name : "default",
		expected.index);
}

static void ask(const struct ir *ir, const struct reading *reading, unsigned int seed)
{
	static const uint8_t protocols[] = {
		IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_GRE};
	static const uint16_t ports[] = {
		0, 1, 53, 69, 70, 79, 80, 81, 90, 91, 1000, 1001, 2048, 2303, 2304, 8080, 65535};
	struct flow_query query = {
		.source = random_address(),
		.destination = random_address(),
		.protocol = protocols[random_below(ARRAY_SIZE(protocols))],
		.port = ports[random_below(ARRAY_SIZE(ports))],
	};
	const struct model_workload *source = model_find_address(reading->model, &query.source);
	const struct model_workload *destination =
		model_find_address(reading->model, &query.destination);
	struct evaluation found = evaluate(ir, &query);
	const struct question egress = {DIRECTION_EGRESS, source, destination, query.destination,
		query.protocol, query.port};
	const struct question ingress = {
		DIRECTION_INGRESS, destination, source, query.source, query.protocol, query.port};

	check(ir, reading, &egress, &found.egress, seed);
	check(ir, reading, &ingress, &found.ingress, seed);
	assert_int_equal(found.verdict,
		found.egress.verdict == VERDICT_DENY || found.ingress.verdict == VERDICT_DENY
			? VERDICT_DENY
			: VERDICT_ALLOW);
}

static char *dump(const struct ir *ir, const struct model *model)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	ir_dump(ir, model, stream);
	fclose(stream);
	return text;
}

static void check_order(struct document_list *documents, const struct model *model,
	const struct ir_options *options, const struct ir *ir)
{
	_cleanup_(ir_freep) struct ir *again = NULL;
	_cleanup_free_ char *first = dump(ir, model);
	_cleanup_free_ char *second = NULL;

	for (size_t i = documents->count; i > 1; i--) {
		size_t k = random_below((unsigned int)i);
		struct document *swapped = documents->items[i - 1];

		documents->items[i - 1] = documents->items[k];
		documents->items[k] = swapped;
	}
	assert_int_equal(ir_compile(documents, model, options, &again, NULL), 0);
	second = dump(again, model);
	assert_string_equal(first, second);
}

static void play_round(unsigned int seed)
{
	_cleanup_(documents_clear) struct document_list documents = {0};
	_cleanup_(model_freep) struct model *model = NULL;
	_cleanup_(ir_freep) struct ir *ir = NULL;
	_cleanup_free_ char *text = NULL;
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct ir_options options;
	struct address host;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	random_state = seed;
	print_models(stream);
	for (unsigned int i = 0, count = 1 + random_below(6); i < count; i++)
		print_policy(stream, i);
	fclose(stream);
	if (documents_parse(&documents, "round", text, size, &diagnostics) < 0) {
		diagnostics_print(&diagnostics, stderr);
		fail_msg("SEED=%u does not parse:\n%s", seed, text);
	}
	diagnostics_clear(&diagnostics);
	assert_int_equal(model_new(&model), 0);
	assert_int_equal(documents_to_model(&documents, model, NULL), 0);
	address_parse("10.0.1.8", &host);
	model_add_host_address(model, &host);
	assert_int_equal(model_finish(model, NULL), 0);
	options = (struct ir_options){.posture = (enum posture)random_below(3)};
	assert_int_equal(ir_compile(&documents, model, &options, &ir, NULL), 0);
	for (unsigned int i = 0; i < QUERIES; i++)
		ask(ir, &(struct reading){&documents, model, options.posture}, seed);
	check_order(&documents, model, &options, ir);
}

static void test_agreement(void **state)
{
	const char *fixed = getenv("SEED");
	unsigned int seed =
		fixed ? (unsigned int)strtoul(fixed, NULL, 10) : (unsigned int)time(NULL);

	(void)state;
	print_message("first seed %u, %d rounds\n", seed, fixed ? 1 : ROUNDS);
	/* Zero is the one state that xorshift never leaves. */
	for (unsigned int i = 0; i < (fixed ? 1 : ROUNDS); i++)
		play_round(seed + i ? seed + i : 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_agreement)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
