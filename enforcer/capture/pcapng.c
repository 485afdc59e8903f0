/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/pcapng.h"

#include <errno.h>

#define BYTE_ORDER_MAGIC 0x1a2b3c4dU
#define LENGTH_UNKNOWN   UINT64_MAX
#define NANOSECONDS      9

/* Blocks begin with type and length, and end with the length again. */
#define FRAME_BYTES 12

enum option {
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_SECTION_PROGRAM = 4,
	OPTION_INTERFACE_NAME = 2,
	OPTION_INTERFACE_DESCRIPTION = 3,
	OPTION_INTERFACE_RESOLUTION = 9,
	OPTION_PACKET_FLAGS = 2,
	OPTION_STATISTICS_RECEIVED = 4,
	OPTION_STATISTICS_DROPPED = 5,
	OPTION_STATISTICS_READER_DROPPED = 7,
};

/* --- writing ------------------------------------------------------------------------------------
 */

static size_t padding(size_t length)
{
	return -length & 3;
}

static void put_16(struct writer *writer, uint16_t value)
{
	writer_bytes(writer, (const char *)&value, sizeof(value));
}

static void put_32(struct writer *writer, uint32_t value)
{
	writer_bytes(writer, (const char *)&value, sizeof(value));
}

static void put_padded(struct writer *writer, const void *bytes, size_t length)
{
	static const char zeros[3];

	if (length)
		writer_bytes(writer, bytes, length);
	writer_bytes(writer, zeros, padding(length));
}

static void put_option(struct writer *writer, enum option option, const void *value, size_t length)
{
	put_16(writer, (uint16_t)option);
	put_16(writer, (uint16_t)length);
	put_padded(writer, value, length);
}

static void put_text(struct writer *writer, enum option option, const char *text, size_t length)
{
	if (!length)
		return;
	put_option(writer, option, text, length < PCAPNG_COMMENT_MAX ? length : PCAPNG_COMMENT_MAX);
}

static void put_time(struct writer *writer, uint64_t time_ns)
{
	put_32(writer, (uint32_t)(time_ns >> 32));
	put_32(writer, (uint32_t)time_ns);
}

static void put_section(struct writer *writer, const struct pcapng_block *block)
{
	const uint64_t unknown = LENGTH_UNKNOWN;

	put_32(writer, BYTE_ORDER_MAGIC);
	put_16(writer, 1);
	put_16(writer, 0);
	writer_bytes(writer, (const char *)&unknown, sizeof(unknown));
	put_text(writer, OPTION_SECTION_PROGRAM, block->text, block->text_length);
}

static void put_interface(struct writer *writer, const struct pcapng_block *block)
{
	const uint8_t resolution = NANOSECONDS;

	put_16(writer, block->link);
	put_16(writer, 0);
	put_32(writer, block->snap_bytes);
	put_text(writer, OPTION_INTERFACE_NAME, block->text, block->text_length);
	put_text(writer, OPTION_INTERFACE_DESCRIPTION, block->description,
		block->description_length);
	put_option(writer, OPTION_INTERFACE_RESOLUTION, &resolution, sizeof(resolution));
}

static void put_packet(struct writer *writer, const struct pcapng_block *block)
{
	const uint32_t flags = (uint32_t)block->direction;

	put_32(writer, block->interface);
	put_time(writer, block->time_ns);
	put_32(writer, block->captured);
	put_32(writer, block->length);
	put_padded(writer, block->bytes, block->captured);
	if (flags)
		put_option(writer, OPTION_PACKET_FLAGS, &flags, sizeof(flags));
	put_text(writer, OPTION_COMMENT, block->text, block->text_length);
}

static void put_statistics(struct writer *writer, const struct pcapng_block *block)
{
	put_32(writer, block->interface);
	put_time(writer, block->time_ns);
	put_option(writer, OPTION_STATISTICS_RECEIVED, &block->received, sizeof(block->received));
	put_option(writer, OPTION_STATISTICS_DROPPED, &block->dropped, sizeof(block->dropped));
	put_option(writer, OPTION_STATISTICS_READER_DROPPED, &block->dropped_by_reader,
		sizeof(block->dropped_by_reader));
}

void pcapng_write(struct writer *writer, const struct pcapng_block *block)
{
	size_t start = writer->length;
	uint32_t size;

	put_32(writer, block->type);
	put_32(writer, 0);
	switch (block->type) {
	case PCAPNG_SECTION:
		put_section(writer, block);
		break;
	case PCAPNG_INTERFACE:
		put_interface(writer, block);
		break;
	case PCAPNG_PACKET:
		put_packet(writer, block);
		break;
	case PCAPNG_STATISTICS:
		put_statistics(writer, block);
		break;
	}
	put_option(writer, OPTION_END, NULL, 0);
	if (writer->failed)
		return;
	size = (uint32_t)(writer->length - start + sizeof(size));
	put_32(writer, size);
	if (!writer->failed)
		memcpy(writer->data + start + sizeof(size), &size, sizeof(size));
}

/* --- reading ------------------------------------------------------------------------------------
 */

static uint32_t get_32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint16_t get_16(const uint8_t *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint64_t get_time(const uint8_t *bytes)
{
	return (uint64_t)get_32(bytes) << 32 | get_32(bytes + 4);
}

static void take_text(const uint8_t *value, size_t length, const char **ret, size_t *ret_length)
{
	*ret = (const char *)value;
	*ret_length = length;
}

static void take_number(const uint8_t *value, size_t length, uint64_t *ret)
{
	if (length == sizeof(*ret))
		memcpy(ret, value, sizeof(*ret));
}

static void take_option(
	struct pcapng_block *block, uint16_t option, const uint8_t *value, size_t length)
{
	switch (block->type) {
	case PCAPNG_SECTION:
		if (option == OPTION_SECTION_PROGRAM)
			take_text(value, length, &block->text, &block->text_length);
		break;
	case PCAPNG_INTERFACE:
		if (option == OPTION_INTERFACE_NAME)
			take_text(value, length, &block->text, &block->text_length);
		else if (option == OPTION_INTERFACE_DESCRIPTION)
			take_text(value, length, &block->description, &block->description_length);
		break;
	case PCAPNG_PACKET:
		if (option == OPTION_COMMENT)
			take_text(value, length, &block->text, &block->text_length);
		else if (option == OPTION_PACKET_FLAGS && length == sizeof(uint32_t))
			block->direction = (enum pcapng_direction)(get_32(value) & 3);
		break;
	case PCAPNG_STATISTICS:
		if (option == OPTION_STATISTICS_RECEIVED)
			take_number(value, length, &block->received);
		else if (option == OPTION_STATISTICS_DROPPED)
			take_number(value, length, &block->dropped);
		else if (option == OPTION_STATISTICS_READER_DROPPED)
			take_number(value, length, &block->dropped_by_reader);
		break;
	}
}

static int take_options(struct pcapng_block *block, const uint8_t *bytes, size_t length)
{
	while (length >= 4) {
		uint16_t option = get_16(bytes), size = get_16(bytes + 2);
		size_t whole = 4 + size + padding(size);

		if (option == OPTION_END)
			return 0;
		if (whole > length)
			return -EPROTO;
		take_option(block, option, bytes + 4, size);
		bytes += whole;
		length -= whole;
	}
	return length ? -EPROTO : 0;
}

/* How many bytes of the body come before the options; -EPROTO. */
static ssize_t take_fixed(struct pcapng_block *block, const uint8_t *body, size_t length)
{
	static const size_t sizes[] = {
		[PCAPNG_INTERFACE] = 8, [PCAPNG_STATISTICS] = 12, [PCAPNG_PACKET] = 20};
	size_t size = block->type == PCAPNG_SECTION ? 16 : sizes[block->type];

	if (length < size)
		return -EPROTO;
	switch (block->type) {
	case PCAPNG_SECTION:
		return get_32(body) == BYTE_ORDER_MAGIC ? (ssize_t)size : -EPROTO;
	case PCAPNG_INTERFACE:
		block->link = get_16(body);
		block->snap_bytes = get_32(body + 4);
		break;
	case PCAPNG_STATISTICS:
		block->interface = get_32(body);
		block->time_ns = get_time(body + 4);
		break;
	case PCAPNG_PACKET:
		block->interface = get_32(body);
		block->time_ns = get_time(body + 4);
		block->captured = get_32(body + 12);
		block->length = get_32(body + 16);
		block->bytes = body + size;
		if (block->captured > length - size)
			return -EPROTO;
		size += block->captured + padding(block->captured);
		break;
	}
	return size <= length ? (ssize_t)size : -EPROTO;
}

static bool is_known(uint32_t type)
{
	return type == PCAPNG_SECTION || type == PCAPNG_INTERFACE || type == PCAPNG_STATISTICS ||
	       type == PCAPNG_PACKET;
}

ssize_t pcapng_read(const uint8_t *bytes, size_t length, struct pcapng_block *ret)
{
	struct pcapng_block block = {0};
	ssize_t fixed;
	uint32_t size;

	if (length < FRAME_BYTES)
		return 0;
	size = get_32(bytes + 4);
	if (size < FRAME_BYTES || size > PCAPNG_BLOCK_MAX || size % 4)
		return -EPROTO;
	if (length < size)
		return 0;
	if (get_32(bytes + size - 4) != size)
		return -EPROTO;
	block.type = (enum pcapng_type)get_32(bytes);
	if (is_known(block.type)) {
		fixed = take_fixed(&block, bytes + 8, size - FRAME_BYTES);
		if (fixed < 0 || take_options(&block, bytes + 8 + fixed,
					 size - FRAME_BYTES - (size_t)fixed) < 0)
			return -EPROTO;
	}
	*ret = block;
	return size;
}
