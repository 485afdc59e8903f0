/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an apply sends, by the kernel's own announcements of it. */
#include "dataplane/nft/netlink.h"
#include "village_agent.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define SETS_MAX 32

struct tally {
	char sets[SETS_MAX][64];
	unsigned int elements[SETS_MAX];
	unsigned int sets_count;
	unsigned int current; /* the list's set, whose name comes before its elements */
	unsigned int transactions;
	unsigned int messages[NFT_MSG_MAX];
};

static int take_list(const struct nlattr *attribute, void *userdata)
{
	struct tally *tally = userdata;
	const struct nlattr *element;

	if (mnl_attr_get_type(attribute) == NFTA_SET_ELEM_LIST_SET) {
		const char *name = mnl_attr_get_str(attribute);
		unsigned int i = 0;

		while (i < tally->sets_count && strcmp(tally->sets[i], name) != 0)
			i++;
		assert_true(i < SETS_MAX);
		snprintf(tally->sets[i], sizeof(tally->sets[i]), "%s", name);
		tally->sets_count += i == tally->sets_count;
		tally->current = i;
	}
	if (mnl_attr_get_type(attribute) == NFTA_SET_ELEM_LIST_ELEMENTS)
		mnl_attr_for_each_nested(element, attribute) tally->elements[tally->current]++;
	return MNL_CB_OK;
}

static int take_announcement(const struct nlmsghdr *message, void *userdata)
{
	struct tally *tally = userdata;
	unsigned int type = message->nlmsg_type & 0xff;

	tally->messages[type]++;
	tally->transactions += type == NFT_MSG_NEWGEN;
	if (type == NFT_MSG_NEWSETELEM || type == NFT_MSG_DELSETELEM)
		mnl_attr_parse(message, sizeof(struct nfgenmsg), take_list, tally);
	return MNL_CB_OK;
}

static struct tally read_announcements(struct mnl_socket *socket)
{
	struct tally tally = {0};

	while (!netlink_receive(socket, take_announcement, &tally))
		;
	assert_int_equal(netlink_drops(socket), 0);
	return tally;
}

static unsigned int elements_of(const struct tally *tally, const char *set)
{
	for (unsigned int i = 0; i < tally->sets_count; i++)
		if (!strcmp(tally->sets[i], set))
			return tally->elements[i];
	return 0;
}

/* One more workload, attached: itself in maps and sets, and the chains of its interface. */
static void test_a_workload_more(void **state)
{
	static const int groups[] = {NFNLGRP_NFTABLES, 0};
	static const struct {
		const char *set;
		unsigned int elements;
	} expected[] = {
		{"ingress4", 1},
		{"egress4", 1},
		{"workloads4", 1},
		{"self4", 1}, /* 10.78.0.1 */
		{"macs", 1},
		{"own4", 1},
		{"own6", 1},
		{"at4", 1},
		{"at6", 1},
		{"claims6", 2},
	};
	struct agent *agent = *state;
	unsigned int known = 0;
	struct mnl_socket *socket;
	struct tally tally;

	assert_int_equal(netlink_open_events(groups, &socket, NULL), 0);
	apply_some(agent, FIXTURE_POLICY, false, 1000, 3);
	read_announcements(socket);
	apply_some(agent, FIXTURE_POLICY, false, 1000, 3);
	tally = read_announcements(socket);
	assert_int_equal(tally.transactions, 0);

	apply_some(agent, FIXTURE_POLICY, false, 1001, 4);
	tally = read_announcements(socket);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		known += !!elements_of(&tally, expected[i].set);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_int_equal(elements_of(&tally, expected[i].set), expected[i].elements);
	assert_int_equal(known, tally.sets_count);
	assert_int_equal(tally.messages[NFT_MSG_NEWCHAIN], 2);
	assert_int_equal(tally.messages[NFT_MSG_NEWRULE], 2);
	assert_int_equal(tally.messages[NFT_MSG_NEWSET], 0);
	assert_int_equal(tally.transactions, 2); /* netdev and inet */
	netlink_close(socket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_workload_more, set_up, tear_down),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
