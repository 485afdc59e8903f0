/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On a real veth, for what test runs cannot make: tags that the kernel has taken out of the frame,
 * headers outside the linear part, frames shorter than an IP header.
 */
#include "base/cleanup.h"
#include "expect.h"
#include "xdp/segd.skel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PATIENCE_NS 2000000000ULL

/* segd_leave on the host side of web's veth, and both sides up. */
static int attach_leave(struct world *world)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)world->web.ifindex,
		.attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options,
		.prog_fd = bpf_program__fd(world->skeleton->progs.segd_leave), .handle = 1,
		.priority = 1);
	static bool attached; /* stays for all tests, as the world does */
	int r;

	if (attached)
		return 0;
	if (system("sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 "
		   "net.ipv6.conf.default.disable_ipv6=1 && "
		   "ip link set web mtu 9000 up && ip link set web-in mtu 9000 up") != 0)
		return -EIO;
	r = bpf_tc_hook_create(&hook);
	if (r < 0)
		return r;
	r = bpf_tc_attach(&hook, &options);
	attached = r == 0;
	return r;
}

/* Only the Ethernet header shall be linear: the kernel does so for frames above a page. */
static int send_raw(const struct frame *frame)
{
	const struct virtio_net_hdr header = {.hdr_len = ETH_HLEN};
	const struct iovec parts[] = {
		{(void *)&header, sizeof(header)}, {(void *)frame->bytes, frame->size}};
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex("web-in")};
	const struct msghdr message = {.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = (struct iovec *)parts,
		.msg_iovlen = ARRAY_SIZE(parts)};
	_cleanup_close_ int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	const int on = 1;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0)
		return -errno;
	return sendmsg(fd, &message, 0) < 0 ? -errno : 0;
}

/* The frame crosses the veth in a softirq that need not have run when sending returns. */
static void expect_reason(struct world *world, const struct frame *frame, enum reason reason)
{
	const uint64_t before = world_counter(world, reason, ABI_EGRESS, NULL);
	const uint64_t deadline_ns = world_now_ns() + PATIENCE_NS;

	assert_int_equal(send_raw(frame), 0);
	while (world_counter(world, reason, ABI_EGRESS, NULL) == before &&
		world_now_ns() < deadline_ns)
		;
	assert_int_equal(world_counter(world, reason, ABI_EGRESS, NULL), before + 1);
}

static void tag_beside_the_frame_is_refused(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct abi_denial_key key = {0};
	struct abi_denial denial;
	struct frame frame = frame_build(&d);

	assert_int_equal(attach_leave(world), 0);
	expect_reason(world, &frame, REASON_POLICY_ALLOWED);
	d.vlan_types[0] = ETHERTYPE_VLAN;
	frame = frame_build(&d);
	expect_reason(world, &frame, REASON_UNSUPPORTED_ETHERTYPE);
	assert_int_equal(world_denial(world, REASON_UNSUPPORTED_ETHERTYPE, &key, &denial), 0);
	assert_int_equal(key.ethertype, ETHERTYPE_VLAN);
}

/* Large frames: only the Ethernet header is in the linear part. */
static void headers_outside_the_linear_part_are_read(void **state)
{
	static const uint8_t body[5000];
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	struct frame_description options = udp(&world->web, &world->api, 5001, 53);
	struct frame frame;

	assert_int_equal(attach_leave(world), 0);
	d.body = options.body = body;
	d.body_size = options.body_size = sizeof(body);
	frame = frame_build(&d);
	expect_reason(world, &frame, REASON_POLICY_ALLOWED);
	assert_int_equal(expect_connection(world, &d).bytes[ABI_ORIGINATOR], frame.size - 14);
	options.ipv4_options = 8;
	options.extensions[0] = IPPROTO_DSTOPTS + 1;
	frame = frame_build(&options);
	expect_reason(world, &frame, REASON_POLICY_ALLOWED);
	expect_connection(world, &options);
	world_isolate(world, &world->web, ABI_EGRESS, DECISION_NONE);
	expect_apply(world);
	expect_reason(world, &frame, REASON_REVOKED);
}

static void frames_shorter_than_an_ip_header_are_malformed(void **state)
{
	struct world *world = *state;
	struct frame_description d = udp(&world->web, &world->api, 5000, 53);
	const struct frame whole = frame_build(&d);

	assert_int_equal(attach_leave(world), 0);
	expect_reason(world, &whole, REASON_POLICY_ALLOWED);
	for (size_t size = ETH_HLEN + 1; size < whole.transport; size += 3) {
		struct frame frame = whole;

		frame.size = size;
		expect_reason(world, &frame, REASON_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(tag_beside_the_frame_is_refused),
		FOR_BOTH(headers_outside_the_linear_part_are_read),
		FOR_BOTH(frames_shorter_than_an_ip_header_are_malformed),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "hooks");
}
