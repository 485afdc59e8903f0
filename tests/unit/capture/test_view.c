// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "capture/scope.h"
#include "capture/view.h"

/* web and api are ports 11 and 12 of bridge 5, db is 20 without a bridge, inside is a macvlan; 6 is
 * another port of the bridge, 2 the uplink. */
enum {
	UPLINK = 2,
	BRIDGE = 5,
	PORT = 6,
	WEB = 11,
	API = 12,
	DB = 20,
	INSIDE = 30,
};

struct node {
	struct view view;
	struct frame frame;
};

static void add(struct view *view, uint32_t ifindex, uint32_t master, const char *workload,
	const char *text)
{
	struct view_interface *interface;
	struct address address;

	assert_int_equal(view_add_interface(view, &interface), 0);
	interface->ifindex = interface->number = ifindex;
	interface->master = master;
	interface->is_bridge = ifindex == BRIDGE;
	interface->workload = workload ? strdup(workload) : NULL;
	interface->netns = ifindex == INSIDE ? strdup("/run/netns/x") : NULL;
	if (!text)
		return;
	assert_int_equal(address_parse(text, &address), 0);
	assert_int_equal(view_add_address(interface, &address), 0);
}

static int setup(void **state)
{
	struct node *node = calloc(1, sizeof(*node));

	add(&node->view, INSIDE, 0, "shop/inside", "10.0.0.4");
	add(&node->view, API, BRIDGE, "shop/api", "10.0.0.2");
	add(&node->view, WEB, BRIDGE, "shop/web", "10.0.0.1");
	add(&node->view, DB, 0, "shop/db", "10.0.0.3");
	add(&node->view, BRIDGE, 0, NULL, NULL);
	add(&node->view, PORT, BRIDGE, NULL, NULL);
	add(&node->view, UPLINK, 0, NULL, NULL);
	assert_int_equal(view_finish(&node->view), 0);
	node->view.judges_at_interface = true;
	node->view.ends[0].is_any = true;
	node->view.is_of_all = true;
	*state = node;
	return 0;
}

static int teardown(void **state)
{
	struct node *node = *state;

	view_clear(&node->view);
	free(node);
	return 0;
}

static const struct view_interface *at(const struct view *view, uint32_t ifindex)
{
	for (size_t i = 0; i < view->interfaces_count; i++)
		if (view->interfaces[i].ifindex == ifindex)
			return &view->interfaces[i];
	return NULL;
}

static void assert_place(struct node *node, uint32_t ifindex, bool is_outgoing, const char *source,
	const char *destination, enum view_place place)
{
	const struct capture_packet *packet =
		frame_udp(&node->frame, source, 1, destination, 2, START_NS);

	assert_int_equal(
		view_place(&node->view, at(&node->view, ifindex), is_outgoing, packet), place);
}

static void test_between_workloads(void **state)
{
	struct node *node = *state;

	assert_place(node, WEB, false, "10.0.0.1", "10.0.0.2", VIEW_LEAVES);
	assert_place(node, BRIDGE, false, "10.0.0.1", "10.0.0.2", VIEW_ELSEWHERE);
	assert_place(node, BRIDGE, true, "10.0.0.1", "10.0.0.2", VIEW_ELSEWHERE);
	assert_place(node, API, true, "10.0.0.1", "10.0.0.2", VIEW_ELSEWHERE);
	/* Flooded, multicast: what the one gets is not what the other has sent it. */
	assert_place(node, API, true, "10.0.0.1", "224.0.0.1", VIEW_PASSED);
}

static void test_from_elsewhere(void **state)
{
	struct node *node = *state;
	const char *world = "192.0.2.1";

	/* eBPF judges at the veth: the bridge's tap, and where there is no bridge the uplink's. */
	assert_place(node, UPLINK, false, world, "10.0.0.2", VIEW_ELSEWHERE);
	assert_place(node, BRIDGE, true, world, "10.0.0.2", VIEW_ARRIVES);
	assert_place(node, PORT, false, world, "10.0.0.2", VIEW_ARRIVES);
	assert_place(node, API, true, world, "10.0.0.2", VIEW_PASSED);
	assert_place(node, UPLINK, false, world, "10.0.0.3", VIEW_ARRIVES);
	assert_place(node, DB, true, world, "10.0.0.3", VIEW_PASSED);
	assert_place(node, UPLINK, false, world, "192.0.2.9", VIEW_ELSEWHERE);
	/* nftables judges in the node's stack. */
	node->view.judges_at_interface = false;
	assert_place(node, UPLINK, false, world, "10.0.0.2", VIEW_ARRIVES);
	assert_place(node, BRIDGE, true, world, "10.0.0.2", VIEW_ELSEWHERE);
	assert_place(node, BRIDGE, false, world, "10.0.0.2", VIEW_ELSEWHERE);
	assert_place(node, PORT, false, world, "10.0.0.2", VIEW_ARRIVES);
}

static void test_inside(void **state)
{
	struct node *node = *state;

	assert_place(node, INSIDE, true, "10.0.0.4", "10.0.0.2", VIEW_PASSED);
	assert_place(node, INSIDE, false, "192.0.2.1", "10.0.0.4", VIEW_ENTERS);
	assert_place(node, INSIDE, false, "10.0.0.1", "10.0.0.4", VIEW_ELSEWHERE);
	assert_place(node, API, true, "10.0.0.4", "10.0.0.2", VIEW_ELSEWHERE);
	/* Without a tap there, it is taken where it comes out. */
	node->view.is_of_all = false;
	assert_place(node, API, true, "10.0.0.4", "10.0.0.2", VIEW_PASSED);
}

/* --- scope --------------------------------------------------------------------------------------
 */

static void want(struct view *view, int end, uint32_t ifindex, const char *text)
{
	struct address address;

	address_parse(text, &address);
	view->ends[end].is_any = false;
	view_end_add(&view->ends[end], &address);
	((struct view_interface *)at(view, ifindex))->is_wanted[end] = true;
}

static bool has(struct node *node, const struct scope *scope, uint32_t ifindex,
	enum view_place place, const char *source, const char *destination, bool by_originator)
{
	const struct judgement judgement = {
		.verdict = place == VIEW_ARRIVES ? FLOW_REFUSED : FLOW_ALLOWED,
		.by_originator = by_originator};
	const struct capture_packet *packet =
		frame_udp(&node->frame, source, 53, destination, 4000, START_NS);

	return scope_has(scope, &node->view, at(&node->view, ifindex), place, packet, &judgement);
}

static void test_one_workload(void **state)
{
	struct node *node = *state;
	const struct scope scope = {0};

	want(&node->view, 0, API, "10.0.0.2");
	assert_true(has(node, &scope, API, VIEW_LEAVES, "10.0.0.2", "10.0.0.1", true));
	assert_true(has(node, &scope, WEB, VIEW_LEAVES, "10.0.0.1", "10.0.0.2", true));
	assert_true(has(node, &scope, API, VIEW_PASSED, "192.0.2.1", "10.0.0.2", true));
	assert_true(has(node, &scope, BRIDGE, VIEW_ARRIVES, "192.0.2.1", "10.0.0.2", true));
	assert_false(has(node, &scope, WEB, VIEW_LEAVES, "10.0.0.1", "10.0.0.3", true));
	/* It lies about its address, and is itself all the same. */
	assert_true(has(node, &scope, API, VIEW_LEAVES, "10.0.0.9", "10.0.0.3", true));
	assert_false(has(node, &scope, WEB, VIEW_LEAVES, "10.0.0.2", "10.0.0.3", true));
	/* A copy that went to another port is the other's. */
	assert_false(has(node, &scope, WEB, VIEW_PASSED, "192.0.2.1", "10.0.0.2", true));
}

static void test_pairs(void **state)
{
	struct node *node = *state;
	struct scope scope = {.is_pair = true};

	want(&node->view, 0, WEB, "10.0.0.1");
	want(&node->view, 1, API, "10.0.0.2");
	assert_true(has(node, &scope, WEB, VIEW_LEAVES, "10.0.0.1", "10.0.0.2", true));
	assert_true(has(node, &scope, API, VIEW_LEAVES, "10.0.0.2", "10.0.0.1", true));
	assert_false(has(node, &scope, WEB, VIEW_LEAVES, "10.0.0.1", "10.0.0.3", true));
	scope.is_directed = true;
	assert_true(has(node, &scope, WEB, VIEW_LEAVES, "10.0.0.1", "10.0.0.2", true));
	assert_false(has(node, &scope, WEB, VIEW_LEAVES, "10.0.0.1", "10.0.0.2", false));
	assert_true(has(node, &scope, API, VIEW_LEAVES, "10.0.0.2", "10.0.0.1", false));
}

static void test_ports_and_verdicts(void **state)
{
	struct node *node = *state;
	struct scope scope = {.has_port = true, .port = 4000};

	assert_true(has(node, &scope, WEB, VIEW_LEAVES, "10.0.0.1", "10.0.0.2", true));
	assert_false(has(node, &scope, WEB, VIEW_LEAVES, "10.0.0.1", "10.0.0.2", false));
	scope.port = 53;
	assert_true(has(node, &scope, WEB, VIEW_LEAVES, "10.0.0.1", "10.0.0.2", false));
	scope = (struct scope){.only_refused = true};
	assert_false(has(node, &scope, WEB, VIEW_LEAVES, "10.0.0.1", "10.0.0.2", true));
	assert_true(has(node, &scope, BRIDGE, VIEW_ARRIVES, "192.0.2.1", "10.0.0.2", true));
	assert_false(has(node, &scope, BRIDGE, VIEW_ELSEWHERE, "192.0.2.1", "10.0.0.2", true));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_between_workloads),
		TEST(test_from_elsewhere),
		TEST(test_inside),
		TEST(test_one_workload),
		TEST(test_pairs),
		TEST(test_ports_and_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
