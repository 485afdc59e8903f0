/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel refuses: nothing of it takes effect, and the error names it. Real packets. */
#include "dataplane/nft/blame.h"

#include "dataplane/nft/batch.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/netlink.h"
#include "dataplane/nft/plan.h"
#include "dataplane/nft/sysctls.h"
#include "dataplane/nft/table.h"
#include "village.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#define NFLOG_GROUP 4713
#define DB          "10.77.0.4"

struct attempt {
	struct table *table;
	struct model *model;
	struct ir *ir;
	struct ruleset plan;
	struct error error;
};

static void attempt_begin(struct attempt *attempt, const char *yaml, unsigned int extra)
{
	attempt->model = fixture_model(extra);
	attempt->ir = fixture_ir(attempt->model, yaml);
	assert_int_equal(plan_build(attempt->ir, &attempt->plan, NULL, &attempt->error), 0);
}

static int attempt_end(struct attempt *attempt)
{
	bool changed;
	int r = table_apply(attempt->table, attempt->ir, &attempt->plan, "", UINT64_C(1000000000),
		&changed, &attempt->error);

	ruleset_clear(&attempt->plan);
	ir_free(attempt->ir);
	model_free(attempt->model);
	return r;
}

static void apply_policy(struct attempt *attempt, const char *yaml)
{
	attempt_begin(attempt, yaml, 20);
	if (attempt_end(attempt) < 0)
		fail_msg("%s", error_message(&attempt->error));
}

static int set_up(void **state)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));

	village_build();
	assert_int_equal(sysctls_turn_on(SYSCTLS_ALL, NULL, &attempt->error), 0);
	assert_int_equal(
		table_open(&table_of_workloads, NFLOG_GROUP, &attempt->table, &attempt->error), 0);
	*state = attempt;
	return 0;
}

static int tear_down(void **state)
{
	struct attempt *attempt = *state;

	table_remove(attempt->table, NULL);
	table_free(attempt->table);
	error_clear(&attempt->error);
	free(attempt);
	village_tear_down();
	return 0;
}

/* api reaches db, web does not; the other policy has it the other way round. */
static void assert_first_policy_holds(void)
{
	assert_true(village_reaches("api", SOCK_STREAM, DB, 5432));
	assert_true(village_is_shut("web", SOCK_STREAM, DB, 5432));
}

static void assert_second_policy_holds(void)
{
	assert_true(village_reaches("web", SOCK_STREAM, DB, 5432));
	assert_true(village_is_shut("api", SOCK_STREAM, DB, 5432));
}

static void assert_named(const struct attempt *attempt, const char *word)
{
	if (!strstr(error_message(&attempt->error), word))
		fail_msg("no \"%s\" in: %s", word, error_message(&attempt->error));
}

static struct element *find_element(struct ruleset_set *set, const char *address)
{
	const struct address wanted = fixture_address(address);

	for (size_t i = 0; i < set->elements.count; i++)
		if (!memcmp(set->elements.items[i].key, wanted.bytes + 12, 4))
			return &set->elements.items[i];
	fail();
	return NULL;
}

/* One element among those of a map that changes, in the second transaction of an apply. */
static void test_one_element_is_refused(void **state)
{
	struct attempt *attempt = *state;

	apply_policy(attempt, "");
	assert_true(village_reaches("web", SOCK_STREAM, DB, 5432));
	apply_policy(attempt, FIXTURE_POLICY);
	assert_first_policy_holds();

	attempt_begin(attempt, FIXTURE_POLICY_CLOSED, 20);
	find_element(ruleset_find_set(&attempt->plan, "ingress4"), DB)->key_length = 8;
	assert_int_equal(attempt_end(attempt), -EINVAL);
	assert_named(attempt, "new element 10.77.0.4 of map ingress4");
	assert_named(attempt, "policy shop/db-from-api)");
	assert_first_policy_holds();

	apply_policy(attempt, FIXTURE_POLICY_CLOSED);
	assert_second_policy_holds();
}

/* Two intervals that overlap, in a set that is new with the policy: in the first transaction. */
static void test_an_overlap_is_refused(void **state)
{
	static const char overlapping[] = "apiVersion: segctl.io/v1\n"
					  "kind: SegmentPolicy\n"
					  "metadata: {name: outside, namespace: shop}\n"
					  "spec:\n"
					  "  subject: app=db\n"
					  "  egress:\n"
					  "  - {to: [{cidr: 198.51.100.0/24}], ports: [tcp/443]}\n"
					  "  - {to: [{cidr: 192.0.2.0/24}], ports: [tcp/80]}\n";
	struct attempt *attempt = *state;
	char name[256];
	struct ruleset_set *set;
	struct element *first;

	apply_policy(attempt, FIXTURE_POLICY);
	attempt_begin(attempt, overlapping, 20);
	for (set = attempt->plan.sets; set; set = set->hh.next)
		if (!set->mutable && strstr(set->name, "-prefixes4"))
			break;
	assert_non_null(set);
	/* 192.0.2.0/24 begins below the end of the one before it. */
	first = find_element(set, "198.51.100.0");
	memcpy(first->key, (const uint8_t[]){192, 0, 2, 128}, 4);
	snprintf(name, sizeof(name), "%s", set->name);
	assert_true(attempt_end(attempt) < 0);
	assert_named(attempt, name);
	assert_named(attempt, "policy shop/outside");
	assert_first_policy_holds();
	assert_true(village_reaches("db", SOCK_STREAM, VILLAGE_WORLD, 443));
}

/* By hand in the instant before, when nobody has read the kernel's word of it. */
static void test_an_element_in_the_way(void **state)
{
	static const char *const deeds[] = {
		/* The key of a workload that is about to come, and it leads elsewhere. */
		"nft add element inet segd ingress4 '{ 10.78.0.21 : accept }'",
		/* What is to be replaced is gone. */
		"nft delete element inet segd ingress4 '{ 10.77.0.4 }'",
		/* Somebody has come to need what is to go. */
		"nft add chain inet segd extra && "
		"nft add rule inet segd extra jump $(nft list map inet segd ingress4 |"
		" grep -o 'ingress-shop-[-a-z0-9]*')",
	};
	struct attempt *attempt = *state;

	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		apply_policy(attempt, FIXTURE_POLICY);
		assert_first_policy_holds();
		assert_int_equal(fixture_run(deeds[i]), 0);
		attempt_begin(attempt, FIXTURE_POLICY_CLOSED, 21);
		attempt_end(attempt);
		assert_int_equal(attempt->error.code, 0);
		assert_second_policy_holds();
		table_sweep(attempt->table, UINT64_C(9000000000), NULL);
		apply_policy(attempt, FIXTURE_POLICY_CLOSED);
		assert_second_policy_holds();
		assert_int_equal(
			fixture_run("! nft list map inet segd ingress4 | grep -q accept"), 0);
	}
}

static struct mnl_socket *own_table(void)
{
	struct mnl_socket *socket;
	struct nlmsghdr *message;
	struct batch *batch;

	assert_int_equal(netlink_open(&socket, NULL), 0);
	assert_int_equal(batch_new(&batch), 0);
	message = batch_message(batch, NFT_MSG_NEWTABLE, NFPROTO_INET, NLM_F_CREATE, "table");
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, LAYOUT_TABLE);
	mnl_attr_put_u32(message, NFTA_TABLE_FLAGS, htonl(NFT_TABLE_F_OWNER));
	batch_message_done(batch);
	assert_int_equal(batch_send(batch, socket, NULL, NULL, NULL), 0);
	batch_free(batch);
	return socket;
}

/* A table that belongs to another process: every message of ours is refused, for as long. */
static void test_a_table_with_an_owner(void **state)
{
	struct attempt *attempt = *state;
	struct mnl_socket *owner;

	apply_policy(attempt, FIXTURE_POLICY);
	assert_int_equal(fixture_run("nft delete table inet segd"), 0);
	owner = own_table();
	table_doubt(attempt->table, TABLE_REMOVED); /* as the watch has it */
	attempt_begin(attempt, FIXTURE_POLICY, 20);
	assert_int_equal(attempt_end(attempt), -EPERM);
	assert_named(attempt, "table inet segd");
	/* It goes with its owner. */
	netlink_close(owner);
	apply_policy(attempt, FIXTURE_POLICY);
	assert_first_policy_holds();
}

static void assert_key(
	const struct shape *shape, const uint8_t *key, size_t length, const char *text)
{
	char found[128];

	blame_format_key(shape, key, length, found, sizeof(found));
	assert_string_equal(found, text);
}

static void test_keys_read_well(void **state)
{
	static const struct shape pair = {.fields = {FIELD_IPV4, FIELD_IPV4}};
	static const struct shape port = {.fields = {FIELD_PROTOCOL, FIELD_PORT}};
	static const struct shape sender = {.fields = {FIELD_INTERFACE, FIELD_MAC, FIELD_IPV6}};
	const uint8_t addresses[] = {10, 0, 0, 1, 10, 0, 0, 2},
		      https[] = {6, 0, 0, 0, 1, 187, 0, 0};
	uint8_t sent[28] = {0};
	const uint32_t interface = 7;

	(void)state;
	memcpy(sent, &interface, sizeof(interface));
	memcpy(sent + 4, (const uint8_t[]){2, 0x77, 0, 0, 0, 4}, 6);
	sent[12] = 0xfd;
	sent[27] = 1;
	assert_key(&pair, addresses, sizeof(addresses), "10.0.0.1 . 10.0.0.2");
	assert_key(&port, https, sizeof(https), "6 . 443");
	assert_key(&sender, sent, sizeof(sent), "interface 7 . 2:77:0:0:0:4 . fd00::1");
	/* What is too short reads as zeroes, not beyond its end. */
	assert_key(&pair, addresses, 4, "10.0.0.1 . 0.0.0.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_element_is_refused),
		cmocka_unit_test(test_an_overlap_is_refused),
		cmocka_unit_test(test_an_element_in_the_way),
		cmocka_unit_test(test_a_table_with_an_owner),
		cmocka_unit_test(test_keys_read_well),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
