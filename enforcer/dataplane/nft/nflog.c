/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/nflog.h"

#include "base/cleanup.h"
#include "dataplane/nft/netlink.h"

#include <netinet/in.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#define REQUEST_BYTES    512
#define EXTENSIONS_MAX   8
#define TCP_FLAGS_OFFSET 13
#define NO_TRANSPORT     SIZE_MAX

static struct nlmsghdr *configuration(char *buffer, uint16_t group)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header;

	message->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->nfgen_family = AF_UNSPEC;
	header->version = NFNETLINK_V0;
	header->res_id = htons(group);
	return message;
}

int nflog_open(uint16_t group, uint32_t bytes, struct mnl_socket **ret, struct error *error)
{
	static const int no_groups[] = {0};
	const struct nfulnl_msg_config_cmd bind = {.command = NFULNL_CFG_CMD_BIND};
	const struct nfulnl_msg_config_mode mode = {
		.copy_range = htonl(bytes), .copy_mode = NFULNL_COPY_PACKET};
	_cleanup_(netlink_closep) struct mnl_socket *socket = NULL;
	char buffer[REQUEST_BYTES];
	struct nlmsghdr *message;
	int r = netlink_open_events(no_groups, &socket, error);

	if (r < 0)
		return r;
	message = configuration(buffer, group);
	mnl_attr_put(message, NFULA_CFG_CMD, sizeof(bind), &bind);
	mnl_attr_put(message, NFULA_CFG_MODE, sizeof(mode), &mode);
	/* Each packet at once: only the first of its kind comes here. */
	mnl_attr_put_u32(message, NFULA_CFG_QTHRESH, htonl(1));
	r = netlink_query(socket, message, NULL, NULL);
	if (r < 0)
		return error_errno(error, r, "bind to NFLOG group %u", group);
	*ret = TAKE_PTR(socket);
	return 0;
}

/* The transport header behind extension headers; NO_TRANSPORT in later fragments. */
static size_t skip_extensions(const uint8_t *bytes, size_t size, uint8_t *protocol)
{
	size_t at = sizeof(struct ip6_hdr);

	for (unsigned int i = 0; i < EXTENSIONS_MAX; i++) {
		const struct ip6_frag *fragment = (const void *)(bytes + at);

		switch (*protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			if (at + 2 > size)
				return NO_TRANSPORT;
			*protocol = bytes[at];
			at += 8 * (1 + (size_t)bytes[at + 1]);
			break;
		case IPPROTO_FRAGMENT:
			if (at + sizeof(*fragment) > size)
				return NO_TRANSPORT;
			*protocol = fragment->ip6f_nxt;
			if (fragment->ip6f_offlg & IP6F_OFF_MASK)
				return NO_TRANSPORT;
			at += sizeof(*fragment);
			break;
		default:
			return at;
		}
	}
	return NO_TRANSPORT;
}

static uint16_t read_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void parse_transport(
	const uint8_t *packet_bytes, size_t at, size_t packet_size, struct nflog_packet *packet)
{
	const uint8_t *bytes = packet_bytes + at;
	size_t size = packet_size - at;
	bool icmp = packet->protocol == IPPROTO_ICMP || packet->protocol == IPPROTO_ICMPV6;
	bool ports = packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP ||
		     packet->protocol == IPPROTO_SCTP;

	if (size < 4 || (!icmp && !ports))
		return;
	packet->has_transport = true;
	packet->transport = at;
	if (icmp) {
		packet->destination_port = read_u16(bytes);
		return;
	}
	packet->source_port = read_u16(bytes);
	packet->destination_port = read_u16(bytes + 2);
	if (packet->protocol == IPPROTO_TCP && size > TCP_FLAGS_OFFSET)
		packet->tcp_flags = bytes[TCP_FLAGS_OFFSET];
}

static int parse_ipv4(const uint8_t *bytes, size_t size, struct nflog_packet *packet)
{
	const struct iphdr *header = (const void *)bytes;
	size_t length;

	if (size < sizeof(*header))
		return -EINVAL;
	length = (size_t)header->ihl * 4;
	packet->ethertype = ETHERTYPE_IP;
	packet->source = address_from_ipv4(&header->saddr);
	packet->destination = address_from_ipv4(&header->daddr);
	packet->protocol = header->protocol;
	packet->bytes = ntohs(header->tot_len);
	if (length >= sizeof(*header) && length <= size && !(ntohs(header->frag_off) & IP_OFFMASK))
		parse_transport(bytes, length, size, packet);
	return 0;
}

static int parse_ipv6(const uint8_t *bytes, size_t size, struct nflog_packet *packet)
{
	const struct ip6_hdr *header = (const void *)bytes;
	size_t at;

	if (size < sizeof(*header))
		return -EINVAL;
	packet->ethertype = ETHERTYPE_IPV6;
	packet->source = address_from_ipv6(&header->ip6_src);
	packet->destination = address_from_ipv6(&header->ip6_dst);
	packet->protocol = header->ip6_nxt;
	packet->bytes = sizeof(*header) + ntohs(header->ip6_plen);
	at = skip_extensions(bytes, size, &packet->protocol);
	if (at < size)
		parse_transport(bytes, at, size, packet);
	return 0;
}

int nflog_parse_payload(const uint8_t *bytes, size_t size, struct nflog_packet *packet)
{
	if (!size)
		return -EINVAL;
	switch (bytes[0] >> 4) {
	case 4:
		return parse_ipv4(bytes, size, packet);
	case 6:
		return parse_ipv6(bytes, size, packet);
	default:
		return -EINVAL;
	}
}

struct attributes {
	const struct nlattr *items[NFULA_MAX + 1];
};

static int collect(const struct nlattr *attribute, void *userdata)
{
	struct attributes *attributes = userdata;

	if (mnl_attr_get_type(attribute) <= NFULA_MAX)
		attributes->items[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

static uint32_t get_u32(const struct nlattr *attribute)
{
	return attribute ? ntohl(mnl_attr_get_u32(attribute)) : 0;
}

static void parse_link_layer(const struct attributes *attributes, struct nflog_packet *packet)
{
	const struct nlattr *header = attributes->items[NFULA_HWHEADER];
	const struct ether_header *ethernet = header ? mnl_attr_get_payload(header) : NULL;

	packet->ifindex = get_u32(attributes->items[NFULA_IFINDEX_PHYSINDEV]);
	if (!packet->ifindex)
		packet->ifindex = get_u32(attributes->items[NFULA_IFINDEX_INDEV]);
	if (!header || mnl_attr_get_payload_len(header) != sizeof(*ethernet))
		return;
	memcpy(packet->source_mac, ethernet->ether_shost, sizeof(packet->source_mac));
	memcpy(packet->destination_mac, ethernet->ether_dhost, sizeof(packet->destination_mac));
}

const uint8_t *nflog_payload(const struct nlmsghdr *message, size_t *ret_size)
{
	struct attributes attributes = {0};
	const struct nlattr *payload;

	mnl_attr_parse(message, sizeof(struct nfgenmsg), collect, &attributes);
	payload = attributes.items[NFULA_PAYLOAD];
	if (!payload)
		return NULL;
	*ret_size = mnl_attr_get_payload_len(payload);
	return mnl_attr_get_payload(payload);
}

int nflog_parse(const struct nlmsghdr *message, struct nflog_packet *ret)
{
	struct attributes attributes = {0};
	struct nflog_packet packet = {0};
	const struct nlattr *payload;
	int r;

	if (message->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
		return -EINVAL;
	mnl_attr_parse(message, sizeof(struct nfgenmsg), collect, &attributes);
	payload = attributes.items[NFULA_PAYLOAD];
	if (!payload || !attributes.items[NFULA_PREFIX])
		return -EINVAL;
	snprintf(packet.prefix, sizeof(packet.prefix), "%s",
		mnl_attr_get_str(attributes.items[NFULA_PREFIX]));
	parse_link_layer(&attributes, &packet);
	r = nflog_parse_payload(
		mnl_attr_get_payload(payload), mnl_attr_get_payload_len(payload), &packet);
	if (!r)
		*ret = packet;
	return r;
}
