/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/recording.h"

#include "base/clock.h"
#include "policies/array.h"

#include <stdlib.h>
#include <string.h>

#define NO_NUMBER        UINT32_MAX
#define STATISTICS_BYTES 80 /* kept free of bytes_max for the last block */

/* false: it did not get into the stream. */
static bool hand_on(struct recording *recording)
{
	const struct writer *block = &recording->block;

	if (block->failed ||
		!recording->sink.write(block->data, block->length, recording->sink.userdata))
		return false;
	recording->counts.bytes += block->length;
	return true;
}

static bool write_block(struct recording *recording, const struct pcapng_block *block)
{
	writer_reset(&recording->block);
	pcapng_write(&recording->block, block);
	return hand_on(recording);
}

bool recording_begin(struct recording *recording)
{
	static const char program[] = "segd " SEGD_VERSION;
	const struct pcapng_block block = {
		.type = PCAPNG_SECTION, .text = program, .text_length = sizeof(program) - 1};

	return write_block(recording, &block);
}

static uint32_t number_of(struct recording *recording, uint32_t key)
{
	for (size_t i = 0; i < recording->interfaces_count; i++)
		if (recording->interfaces[i] == key)
			return (uint32_t)i;
	return NO_NUMBER;
}

/* Named after its workload. NO_NUMBER: that did not get into the stream. */
static uint32_t describe(struct recording *recording, const struct view_interface *interface)
{
	const char *name = interface && interface->workload ? interface->workload
			   : interface                      ? interface->name
							    : "unknown";
	const struct pcapng_block block = {
		.type = PCAPNG_INTERFACE,
		.link = CAPTURE_LINK_ETHERNET,
		.snap_bytes = recording->snap_bytes,
		.text = name,
		.text_length = strlen(name),
		.description = interface ? interface->name : NULL,
		.description_length = interface ? strlen(interface->name) : 0,
	};
	const uint32_t key = interface ? interface->number : 0;
	uint32_t number = number_of(recording, key), *added;

	if (number != NO_NUMBER)
		return number;
	added = array_append(recording->interfaces, recording->interfaces_count);
	if (!added)
		return NO_NUMBER;
	*added = key;
	if (write_block(recording, &block))
		return (uint32_t)recording->interfaces_count - 1;
	recording->interfaces_count--;
	return NO_NUMBER;
}

bool recording_describe(struct recording *recording, const struct view_interface *interface)
{
	return describe(recording, interface) != NO_NUMBER;
}

static enum pcapng_direction direction_of(const struct view_interface *interface, bool is_outgoing)
{
	if (!interface || !interface->workload)
		return PCAPNG_DIRECTION_UNKNOWN;
	/* As the workload sees it: what goes out to it by the node is what it gets. */
	return is_outgoing != (interface->netns != NULL) ? PCAPNG_INBOUND : PCAPNG_OUTBOUND;
}

enum recording_result recording_packet(struct recording *recording,
	const struct view_interface *interface, bool is_outgoing,
	const struct capture_packet *packet, const struct judgement *judgement)
{
	const uint32_t snap = recording->snap_bytes;
	char comment[PCAPNG_COMMENT_MAX];
	struct pcapng_block block = {
		.type = PCAPNG_PACKET,
		.interface = describe(recording, interface),
		.time_ns = packet->time_ns,
		.bytes = packet->frame,
		.captured = packet->captured < snap ? packet->captured : snap,
		.length = packet->length,
		.direction = direction_of(interface, is_outgoing),
		.text = judgement_format(judgement, comment, sizeof(comment)),
	};

	block.text_length = strlen(comment);
	writer_reset(&recording->block);
	pcapng_write(&recording->block, &block);
	if (recording->bytes_max &&
		recording->counts.bytes + recording->block.length + STATISTICS_BYTES >
			recording->bytes_max)
		return RECORDING_FULL;
	if (block.interface == NO_NUMBER || !hand_on(recording)) {
		recording->counts.dropped_by_reader++;
		return RECORDING_LOST;
	}
	recording->counts.packets++;
	return RECORDING_WRITTEN;
}

/* All in the name of the first interface: the socket does not say which one a packet was of. */
void recording_statistics(struct recording *recording)
{
	const struct pcapng_block block = {
		.type = PCAPNG_STATISTICS,
		.time_ns = clock_ns(CLOCK_REALTIME),
		.received = recording->counts.packets,
		.dropped = recording->counts.dropped,
		.dropped_by_reader = recording->counts.dropped_by_reader,
	};

	if (recording->interfaces_count)
		write_block(recording, &block);
}

void recording_clear(struct recording *recording)
{
	writer_clear(&recording->block);
	free(recording->interfaces);
	recording->interfaces = NULL;
	recording->interfaces_count = 0;
}
