/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/tap.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/network_namespace.h"
#include "capture/pcapng.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_BYTES    (8 << 20) /* of the socket */
#define PACKETS_AT_ONCE 64
#define TAG_BYTES       4
#define TAG_OFFSET      12

struct tap {
	int socket;
	sd_event_source *source;
	void (*packet)(struct tap *tap, const struct tap_packet *packet, void *userdata);
	void *userdata;
	uint64_t drops;
	uint8_t bytes[TAG_BYTES + PCAPNG_SNAP_MAX]; /* first, room for a tag to be put back */
};

/* --- one packet ---------------------------------------------------------------------------------
 */

/* The kernel keeps the outermost tag beside the frame. */
static const uint8_t *put_tag_back(struct tap *tap, const struct tpacket_auxdata *auxiliary)
{
	uint8_t *frame = tap->bytes;
	uint16_t tag[2] = {htons(ETHERTYPE_VLAN), htons(auxiliary->tp_vlan_tci)};

	if (auxiliary->tp_status & TP_STATUS_VLAN_TPID_VALID)
		tag[0] = htons(auxiliary->tp_vlan_tpid);
	memmove(frame, tap->bytes + TAG_BYTES, TAG_OFFSET);
	memcpy(frame + TAG_OFFSET, tag, sizeof(tag));
	return frame;
}

static void read_control(struct tap *tap, struct msghdr *message, struct tap_packet *packet)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
		header = CMSG_NXTHDR(message, header)) {
		struct tpacket_auxdata auxiliary;
		struct timespec time;

		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&time, CMSG_DATA(header), sizeof(time));
			packet->time_ns =
				(uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
		}
		if (header->cmsg_level != SOL_PACKET || header->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&auxiliary, CMSG_DATA(header), sizeof(auxiliary));
		packet->length = auxiliary.tp_len;
		if (!(auxiliary.tp_status & TP_STATUS_VLAN_VALID) || packet->captured < TAG_OFFSET)
			continue;
		packet->frame = put_tag_back(tap, &auxiliary);
		packet->captured += TAG_BYTES;
		packet->length += TAG_BYTES;
	}
}

/* 1: one was handed on; 0: there is none. */
static int receive(struct tap *tap)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata)) +
			   CMSG_SPACE(sizeof(struct timespec))];
		struct cmsghdr align;
	} control;
	struct sockaddr_ll from = {0};
	struct iovec vector = {tap->bytes + TAG_BYTES, PCAPNG_SNAP_MAX};
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t length = recvmsg(tap->socket, &message, MSG_DONTWAIT);
	struct tap_packet packet = {.frame = tap->bytes + TAG_BYTES};

	if (length < 0)
		return errno == EINTR || errno == ENETDOWN;
	packet.captured = packet.length = (uint32_t)length;
	packet.ifindex = (uint32_t)from.sll_ifindex;
	packet.is_outgoing = from.sll_pkttype == PACKET_OUTGOING;
	read_control(tap, &message, &packet);
	if (!packet.time_ns)
		packet.time_ns = clock_ns(CLOCK_REALTIME);
	if (from.sll_pkttype != PACKET_LOOPBACK)
		tap->packet(tap, &packet, tap->userdata);
	return 1;
}

static int on_packets(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct tap *tap = userdata;
	/* What packet() does may be to free the tap. */
	sd_event_source *kept = sd_event_source_ref(source);

	(void)fd;
	(void)events;
	for (int i = 0; i < PACKETS_AT_ONCE && sd_event_source_get_userdata(kept); i++)
		if (!receive(tap))
			break;
	sd_event_source_unref(kept);
	return 0;
}

/* --- the socket ---------------------------------------------------------------------------------
 */

/* Made where the namespace is; it stays there. */
static int open_socket(const char *netns, int *ret, struct error *error)
{
	_cleanup_namespace_ struct network_namespace visit = NETWORK_NAMESPACE_INIT;
	_cleanup_close_ int target = -1;
	int r;

	if (netns) {
		target = open(netns, O_RDONLY | O_CLOEXEC);
		if (target < 0)
			return error_errno(error, -errno, "open %s", netns);
		r = network_namespace_enter(target, &visit);
		if (r < 0)
			return error_errno(error, r, "enter %s", netns);
	}
	*ret = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return *ret < 0 ? error_errno(error, -errno, "open a packet socket") : 0;
}

int tap_set_filter(struct tap *tap, const struct bpf_program *filter, struct error *error)
{
	const struct sock_fprog program = {
		.len = (unsigned short)filter->bf_len,
		.filter = (struct sock_filter *)filter->bf_insns,
	};

	if (setsockopt(tap->socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return error_errno(error, -errno, "attach a filter to the packet socket");
	return 0;
}

/* From the bind on packets come, and only then: nothing slips in before the filter. */
static int set_up(struct tap *tap, const struct tap_options *options, struct error *error)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)options->ifindex,
	};
	const int on = 1, bytes = BUFFER_BYTES;
	int r = tap_set_filter(tap, options->filter, error);

	if (r < 0)
		return r;
	if (setsockopt(tap->socket, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
		setsockopt(tap->socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		return error_errno(error, -errno, "set up the packet socket");
	if (setsockopt(tap->socket, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(tap->socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (bind(tap->socket, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(error, -errno, "listen to interface %u", options->ifindex);
	return 0;
}

int tap_new(
	const struct tap_options *options, sd_event *event, struct tap **ret, struct error *error)
{
	_cleanup_(tap_freep) struct tap *tap = malloc(sizeof(*tap));
	int r;

	if (!tap)
		return error_nomem(error);
	/* Not calloc(): the bytes are not to be touched. */
	memset(tap, 0, offsetof(struct tap, bytes));
	tap->socket = -1;
	tap->packet = options->packet;
	tap->userdata = options->userdata;
	r = open_socket(options->netns, &tap->socket, error);
	if (r == 0)
		r = set_up(tap, options, error);
	if (r < 0)
		return r;
	r = sd_event_add_io(event, &tap->source, tap->socket, EPOLLIN, on_packets, tap);
	if (r < 0)
		return error_errno(error, r, "follow the packet socket");
	/* Everything else that the agent does comes first. */
	sd_event_source_set_priority(tap->source, SD_EVENT_PRIORITY_IDLE);
	*ret = TAKE_PTR(tap);
	return 0;
}

void tap_free(struct tap *tap)
{
	if (!tap)
		return;
	if (tap->source)
		sd_event_source_set_userdata(tap->source, NULL);
	sd_event_source_disable_unref(tap->source);
	closep(&tap->socket);
	free(tap);
}

uint64_t tap_drops(struct tap *tap)
{
	struct tpacket_stats statistics;
	socklen_t size = sizeof(statistics);

	/* Reading sets the kernel's counter back. */
	if (getsockopt(tap->socket, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0)
		tap->drops += statistics.tp_drops;
	return tap->drops;
}
