/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A comparison against the evaluator asked twice: on random policies, each connection whose outcome
 * changes is in exactly one row, and no other is in any. SEED=n repeats one round.
 */
#include "policies/comparison.h"
#include "policies/evaluate.h"

#include "base/cleanup.h"
#include "tests/unit/policies/random_policies.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define ROUNDS  150
#define QUERIES 400

struct side {
	struct document_list documents;
	struct model *model;
	struct ir *ir;
};

static void side_clear(struct side *side)
{
	ir_free(side->ir);
	model_free(side->model);
	documents_clear(&side->documents);
}

static void load(struct side *side, const char *cluster, const char *policies)
{
	const struct ir_options options = {.posture = POSTURE_ALLOW};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct address host;

	if (documents_parse(&side->documents, "cluster", cluster, strlen(cluster), &diagnostics) <
			0 ||
		documents_parse(&side->documents, "policies", policies, strlen(policies),
			&diagnostics) < 0) {
		diagnostics_print(&diagnostics, stderr);
		fail_msg("does not parse:\n%s", policies);
	}
	diagnostics_clear(&diagnostics);
	assert_int_equal(model_new(&side->model), 0);
	assert_int_equal(documents_to_model(&side->documents, side->model, NULL), 0);
	address_parse("10.0.1.8", &host);
	assert_int_equal(model_add_host_address(side->model, &host), 0);
	assert_int_equal(model_finish(side->model, NULL), 0);
	assert_int_equal(ir_compile(&side->documents, side->model, &options, &side->ir, NULL), 0);
}

struct pair {
	struct side before, after;
	struct comparison comparison;
};

static void pair_clear(struct pair *pair)
{
	side_clear(&pair->before);
	side_clear(&pair->after);
	comparison_clear(&pair->comparison);
}

static void load_pair(struct pair *pair, const char *cluster, const char *before, const char *after)
{
	load(&pair->before, cluster, before);
	load(&pair->after, cluster, after);
	assert_int_equal(
		compare(pair->after.model, pair->before.ir, pair->after.ir, &pair->comparison), 0);
}

/* --- one connection -----------------------------------------------------------------------------
 */

#define NOBODY SIZE_MAX

static bool is_host(const struct ir *ir, const struct address *address)
{
	for (size_t i = 0; i < ir->addresses_count; i++)
		if (address_equal(&ir->addresses[i].address, address))
			return ir->addresses[i].workload < 0;
	return false;
}

/* By the longest of all their prefixes. */
static size_t party_outside(const struct comparison *comparison, const struct address *address)
{
	size_t found = NOBODY;
	int longest = -1;

	for (size_t i = 0; i < comparison->parties_count; i++)
		for (size_t k = 0; k < comparison->parties[i].prefixes_count; k++) {
			const struct prefix *prefix = &comparison->parties[i].prefixes[k];

			if (prefix_is_ipv4(prefix) != address_is_ipv4(address) ||
				!prefix_contains(prefix, address) || prefix->length <= longest)
				continue;
			longest = prefix->length;
			found = i;
		}
	return found;
}

static size_t party_of(const struct pair *pair, const struct address *address)
{
	const struct comparison *comparison = &pair->comparison;
	const struct model *model = pair->after.model;
	const struct model_workload *workload = model_find_address(model, address);
	bool host = is_host(pair->after.ir, address);

	if (!workload && !host)
		return party_outside(comparison, address);
	for (size_t i = 0; i < comparison->parties_count; i++) {
		if (host && comparison->parties[i].host)
			return i;
		for (size_t k = 0; !host && k < comparison->parties[i].workloads_count; k++)
			if (&model->workloads[comparison->parties[i].workloads[k]] == workload)
				return i;
	}
	return NOBODY;
}

static bool covers(const struct comparison_row *row, const struct flow_query *query)
{
	bool ipv4 = address_is_ipv4(&query->source);

	if (row->family != COMPARISON_ALL_FAMILIES && (row->family == COMPARISON_IPV4) != ipv4)
		return false;
	for (size_t i = 0; i < row->ranges_count; i++)
		if (row->ranges[i].protocol == query->protocol &&
			row->ranges[i].first <= query->port && query->port <= row->ranges[i].last)
			return true;
	return false;
}

/* The one row that speaks of a connection; NULL: none does. */
static const struct comparison_row *find_row(
	const struct pair *pair, const struct flow_query *query, unsigned int seed)
{
	size_t from = party_of(pair, &query->source), to = party_of(pair, &query->destination);
	const struct comparison_row *found = NULL;

	assert_int_not_equal(from, NOBODY);
	assert_int_not_equal(to, NOBODY);
	for (size_t i = 0; i < pair->comparison.rows_count; i++) {
		const struct comparison_row *row = &pair->comparison.rows[i];

		if (!bitset_has(row->from, from) || !bitset_has(row->to, to) || !covers(row, query))
			continue;
		if (found)
			fail_msg("SEED=%u: two rows speak of one connection", seed);
		found = row;
	}
	return found;
}

static enum outcome outcome_of(const struct evaluation *evaluation)
{
	if (evaluation->verdict == VERDICT_DENY)
		return OUTCOME_REFUSED;
	return (evaluation->egress.flags | evaluation->ingress.flags) & DECISION_AUDIT
		       ? OUTCOME_AUDITED
		       : OUTCOME_ALLOWED;
}

static void check(const struct pair *pair, const struct flow_query *query, unsigned int seed)
{
	struct evaluation before = evaluate(pair->before.ir, query);
	struct evaluation after = evaluate(pair->after.ir, query);
	const struct comparison_row *row = find_row(pair, query, seed);
	char source[ADDRESS_TEXT_MAX], destination[ADDRESS_TEXT_MAX];
	bool changed = outcome_of(&before) != outcome_of(&after);

	if (!!row != changed ||
		(row && (row->before != outcome_of(&before) || row->after != outcome_of(&after))))
		fail_msg("SEED=%u: %s to %s protocol %u port %u was %s, is %s; the row says %s, %s",
			seed, address_format(&query->source, source),
			address_format(&query->destination, destination), query->protocol,
			query->port, outcome_name(outcome_of(&before)),
			outcome_name(outcome_of(&after)),
			row ? outcome_name(row->before) : "nothing",
			row ? outcome_name(row->after) : "nothing");
	if (row && row->after != OUTCOME_ALLOWED)
		assert_int_equal(row->rule, after.direction == DIRECTION_EGRESS
						    ? after.egress.rule
						    : after.ingress.rule);
}

/* --- random -------------------------------------------------------------------------------------
 */

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

/* Each family has its own ICMP; the node has addresses in several classes, of which a row tells
 * only that one of them changes; what nobody enforces, and a workload with itself, never changes.
 */
static bool is_fair(const struct pair *pair, const struct flow_query *query)
{
	const struct model *model = pair->after.model;
	const struct model_workload *source = model_find_address(model, &query->source);
	const struct model_workload *destination = model_find_address(model, &query->destination);
	bool ipv4 = address_is_ipv4(&query->source);

	return ipv4 == address_is_ipv4(&query->destination) &&
	       query->protocol != (ipv4 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) && source != destination &&
	       !is_host(pair->after.ir, &query->source) &&
	       !is_host(pair->after.ir, &query->destination);
}

static char *random_text(void (*print)(FILE *stream))
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	print(stream);
	fclose(stream);
	return text;
}

static void print_policies(FILE *stream)
{
	for (unsigned int i = 0, count = random_below(6); i < count; i++)
		print_policy(stream, i);
}

static void play_round(unsigned int seed)
{
	static const uint8_t protocols[] = {
		IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6};
	static const uint16_t ports[] = {
		0, 1, 53, 69, 70, 79, 80, 81, 90, 91, 1000, 1001, 2048, 2303, 2304, 8080, 65535};
	_cleanup_(pair_clear) struct pair pair = {0};
	_cleanup_free_ char *cluster = NULL;
	_cleanup_free_ char *before = NULL;
	_cleanup_free_ char *after = NULL;

	random_state = seed;
	cluster = random_text(print_models);
	before = random_text(print_policies);
	after = random_text(print_policies);
	load_pair(&pair, cluster, before, after);
	for (unsigned int i = 0; i < QUERIES; i++) {
		struct flow_query query = {
			.source = random_address(),
			.destination = random_address(),
			.protocol = protocols[random_below(ARRAY_SIZE(protocols))],
			.port = ports[random_below(ARRAY_SIZE(ports))],
		};

		if (is_fair(&pair, &query))
			check(&pair, &query, seed);
	}
}

static void test_agreement(void **state)
{
	const char *fixed = getenv("SEED");
	unsigned int seed =
		fixed ? (unsigned int)strtoul(fixed, NULL, 10) : (unsigned int)time(NULL);

	(void)state;
	print_message("first seed %u, %d rounds\n", seed, fixed ? 1 : ROUNDS);
	for (unsigned int i = 0; i < (fixed ? 1 : ROUNDS); i++)
		play_round(seed + i ? seed + i : 1);
}

/* --- by hand ------------------------------------------------------------------------------------
 */

#define POD(name, labels, addresses)                                                   \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: " name ", labels: {" labels \
	"}}, status: {podIPs: [" addresses "]}}\n"
#define SEGMENT(name, spec)                                                           \
	"---\n{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: {name: " name \
	"}, spec: " spec "}\n"
#define DENY_ALL SEGMENT("deny-all", "{subject: '*', ingress: [], egress: []}")

static void test_nothing(void **state)
{
	_cleanup_(pair_clear) struct pair pair = {0};

	(void)state;
	load_pair(&pair, POD("a", "", "{ip: 10.0.0.1}"), DENY_ALL,
		DENY_ALL SEGMENT("more", "{subject: '*', ingress: []}"));
	assert_int_equal(pair.comparison.rows_count, 0);
	assert_int_equal(pair.comparison.pairs[OUTCOME_REFUSED], 0);
}

/* Ten workloads alike are one party, and one row: they with each other, and with the world. */
static void test_joined(void **state)
{
	_cleanup_(pair_clear) struct pair pair = {0};
	const struct comparison_row *row;

	(void)state;
	load_pair(&pair,
		POD("a", "", "{ip: 10.0.0.1}, {ip: 'fd00::1'}")
			POD("b", "", "{ip: 10.0.0.2}, {ip: 'fd00::2'}")
				POD("c", "", "{ip: 10.0.0.3}, {ip: 'fd00::3'}"),
		"", SEGMENT("s", "{subject: '*', egress: [{ports: [tcp/80]}]}"));
	/* They, the node, and the world. */
	assert_int_equal(pair.comparison.parties_count, 3);
	assert_int_equal(pair.comparison.rows_count, 1);
	row = pair.comparison.rows;
	assert_int_equal(row->after, OUTCOME_REFUSED);
	assert_int_equal(row->family, COMPARISON_ALL_FAMILIES);
	/* All but one port of one of six protocols. */
	assert_int_equal(row->ranges_count, 7);
	/* Six among themselves, three to the node, three to the world. */
	assert_int_equal(pair.comparison.pairs[OUTCOME_REFUSED], 12);
	assert_int_equal(pair.comparison.pairs[OUTCOME_ALLOWED], 0);
}

/* Different parties in which everyone is refused to everyone else stand in one row. */
static void test_self_is_left_out(void **state)
{
	_cleanup_(pair_clear) struct pair pair = {0};
	size_t world;

	(void)state;
	load_pair(&pair, POD("a", "n: a", "{ip: 10.0.0.1}") POD("b", "n: b", "{ip: 10.0.0.2}"),
		SEGMENT("x", "{subject: n=a, ingress: [{}], egress: [{}]}"), DENY_ALL);
	world = pair.comparison.parties_count - 1;
	assert_int_equal(pair.comparison.pairs[OUTCOME_REFUSED], 2 * 5 - 2);
	for (size_t i = 0; i < pair.comparison.rows_count; i++)
		assert_false(bitset_has(pair.comparison.rows[i].from, world) &&
			     bitset_has(pair.comparison.rows[i].to, world));
	assert_true(pair.comparison.rows_count <= 2);
}

static void test_one_family(void **state)
{
	_cleanup_(pair_clear) struct pair pair = {0};

	(void)state;
	load_pair(&pair, POD("a", "", "{ip: 10.0.0.1}, {ip: 'fd00::1'}"), "",
		SEGMENT("s", "{subject: '*', tier: admin, egress: [{to: [{cidr: '::/0'}], action: "
			     "deny}]}"));
	for (size_t i = 0; i < pair.comparison.rows_count; i++)
		for (size_t k = 0; k < pair.comparison.rows[i].ranges_count; k++)
			assert_true(pair.comparison.rows[i].family == COMPARISON_IPV6 ||
				    pair.comparison.rows[i].ranges[k].protocol != IPPROTO_ICMP ||
				    pair.comparison.rows[i].ranges_count == 6);
	assert_true(pair.comparison.rows_count > 0);
}

/* What is left of a prefix when its halves are taken out is no part of the world. */
static void test_covered_prefix(void **state)
{
	_cleanup_(pair_clear) struct pair pair = {0};
	struct prefix outer;

	(void)state;
	load_pair(&pair, POD("a", "", "{ip: 10.0.0.1}"), "",
		SEGMENT("s", "{subject: '*', egress: [{to: [{cidr: 192.0.2.0/24, except: "
			     "[192.0.2.0/25, 192.0.2.128/25]}]}]}"));
	prefix_parse("192.0.2.0/24", &outer);
	for (size_t i = 0; i < pair.comparison.parties_count; i++)
		for (size_t k = 0; k < pair.comparison.parties[i].prefixes_count; k++)
			assert_int_not_equal(
				prefix_compare(&pair.comparison.parties[i].prefixes[k], &outer), 0);
}

static void test_audit(void **state)
{
	_cleanup_(pair_clear) struct pair pair = {0};

	(void)state;
	load_pair(&pair, POD("a", "", "{ip: 10.0.0.1}"), "",
		SEGMENT("s", "{subject: '*', mode: audit, ingress: []}"));
	/* The node reaches its own workloads in any case: only the world is concerned. */
	assert_int_equal(pair.comparison.pairs[OUTCOME_AUDITED], 1);
	assert_int_equal(pair.comparison.pairs[OUTCOME_REFUSED], 0);
}

static void test_other_workloads(void **state)
{
	_cleanup_(side_clear) struct side one = {0}, two = {0};
	struct comparison comparison = {0};

	(void)state;
	load(&one, POD("a", "", "{ip: 10.0.0.1}"), "");
	load(&two, POD("a", "", "{ip: 10.0.0.1}") POD("b", "", "{ip: 10.0.0.2}"), "");
	assert_int_equal(compare(two.model, one.ir, two.ir, &comparison), -EINVAL);
	assert_null(comparison.rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agreement),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_self_is_left_out),
		cmocka_unit_test(test_one_family),
		cmocka_unit_test(test_covered_prefix),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_other_workloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
