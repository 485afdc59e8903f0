// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "capture/recording.h"

#include <stdio.h>

struct stream {
	struct recording recording;
	size_t bytes;
	bool is_shut; /* takes nothing */
};

static bool on_write(const char *bytes, size_t length, void *userdata)
{
	struct stream *stream = userdata;
	struct pcapng_block block;

	assert_int_equal(pcapng_read((const uint8_t *)bytes, length, &block), length);
	if (stream->is_shut)
		return false;
	stream->bytes += length;
	return true;
}

static void begin(struct stream *stream, uint64_t bytes_max)
{
	*stream = (struct stream){.recording = {
					  .sink = {.write = on_write, .userdata = stream},
					  .snap_bytes = PCAPNG_SNAP_MAX,
					  .bytes_max = bytes_max,
				  }};
}

static enum recording_result add(struct stream *stream, uint32_t number, uint32_t length)
{
	static const uint8_t frame[2000];
	const struct view_interface interface = {.number = number, .name = "veth"};
	const struct capture_packet packet = {
		.time_ns = START_NS, .frame = frame, .captured = length, .length = length};
	const struct judgement judgement = {.reason = REASON_RELATED};

	return recording_packet(&stream->recording, &interface, false, &packet, &judgement);
}

static void end(struct stream *stream)
{
	assert_int_equal(stream->recording.counts.bytes, stream->bytes);
	recording_clear(&stream->recording);
}

/* Whatever it is that comes last. */
static void test_no_block_is_beyond_the_bound(void **state)
{
	(void)state;
	for (uint64_t most = 1; most < 1500; most += 4) {
		struct stream stream;
		bool is_full;

		begin(&stream, most);
		is_full = recording_begin(&stream.recording) == RECORDING_FULL;
		for (uint32_t i = 0; !is_full && i < 100; i++)
			is_full = add(&stream, i / 2, most % 3 * 100) == RECORDING_FULL ||
				  recording_statistics(&stream.recording, false) == RECORDING_FULL;
		assert_true(is_full);
		assert_in_range(stream.bytes, 0, most);
		/* For the last counts there is room in any case. */
		assert_int_equal(recording_statistics(&stream.recording, true), RECORDING_WRITTEN);
		assert_in_range(stream.bytes, 0, most);
		end(&stream);
	}
}

/* Of a capture that nothing passes. */
static void test_statistics_alone_fill_it(void **state)
{
	const struct view_interface interface = {.name = "veth"};
	struct stream stream;
	int seconds = 0;

	(void)state;
	begin(&stream, 1000);
	assert_int_equal(recording_begin(&stream.recording), RECORDING_WRITTEN);
	assert_int_equal(recording_describe(&stream.recording, &interface), RECORDING_WRITTEN);
	while (recording_statistics(&stream.recording, false) == RECORDING_WRITTEN)
		assert_true(++seconds < 100);
	assert_in_range(stream.bytes, 1000 - 160, 1000);
	end(&stream);
}

static void test_without_a_bound(void **state)
{
	struct stream stream;

	(void)state;
	begin(&stream, 0);
	assert_int_equal(recording_begin(&stream.recording), RECORDING_WRITTEN);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(add(&stream, i, 1000), RECORDING_WRITTEN);
	assert_int_equal(stream.recording.counts.packets, 100);
	end(&stream);
}

/* An interface that did not get into the stream is described again. */
static void test_what_the_reader_misses_is_counted(void **state)
{
	struct stream stream;

	(void)state;
	begin(&stream, 10000);
	assert_int_equal(recording_begin(&stream.recording), RECORDING_WRITTEN);
	assert_int_equal(add(&stream, 1, 100), RECORDING_WRITTEN);
	stream.is_shut = true;
	assert_int_equal(add(&stream, 2, 100), RECORDING_LOST);
	assert_int_equal(add(&stream, 1, 100), RECORDING_LOST);
	assert_int_equal(stream.recording.interfaces_count, 1);
	stream.is_shut = false;
	assert_int_equal(add(&stream, 2, 100), RECORDING_WRITTEN);
	assert_int_equal(stream.recording.interfaces_count, 2);
	assert_int_equal(stream.recording.counts.packets, 2);
	assert_int_equal(stream.recording.counts.dropped_by_reader, 2);
	end(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_block_is_beyond_the_bound),
		cmocka_unit_test(test_statistics_alone_fill_it),
		cmocka_unit_test(test_without_a_bound),
		cmocka_unit_test(test_what_the_reader_misses_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
