/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/recording.h"

#include "base/clock.h"
#include "policies/array.h"

#include <stdlib.h>
#include <string.h>

#define NO_NUMBER        UINT32_MAX
#define STATISTICS_BYTES 80 /* kept free of bytes_max for the last block */

/* Whole, and so that kept_bytes still fit behind it. */
static enum recording_result hand_on(struct recording *recording, size_t kept_bytes)
{
	const struct writer *block = &recording->block;

	if (block->failed)
		return RECORDING_LOST;
	if (recording->bytes_max &&
		recording->counts.bytes + block->length + kept_bytes > recording->bytes_max)
		return RECORDING_FULL;
	if (!recording->sink.write(block->data, block->length, recording->sink.userdata))
		return RECORDING_LOST;
	recording->counts.bytes += block->length;
	return RECORDING_WRITTEN;
}

static enum recording_result write_block(
	struct recording *recording, const struct pcapng_block *block, size_t kept_bytes)
{
	writer_reset(&recording->block);
	pcapng_write(&recording->block, block);
	return hand_on(recording, kept_bytes);
}

enum recording_result recording_begin(struct recording *recording)
{
	static const char program[] = "segd " SEGD_VERSION;
	const struct pcapng_block block = {
		.type = PCAPNG_SECTION, .text = program, .text_length = sizeof(program) - 1};

	return write_block(recording, &block, STATISTICS_BYTES);
}

static uint32_t number_of(struct recording *recording, uint32_t key)
{
	for (size_t i = 0; i < recording->interfaces_count; i++)
		if (recording->interfaces[i] == key)
			return (uint32_t)i;
	return NO_NUMBER;
}

/* Named after its workload. */
static enum recording_result describe(
	struct recording *recording, const struct view_interface *interface, uint32_t *ret_number)
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
	enum recording_result result = RECORDING_WRITTEN;

	if (number == NO_NUMBER) {
		number = (uint32_t)recording->interfaces_count;
		added = array_append(recording->interfaces, recording->interfaces_count);
		if (!added)
			return RECORDING_LOST;
		*added = key;
		result = write_block(recording, &block, STATISTICS_BYTES);
	}
	if (result == RECORDING_WRITTEN)
		*ret_number = number;
	else
		recording->interfaces_count--;
	return result;
}

enum recording_result recording_describe(
	struct recording *recording, const struct view_interface *interface)
{
	uint32_t number;

	return describe(recording, interface, &number);
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
		.time_ns = packet->time_ns,
		.bytes = packet->frame,
		.captured = packet->captured < snap ? packet->captured : snap,
		.length = packet->length,
		.direction = direction_of(interface, is_outgoing),
		.text = judgement_format(judgement, comment, sizeof(comment)),
	};
	enum recording_result result = describe(recording, interface, &block.interface);

	block.text_length = strlen(comment);
	if (result == RECORDING_WRITTEN)
		result = write_block(recording, &block, STATISTICS_BYTES);
	if (result == RECORDING_WRITTEN)
		recording->counts.packets++;
	if (result == RECORDING_LOST)
		recording->counts.dropped_by_reader++;
	return result;
}

/* All in the name of the first interface: the socket does not say which one a packet was of. */
enum recording_result recording_statistics(struct recording *recording, bool is_last)
{
	const struct pcapng_block block = {
		.type = PCAPNG_STATISTICS,
		.time_ns = clock_ns(CLOCK_REALTIME),
		.received = recording->counts.packets,
		.dropped = recording->counts.dropped,
		.dropped_by_reader = recording->counts.dropped_by_reader,
	};

	if (!recording->interfaces_count)
		return RECORDING_WRITTEN;
	return write_block(recording, &block, is_last ? 0 : STATISTICS_BYTES);
}

void recording_clear(struct recording *recording)
{
	writer_clear(&recording->block);
	free(recording->interfaces);
	recording->interfaces = NULL;
	recording->interfaces_count = 0;
}
