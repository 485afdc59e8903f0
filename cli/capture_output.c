/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture_output.h"

#include "base/clock.h"
#include "base/write_all.h"
#include "capture/packet.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PCAP_MAGIC 0xa1b23c4dU /* pcap-savefile(5), with times in nanoseconds */

struct pcap_header {
	uint32_t magic;
	uint16_t major;
	uint16_t minor;
	uint32_t zone;
	uint32_t accuracy;
	uint32_t snap_bytes;
	uint32_t link;
};

struct pcap_packet {
	uint32_t seconds;
	uint32_t nanoseconds;
	uint32_t captured;
	uint32_t length;
};

/* --- writing ------------------------------------------------------------------------------------
 */

/* A half block is taken back where that is possible: not in a pipe, and not in a file of somebody
 * else's, who may have written to it before, or append to it. */
static void take_back(const struct capture_output *output)
{
	if (output->fd != STDOUT_FILENO && ftruncate(output->fd, (off_t)output->bytes) < 0)
		return;
}

/* All or nothing. 1: it would have been beyond bytes_max. */
static int write_whole(
	struct capture_output *output, const void *bytes, size_t length, struct error *error)
{
	int r;

	output->is_full = output->bytes_max && output->bytes + length > output->bytes_max;
	if (output->is_full)
		return 1;
	r = write_all(output->fd, bytes, length);
	if (r < 0) {
		take_back(output);
		return error_errno(error, r, "write %s", output->name);
	}
	output->bytes += length;
	return 0;
}

static int write_pcap_header(struct capture_output *output, struct error *error)
{
	const struct pcap_header header = {
		PCAP_MAGIC, 2, 4, 0, 0, PCAPNG_SNAP_MAX, CAPTURE_LINK_ETHERNET};

	return write_whole(output, &header, sizeof(header), error);
}

static int write_pcap_packet(
	struct capture_output *output, const struct pcapng_block *block, struct error *error)
{
	const struct pcap_packet header = {(uint32_t)(block->time_ns / NS_PER_SECOND),
		(uint32_t)(block->time_ns % NS_PER_SECOND), block->captured, block->length};
	_cleanup_free_ uint8_t *record = must(malloc(sizeof(header) + block->captured));

	memcpy(record, &header, sizeof(header));
	memcpy(record + sizeof(header), block->bytes, block->captured);
	return write_whole(output, record, sizeof(header) + block->captured, error);
}

/* --- reading ------------------------------------------------------------------------------------
 */

static int take_packet(struct capture_output *output, const uint8_t *bytes, size_t size,
	const struct pcapng_block *block, struct error *error)
{
	int r = output->is_pcap ? write_pcap_packet(output, block, error)
				: write_whole(output, bytes, size, error);

	if (r == 0)
		output->packets++;
	return r;
}

static int take_block(struct capture_output *output, const uint8_t *bytes, size_t size,
	const struct pcapng_block *block, struct error *error)
{
	if (block->type == PCAPNG_STATISTICS) {
		output->dropped = block->dropped;
		output->dropped_by_reader = block->dropped_by_reader;
	}
	if (block->type == PCAPNG_PACKET)
		return take_packet(output, bytes, size, block, error);
	return output->is_pcap ? 0 : write_whole(output, bytes, size, error);
}

/* Takes whole blocks off the beginning; *ret_taken: how many bytes these were. */
static int take_blocks(struct capture_output *output, const uint8_t *bytes, size_t length,
	size_t *ret_taken, struct error *error)
{
	size_t taken = 0;
	int r = 0;

	while (r == 0) {
		struct pcapng_block block;
		ssize_t size = pcapng_read(bytes + taken, length - taken, &block);

		if (size < 0)
			return error_set(error, -EPROTO,
				"the agent's stream is broken; are segctl and segd of the same "
				"version?");
		if (size == 0)
			break;
		r = take_block(output, bytes + taken, (size_t)size, &block, error);
		taken += (size_t)size;
	}
	*ret_taken = taken;
	return r;
}

int capture_output_feed(
	struct capture_output *output, const uint8_t *bytes, size_t length, struct error *error)
{
	size_t whole = output->partial_length + length, taken = 0;
	int r;

	if (output->is_full)
		return 1;
	output->partial = must(realloc(output->partial, whole + 1));
	memcpy(output->partial + output->partial_length, bytes, length);
	r = take_blocks(output, output->partial, whole, &taken, error);
	output->partial_length = whole - taken;
	memmove(output->partial, output->partial + taken, output->partial_length);
	return r;
}

int capture_output_open(const char *path, bool is_pcap, uint64_t bytes_max,
	struct capture_output *ret, struct error *error)
{
	struct capture_output output = {
		.name = path, .fd = STDOUT_FILENO, .is_pcap = is_pcap, .bytes_max = bytes_max};
	int r;

	if (strcmp(path, "-") == 0)
		output.name = "standard output";
	else
		output.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (output.fd < 0)
		return error_errno(error, -errno, "create %s", path);
	r = is_pcap ? write_pcap_header(&output, error) : 0;
	if (r < 0) {
		capture_output_close(&output);
		return r;
	}
	*ret = output;
	return 0;
}

void capture_output_close(struct capture_output *output)
{
	free(output->partial);
	output->partial = NULL;
	if (output->fd > STDERR_FILENO)
		close(output->fd);
	output->fd = -1;
}
