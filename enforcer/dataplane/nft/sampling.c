/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/sampling.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/nft/listing.h"
#include "dataplane/nft/netlink.h"
#include "dataplane/nft/nflog.h"
#include "dataplane/nft/sampling_table.h"
#include "dataplane/rest.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define UDP_HEADER      8
#define TCP_OFFSET_BYTE 12 /* whose upper half is the header's length in words */
#define READS_PER_WAKE  64

struct sampling {
	const struct dataplane_options *options;
	const struct dataplane_callbacks *callbacks;
	struct mnl_socket *socket; /* for questions */
	struct mnl_socket *log;
	sd_event_source *source;
};

static inline void sampling_freep(struct sampling **sampling)
{
	sampling_free(*sampling);
}

/* Offset of the payload; 0: none is there. */
static size_t find_payload(const struct nflog_packet *packet, const uint8_t *bytes, size_t size)
{
	size_t at = packet->transport + UDP_HEADER;

	if (!packet->has_transport ||
		(packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP))
		return 0;
	if (packet->protocol == IPPROTO_TCP) {
		if (packet->transport + TCP_OFFSET_BYTE >= size)
			return 0;
		at = packet->transport +
		     (size_t)(bytes[packet->transport + TCP_OFFSET_BYTE] >> 4) * 4;
	}
	return at < size && at < packet->bytes ? at : 0;
}

static bool answers(const struct nflog_packet *packet)
{
	return strcmp(packet->prefix, SAMPLING_ANSWER) == 0;
}

/* Ends as the connection has them, whichever way the packet goes. */
static void hand_on(const struct sampling *sampling, const struct nflog_packet *packet,
	const uint8_t *payload, size_t size, size_t payload_size)
{
	bool back = answers(packet);
	const struct flow_sample sample = {
		.time_ns = clock_ns(CLOCK_REALTIME),
		.source = back ? packet->destination : packet->source,
		.destination = back ? packet->source : packet->destination,
		.source_port = back ? packet->destination_port : packet->source_port,
		.destination_port = back ? packet->source_port : packet->destination_port,
		.protocol = packet->protocol,
		.answers = back,
		.bytes = payload,
		.size = size,
		.payload_size = payload_size,
	};

	sampling->callbacks->sample(&sample, sampling->callbacks->userdata);
}

static int read_logged(const struct nlmsghdr *message, void *userdata)
{
	struct nflog_packet packet;
	const uint8_t *bytes;
	size_t size, at;

	if (nflog_parse(message, &packet) < 0)
		return MNL_CB_OK;
	bytes = nflog_payload(message, &size);
	if (size > packet.bytes) /* what pads a short frame */
		size = packet.bytes;
	at = find_payload(&packet, bytes, size);
	if (at)
		hand_on(userdata, &packet, bytes + at, size - at, packet.bytes - at);
	return MNL_CB_OK;
}

void sampling_drain(struct sampling *sampling)
{
	for (unsigned int i = 0; sampling && i < READS_PER_WAKE; i++) {
		int r = netlink_receive(sampling->log, read_logged, sampling);

		if (r < 0 && r != -ENOBUFS)
			break;
	}
}

static int on_log(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	(void)source;
	(void)fd;
	(void)events;
	sampling_drain(userdata);
	return 0;
}

static int listen_to(
	struct sampling *sampling, uint16_t group, sd_event *event, struct error *error)
{
	int r = nflog_open(group, SAMPLING_BYTES, &sampling->log, error);

	if (r < 0)
		return r;
	r = sd_event_add_io(event, &sampling->source, mnl_socket_get_fd(sampling->log), EPOLLIN,
		on_log, sampling);
	if (r >= 0)
		r = sd_event_source_set_ratelimit(sampling->source, REST_STORM_USEC, 1);
	return r < 0 ? error_errno(error, r, "watch NFLOG group %u", group) : 0;
}

int sampling_open(const struct dataplane_options *options,
	const struct dataplane_callbacks *callbacks, sd_event *event, struct sampling **ret,
	struct error *error)
{
	_cleanup_(sampling_freep) struct sampling *sampling = NULL;
	int r;

	if (!options->samples)
		return sampling_remove(error);
	sampling = calloc(1, sizeof(*sampling));
	if (!sampling)
		return error_nomem(error);
	sampling->options = options;
	sampling->callbacks = callbacks;
	r = netlink_open(&sampling->socket, error);
	if (!r)
		r = listen_to(sampling, SAMPLING_GROUP(options->nflog_group), event, error);
	if (!r)
		r = sampling_table_write(sampling->socket, options, error);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(sampling);
	return 0;
}

void sampling_free(struct sampling *sampling)
{
	if (!sampling)
		return;
	sd_event_source_disable_unref(sampling->source);
	netlink_closep(&sampling->log);
	netlink_closep(&sampling->socket);
	free(sampling);
}

int sampling_hold(struct sampling *sampling, struct error *error)
{
	char comment[LISTING_COMMENT_MAX];

	if (!sampling || listing_table(sampling->socket, SAMPLING_TABLE, comment) != -ENOENT)
		return 0;
	return sampling_table_write(sampling->socket, sampling->options, error);
}

uint64_t sampling_lost(const struct sampling *sampling)
{
	uint64_t beyond = 0, bytes;

	if (!sampling)
		return 0;
	(void)listing_counter(sampling->socket, SAMPLING_TABLE, SAMPLING_BEYOND, &beyond, &bytes);
	return beyond + netlink_drops(sampling->log);
}

int sampling_remove(struct error *error)
{
	_cleanup_(netlink_closep) struct mnl_socket *socket = NULL;
	int r = netlink_open(&socket, error);

	return r < 0 ? r : sampling_table_remove(socket, error);
}
