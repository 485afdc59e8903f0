/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Captured packets of any form. The first byte says what the rest is: a pcapng stream, which is
 * read block by block and, where it was understood, written and read back equal; or packets of a
 * link type, two bytes of length before each, which are parsed and judged by a small cluster's
 * policies.
 */
#include "capture/judge.h"
#include "capture/packet.h"
#include "capture/pcapng.h"

#include "base/cleanup.h"
#include "policies/document.h"
#include "policies/model.h"

#include <sanitizer/lsan_interface.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SENDER_ADDRESS "10.0.0.1"

static const char policies[] = "apiVersion: segctl.io/v1\n"
			       "kind: SegmentPolicy\n"
			       "metadata: {name: api, namespace: shop}\n"
			       "spec:\n"
			       "  subject: app=api\n"
			       "  ingress:\n"
			       "  - from: [{workloads: app=web}]\n"
			       "    ports: [tcp/80, icmp/echo-request]\n";

static void require(bool holds)
{
	if (!holds)
		abort();
}

static struct ir *compile(void)
{
	static const char *const names[] = {"web", "api"};
	static const char *const addresses[] = {SENDER_ADDRESS, "10.0.0.2"};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	const struct ir_options options = {0};
	struct document_list documents = {0};
	struct model *model;
	struct ir *ir;

	require(model_new(&model) == 0);
	require(documents_parse(&documents, "fuzz", policies, sizeof(policies) - 1, &diagnostics) ==
		0);
	for (size_t i = 0; i < 2; i++) {
		struct model_workload *workload;
		struct address address;

		require(model_add_workload(model, "shop", names[i], &workload) == 0);
		require(labels_set(&workload->labels, "app", names[i]) == 0);
		require(address_parse(addresses[i], &address) == 0);
		require(model_workload_add_address(workload, &address) == 0);
	}
	require(model_finish(model, NULL) == 0);
	require(ir_compile(&documents, model, &options, &ir, NULL) == 0);
	documents_clear(&documents);
	model_free(model);
	return ir;
}

static void read_stream(const uint8_t *data, size_t size)
{
	struct writer writer = WRITER_INIT;
	struct pcapng_block block, again;
	ssize_t taken;

	while ((taken = pcapng_read(data, size, &block)) > 0) {
		require((size_t)taken <= size);
		data += taken;
		size -= (size_t)taken;
		if (block.type != PCAPNG_PACKET || block.text_length > PCAPNG_COMMENT_MAX)
			continue;
		writer_reset(&writer);
		pcapng_write(&writer, &block);
		require(pcapng_read((const uint8_t *)writer.data, writer.length, &again) ==
			(ssize_t)writer.length);
		require(again.captured == block.captured && again.time_ns == block.time_ns &&
			again.direction == block.direction &&
			again.text_length == block.text_length);
		require(!block.captured || !memcmp(again.bytes, block.bytes, block.captured));
	}
	writer_clear(&writer);
}

static void judge_packets(const uint8_t *data, size_t size, enum capture_link link)
{
	static struct ir *ir;
	const struct judge_options options = {.connections_max = 8, .adoption_ns = 1000};
	struct address address;
	const struct judge_sender sender = {
		.mac = {2, 0, 10, 0, 0, 1}, .addresses = &address, .addresses_count = 1};
	struct judgement judgement;
	struct judge *judge;
	char text[256];

	/* Kept for all inputs, by pointers that are not to the beginnings of allocations. */
	if (!ir) {
		__lsan_disable();
		ir = compile();
		__lsan_enable();
	}
	require(address_parse(SENDER_ADDRESS, &address) == 0);
	require(judge_new(&options, &judge) == 0);
	judge_set_policy(judge, ir, 1);
	for (uint64_t time_ns = 1; size > 2; time_ns += 100) {
		size_t length = (size_t)data[0] << 8 | data[1], there = size - 2;
		_cleanup_free_ uint8_t *copy = NULL; /* of its own, so that nothing is behind it */
		struct capture_packet packet = {.time_ns = time_ns, .length = (uint32_t)length};

		packet.captured = (uint32_t)(length < there ? length : there);
		copy = malloc(packet.captured + 1);
		require(copy);
		memcpy(copy, data + 2, packet.captured);
		packet.frame = copy;
		packet_parse(&packet, link);
		require(packet.reason >= 0 && packet.reason < REASON_COUNT);
		if (time_ns % 300 == 1)
			judge_passed(judge, &packet, &judgement);
		else
			judge_packet(
				judge, &packet, time_ns % 200 == 1 ? &sender : NULL, &judgement);
		judgement_format(&judgement, text, sizeof(text));
		require(strlen(text) < sizeof(text));
		require(tracker_count(judge_tracker(judge)) <= options.connections_max);
		data += 2 + packet.captured;
		size -= 2 + packet.captured;
	}
	judge_free(judge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum capture_link links[] = {CAPTURE_LINK_ETHERNET, CAPTURE_LINK_ETHERNET,
		CAPTURE_LINK_COOKED, CAPTURE_LINK_COOKED2, CAPTURE_LINK_RAW, CAPTURE_LINK_NULL};

	if (!size)
		return 0;
	if (*data == 'p')
		read_stream(data + 1, size - 1);
	else
		judge_packets(data + 1, size - 1, links[*data % ARRAY_SIZE(links)]);
	return 0;
}
