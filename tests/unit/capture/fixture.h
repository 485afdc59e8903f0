/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of this room share: frames, and a small cluster to judge them by. */
#pragma once

#include "base/cleanup.h"
#include "capture/judge.h"
#include "capture/packet.h"
#include "policies/document.h"
#include "policies/ir.h"
#include "policies/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#define SECOND   1000000000ULL
#define START_NS 1795248000000000000ULL

struct frame {
	uint8_t bytes[256];
	uint32_t length;
	struct capture_packet packet;
};

struct cluster {
	struct document_list documents;
	struct model *model;
	struct ir *ir;
};

/* web (10.0.0.1, fd00::1), api (10.0.0.2, fd00::2), db (10.0.0.3): api takes tcp/80 of web alone,
 * db tcp/5432 of api alone. */
static inline void cluster_make(struct cluster *cluster)
{
	static const char text[] = "apiVersion: segctl.io/v1\n"
				   "kind: SegmentPolicy\n"
				   "metadata: {name: api, namespace: shop}\n"
				   "spec:\n"
				   "  subject: app=api\n"
				   "  ingress:\n"
				   "  - from: [{workloads: app=web}]\n"
				   "    ports: [tcp/80, udp/53]\n";
	static const struct {
		const char *name, *addresses[2];
	} workloads[] = {{"web", {"10.0.0.1", "fd00::1"}}, {"api", {"10.0.0.2", "fd00::2"}},
		{"db", {"10.0.0.3", "fd00::3"}}};
	const struct ir_options options = {0};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct error error = ERROR_INIT;

	memset(cluster, 0, sizeof(*cluster));
	assert_int_equal(
		documents_parse(&cluster->documents, "test", text, sizeof(text) - 1, &diagnostics),
		0);
	diagnostics_clear(&diagnostics);
	assert_int_equal(model_new(&cluster->model), 0);
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
		struct model_workload *workload;

		assert_int_equal(
			model_add_workload(cluster->model, "shop", workloads[i].name, &workload),
			0);
		assert_int_equal(labels_set(&workload->labels, "app", workloads[i].name), 0);
		for (size_t k = 0; k < 2; k++) {
			struct address address;

			assert_int_equal(address_parse(workloads[i].addresses[k], &address), 0);
			assert_int_equal(model_workload_add_address(workload, &address), 0);
		}
	}
	assert_int_equal(model_finish(cluster->model, &error), 0);
	assert_int_equal(
		ir_compile(&cluster->documents, cluster->model, &options, &cluster->ir, &error), 0);
}

static inline void cluster_clear(struct cluster *cluster)
{
	ir_free(cluster->ir);
	model_free(cluster->model);
	documents_clear(&cluster->documents);
}

static inline void frame_finish(struct frame *frame, uint64_t time_ns)
{
	frame->packet = (struct capture_packet){
		.time_ns = time_ns,
		.frame = frame->bytes,
		.captured = frame->length,
		.length = frame->length,
	};
	packet_parse(&frame->packet, CAPTURE_LINK_ETHERNET);
}

/* The MAC is 02:00 and the IPv4 address of its end. */
static inline struct frame *frame_ipv4(struct frame *frame, const char *source,
	const char *destination, uint8_t protocol, const void *transport, uint16_t size)
{
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = protocol};

	memset(frame, 0, sizeof(*frame));
	ip.saddr = inet_addr(source);
	ip.daddr = inet_addr(destination);
	ip.tot_len = htons((uint16_t)(sizeof(ip) + size));
	frame->bytes[0] = frame->bytes[6] = 2;
	memcpy(frame->bytes + 2, &ip.daddr, 4);
	memcpy(frame->bytes + 8, &ip.saddr, 4);
	frame->bytes[12] = 8;
	memcpy(frame->bytes + 14, &ip, sizeof(ip));
	memcpy(frame->bytes + 34, transport, size);
	frame->length = 34U + size;
	return frame;
}

static inline const struct capture_packet *frame_tcp(struct frame *frame, const char *source,
	uint16_t source_port, const char *destination, uint16_t port, uint8_t flags,
	uint64_t time_ns)
{
	struct tcphdr tcp = {.th_sport = htons(source_port), .th_dport = htons(port)};

	tcp.th_off = 5;
	tcp.th_flags = flags;
	frame_ipv4(frame, source, destination, IPPROTO_TCP, &tcp, sizeof(tcp));
	frame_finish(frame, time_ns);
	return &frame->packet;
}

static inline const struct capture_packet *frame_udp(struct frame *frame, const char *source,
	uint16_t source_port, const char *destination, uint16_t port, uint64_t time_ns)
{
	const struct udphdr udp = {.uh_sport = htons(source_port),
		.uh_dport = htons(port),
		.uh_ulen = htons(sizeof(udp))};

	frame_ipv4(frame, source, destination, IPPROTO_UDP, &udp, sizeof(udp));
	frame_finish(frame, time_ns);
	return &frame->packet;
}
