/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real namespaces and veths. This process's own namespace is the node. */
#include "tests/unit/workload/support.h"

#include "workload/netns.h"

#include <net/if.h>
#include <sys/stat.h>

#define NODE  "workload-node"
#define ONE   "workload-one"
#define TWO   "workload-two"
#define PATH  "/run/netns/"
#define INONE "ip -n " ONE " "

struct view {
	struct netns_interface *items;
	size_t count;
};

static struct view look(const char *path)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct view view = {NULL, 0};

	if (netns_list_interfaces(path, &view.items, &view.count, &error) < 0)
		fail_msg("%s", error_message(&error));
	return view;
}

static const struct netns_interface *find(const struct view *view, const char *name)
{
	for (size_t i = 0; i < view->count; i++)
		if (strcmp(view->items[i].name, name) == 0)
			return &view->items[i];
	fail_msg("no interface %s", name);
	return NULL;
}

static bool has_address(const struct netns_interface *interface, const char *text)
{
	struct address address = parse_address(text);

	for (size_t i = 0; i < interface->addresses_count; i++)
		if (address_equal(&interface->addresses[i], &address))
			return true;
	return false;
}

/* The namespace of this thread, as the kernel identifies it. */
static ino_t own_namespace(void)
{
	struct stat status;

	assert_int_equal(stat("/proc/thread-self/ns/net", &status), 0);
	return status.st_ino;
}

static int set_up(void **state)
{
	(void)state;
	enter_node(NODE);
	return shell("ip netns del " ONE " 2>/dev/null; ip netns del " TWO " 2>/dev/null; "
		     "ip netns add " ONE " && ip netns add " TWO " && " INONE "link set lo up");
}

static int tear_down(void **state)
{
	(void)state;
	shell("ip netns del " ONE "; ip netns del " TWO);
	leave_node(NODE);
	return 0;
}

static void test_empty(void **state)
{
	struct view view = look(PATH ONE);

	(void)state;
	assert_int_equal(view.count, 0); /* loopback does not count */
	netns_interfaces_free(view.items, view.count);
}

static void test_veths_to_the_node(void **state)
{
	static const uint8_t mac[] = {0x02, 0, 0, 0, 0, 0x11};
	const struct netns_interface *first, *second;
	ino_t before = own_namespace();
	struct view view;

	(void)state;
	assert_shell("ip link add host-a type veth peer name eth0 address 02:00:00:00:00:11 "
		     "netns " ONE);
	assert_shell("ip link add host-b type veth peer name eth1 netns " ONE);
	assert_shell(INONE "address add 10.99.0.2/24 dev eth0 && " INONE
			   "address add fd99::2/64 dev eth0 nodad && " INONE
			   "address add 169.254.1.1/16 dev eth0 && " INONE
			   "address add 10.99.1.2/24 dev eth1 && " INONE
			   "link set eth0 up && ip link set host-a up");
	view = look(PATH ONE);
	assert_int_equal(view.count, 2);
	first = find(&view, "eth0");
	second = find(&view, "eth1");
	assert_memory_equal(first->mac, mac, sizeof(mac));
	assert_int_equal(first->peer, if_nametoindex("host-a"));
	assert_string_equal(first->peer_name, "host-a");
	assert_int_equal(second->peer, if_nametoindex("host-b"));
	/* Without link-local ones, of which fe80:: is there by itself. */
	assert_int_equal(first->addresses_count, 2);
	assert_true(has_address(first, "10.99.0.2"));
	assert_true(has_address(first, "fd99::2"));
	assert_int_equal(second->addresses_count, 1);
	assert_true(has_address(second, "10.99.1.2"));
	netns_interfaces_free(view.items, view.count);
	assert_int_equal(own_namespace(), before);
	assert_shell("ip link del host-a && ip link del host-b");
}

/* A number that means one thing there and another here must not be taken for the node's. */
static void test_other_end_in_a_third_namespace(void **state)
{
	struct view view;

	(void)state;
	assert_shell(INONE "link add eth0 index 600 type veth peer name far index 500 netns " TWO);
	assert_shell("ip -n " TWO " -o link show far | grep -q '^500: '");
	/* On the node these numbers are the two ends of a veth, too: only the namespace differs. */
	assert_shell("ip link add host-x index 500 type veth peer name host-y index 600");
	view = look(PATH ONE);
	assert_int_equal(view.count, 1);
	assert_int_equal(find(&view, "eth0")->peer, 0);
	assert_string_equal(find(&view, "eth0")->peer_name, "");
	netns_interfaces_free(view.items, view.count);

	/* The same where the node's number leads to a third namespace. */
	assert_shell("ip link del host-x && ip link add host-x index 500 type veth "
		     "peer name near index 600 netns " TWO);
	view = look(PATH ONE);
	assert_int_equal(find(&view, "eth0")->peer, 0);
	netns_interfaces_free(view.items, view.count);

	/* And where it leads back, but to another interface. */
	assert_shell("ip link del host-x && ip link add host-x index 500 type veth "
		     "peer name near index 700 netns " ONE);
	view = look(PATH ONE);
	assert_int_equal(find(&view, "eth0")->peer, 0);
	assert_int_equal(find(&view, "near")->peer, 500);
	netns_interfaces_free(view.items, view.count);
	assert_shell(INONE "link del eth0 && ip link del host-x");
}

/* Two namespaces that reach the node by ends of the same number inside. */
static void test_same_number_inside(void **state)
{
	struct view one, two;

	(void)state;
	assert_shell("ip link add host-1 index 301 type veth peer name eth0 index 77 netns " ONE);
	assert_shell("ip link add host-2 index 302 type veth peer name eth0 index 77 netns " TWO);
	one = look(PATH ONE);
	two = look(PATH TWO);
	assert_int_equal(find(&one, "eth0")->ifindex, 77);
	assert_int_equal(find(&two, "eth0")->ifindex, 77);
	assert_int_equal(find(&one, "eth0")->peer, if_nametoindex("host-1"));
	assert_int_equal(find(&two, "eth0")->peer, if_nametoindex("host-2"));
	netns_interfaces_free(one.items, one.count);
	netns_interfaces_free(two.items, two.count);
	assert_shell("ip link del host-1 && ip link del host-2");
}

static void test_both_ends_inside(void **state)
{
	struct view view;

	(void)state;
	assert_shell(INONE "link add in-a type veth peer name in-b");
	view = look(PATH ONE);
	assert_int_equal(view.count, 2);
	assert_int_equal(find(&view, "in-a")->peer, 0);
	assert_int_equal(find(&view, "in-b")->peer, 0);
	netns_interfaces_free(view.items, view.count);
	assert_shell(INONE "link del in-a");
}

static void test_other_kinds(void **state)
{
	struct view view;

	(void)state;
	assert_shell(INONE "link add bridge type bridge");
	view = look(PATH ONE);
	assert_int_equal(find(&view, "bridge")->peer, 0);
	netns_interfaces_free(view.items, view.count);
	assert_shell(INONE "link del bridge");
}

/* More than one datagram's worth. */
static void test_many(void **state)
{
	struct view view;

	(void)state;
	assert_shell("for i in $(seq 60); do "
		     "echo link add m$i type veth peer name e$i netns " ONE "; done | ip -batch -");
	assert_shell("for i in $(seq 60); do echo address add 10.98.$i.1/24 dev e$i; done | " INONE
		     "-batch -");
	view = look(PATH ONE);
	assert_int_equal(view.count, 60);
	for (size_t i = 0; i < view.count; i++) {
		char peer[16];

		snprintf(peer, sizeof(peer), "m%s", view.items[i].name + 1);
		assert_string_equal(view.items[i].peer_name, peer);
		assert_int_equal(view.items[i].addresses_count, 1);
	}
	netns_interfaces_free(view.items, view.count);
	assert_shell("for i in $(seq 60); do echo link del m$i; done | ip -batch -");
}

static void test_no_namespace(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct netns_interface *items = NULL;
	ino_t before = own_namespace();
	size_t count = 4711;

	(void)state;
	assert_int_equal(netns_list_interfaces(PATH "nowhere", &items, &count, &error), -ENOENT);
	assert_non_null(strstr(error_message(&error), PATH "nowhere"));
	assert_int_equal(netns_list_interfaces("/dev/null", &items, &count, &error), -EINVAL);
	/* Of another kind. */
	assert_int_equal(
		netns_list_interfaces("/proc/self/ns/uts", &items, &count, &error), -EINVAL);
	assert_null(items);
	assert_int_equal(count, 4711);
	assert_int_equal(own_namespace(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_veths_to_the_node),
		cmocka_unit_test(test_other_end_in_a_third_namespace),
		cmocka_unit_test(test_same_number_inside),
		cmocka_unit_test(test_both_ends_inside),
		cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_namespace),
	};

	if (!can_make_namespaces())
		return 0;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
