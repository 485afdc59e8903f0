// SPDX-License-Identifier: GPL-2.0-or-later
#include "network.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/mount.h>

/* Neighbours once found are believed for good: while one end's policy says that an address is not
 * its own, a renewed search for it would fail, and that is not what is tested here. */
#define REACHABLE_MS "36000000"

const char *topology_name(enum topology topology)
{
	return topology == TOPOLOGY_BRIDGE ? "bridge" : "routed";
}

__attribute__((format(printf, 2, 3))) static int run(struct error *error, const char *format, ...)
{
	_cleanup_free_ char *command = NULL;
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = vasprintf(&command, format, arguments);
	va_end(arguments);
	if (r < 0)
		return error_nomem(error);
	r = system(command);
	return r ? error_set(error, -EIO, "%s: status %#x", command, r) : 0;
}

static int enter(const struct network *network, unsigned int place, struct error *error)
{
	if (setns(network->spaces[place], CLONE_NEWNET) < 0)
		return error_errno(error, -errno, "enter a network namespace");
	return 0;
}

/* All answers come at once, none is spared, and nobody looks for routers. */
static int settle(struct error *error)
{
	return run(error, "cd /proc/sys/net && for d in all default; do "
			  "echo 0 >ipv4/conf/$d/rp_filter; echo 0 >ipv6/conf/$d/accept_ra; "
			  "echo 0 >ipv6/conf/$d/accept_dad; "
			  "echo 0 >ipv6/conf/$d/router_solicitations; done && "
			  "echo 0 >ipv4/icmp_ratemask && echo 0 >ipv6/icmp/ratelimit && "
			  "ip link set lo up");
}

static int make_space(struct network *network, unsigned int place, struct error *error)
{
	if (unshare(CLONE_NEWNET) < 0)
		return error_errno(error, -errno, "make a network namespace");
	network->spaces[place] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (network->spaces[place] < 0)
		return error_errno(error, -errno, "open a network namespace");
	return settle(error);
}

static int add_veth(const struct network *network, unsigned int place, struct error *error)
{
	return run(error,
		"ip link add v%u type veth peer name eth0 netns /proc/%d/fd/%d && "
		"ip link set v%u up && for f in 4 6; do "
		"echo " REACHABLE_MS " >/proc/sys/net/ipv$f/neigh/v%u/base_reachable_time_ms; done",
		place, getpid(), network->spaces[place], place, place);
}

static int add_addresses(
	unsigned int place, const char *ipv4_length, const char *ipv6_length, struct error *error)
{
	struct place description = place_describe(place);
	int r = 0;

	for (size_t i = 0; !r && i < description.addresses_count; i++) {
		bool ipv4 = address_is_ipv4(&description.addresses[i]);

		r = run(error, "ip address add %s/%s dev eth0 %s", description.texts[i],
			ipv4 ? ipv4_length : ipv6_length, ipv4 ? "" : "nodad");
	}
	return r;
}

static int furnish(const struct network *network, unsigned int place, const char *ipv4_length,
	const char *ipv6_length, const char *routes, struct error *error)
{
	int r = enter(network, place, error);

	if (!r)
		r = run(error, "ip link set eth0 up && for f in 4 6; do echo " REACHABLE_MS
			       " >/proc/sys/net/ipv$f/neigh/eth0/base_reachable_time_ms; done");
	if (!r)
		r = add_addresses(place, ipv4_length, ipv6_length, error);
	if (!r)
		r = run(error, "%s", routes);
	return r ? r : enter(network, PLACE_NODE, error);
}

static int add_outside(const struct network *network, struct error *error)
{
	int r = add_veth(network, PLACE_OUTSIDE, error);

	if (!r)
		r = run(error,
			"ip address add 192.0.2.1/24 dev v%u && "
			"ip address add 2001:db8::1/64 dev v%u nodad && "
			"ip route add 198.51.100.0/24 via 192.0.2.10",
			PLACE_OUTSIDE, PLACE_OUTSIDE);
	if (!r)
		r = furnish(network, PLACE_OUTSIDE, "24", "64",
			"ip route add default via 192.0.2.1 && "
			"ip route add default via 2001:db8::1",
			error);
	/* The one address that is not on the link; the kernel finds it by its neighbour. */
	return r ? r : run(error, "ip route add 2001:db8:1::/64 via 2001:db8::10");
}

static int add_bridge_port(const struct network *network, unsigned int place, struct error *error)
{
	int r = add_veth(network, place, error);

	if (!r)
		r = run(error, "ip link set v%u master br0", place);
	return r ? r
		 : furnish(network, place, "16", "48",
			   "ip route add default via 10.77.0.1 && ip route add default via fd77::1",
			   error);
}

static int add_routed_port(const struct network *network, unsigned int place, struct error *error)
{
	struct place description = place_describe(place);
	int r = add_veth(network, place, error);

	if (!r)
		r = run(error,
			"ip address add 10.77.0.1/32 dev v%u && "
			"ip address add fd77::1/128 dev v%u nodad",
			place, place);
	for (size_t i = 0; !r && i < description.addresses_count; i++)
		r = run(error, "ip route add %s dev v%u", description.texts[i], place);
	return r ? r
		 : furnish(network, place, "32", "128",
			   "ip route add 10.77.0.1 dev eth0 && ip route add fd77::1 dev eth0 && "
			   "ip route add default via 10.77.0.1 && ip route add default via fd77::1",
			   error);
}

static int build_node(enum topology topology, struct error *error)
{
	int r = run(error, "echo 1 >/proc/sys/net/ipv4/ip_forward && "
			   "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");

	if (r || topology != TOPOLOGY_BRIDGE)
		return r;
	return run(error, "ip link add br0 type bridge ageing_time 3600000 && "
			  "ip address add 10.77.0.1/16 dev br0 && "
			  "ip address add fd77::1/48 dev br0 nodad && ip link set br0 up && "
			  "for f in 4 6; do echo " REACHABLE_MS
			  " >/proc/sys/net/ipv$f/neigh/br0/base_reachable_time_ms; done");
}

static int list_interfaces(struct network *network, struct error *error)
{
	char path[64];
	size_t count;
	int r = 0;

	for (unsigned int i = 0; !r && i < PLACE_WORKLOADS; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", network->spaces[i]);
		r = netns_list_interfaces(path, &network->interfaces[i], &count, error);
		if (!r && count != 1)
			r = error_set(error, -EIO, "a workload with %zu interfaces", count);
	}
	return r;
}

static int make_mounts(struct error *error)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/mnt", "tmpfs", 0, NULL) < 0)
		return error_errno(error, -errno, "make a mount namespace");
	return 0;
}

int network_build(enum topology topology, struct network *ret, struct error *error)
{
	struct network network = NETWORK_INIT;
	int r = make_mounts(error);

	for (unsigned int i = 0; !r && i < PLACES; i++)
		r = make_space(&network, i, error);
	if (!r) /* the last one made is the node: here we stay */
		r = build_node(topology, error);
	for (unsigned int i = 0; !r && i < PLACE_WORKLOADS; i++)
		r = topology == TOPOLOGY_BRIDGE ? add_bridge_port(&network, i, error)
						: add_routed_port(&network, i, error);
	if (!r)
		r = add_outside(&network, error);
	if (!r)
		r = list_interfaces(&network, error);
	if (r < 0)
		return error_context(error, r, "build the %s network", topology_name(topology));
	*ret = network;
	return 0;
}

void network_clear(struct network *network)
{
	for (unsigned int i = 0; i < PLACE_WORKLOADS; i++)
		netns_interfaces_free(network->interfaces[i], 1);
	for (unsigned int i = 0; i < PLACES; i++)
		closep(&network->spaces[i]);
	*network = (struct network)NETWORK_INIT;
}
