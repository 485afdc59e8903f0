// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "capture/pcapng.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>

static const struct pcapng_block section = {
	.type = PCAPNG_SECTION, .text = "segd", .text_length = 4};
static const struct pcapng_block interface = {.type = PCAPNG_INTERFACE,
	.link = 1,
	.snap_bytes = 96,
	.text = "shop/api",
	.text_length = 8,
	.description = "ve12",
	.description_length = 4};

static struct pcapng_block packet_of(const char *bytes, const char *comment)
{
	return (struct pcapng_block){.type = PCAPNG_PACKET,
		.time_ns = START_NS + 7,
		.bytes = (const uint8_t *)bytes,
		.captured = (uint32_t)strlen(bytes),
		.length = 1500,
		.direction = PCAPNG_OUTBOUND,
		.text = comment,
		.text_length = strlen(comment)};
}

static struct pcapng_block read_one(const struct writer *writer)
{
	struct pcapng_block block;

	assert_int_equal(
		pcapng_read((const uint8_t *)writer->data, writer->length, &block), writer->length);
	return block;
}

static void assert_text(const char *text, size_t length, const char *expected)
{
	assert_int_equal(length, strlen(expected));
	assert_memory_equal(text, expected, length);
}

static void test_reads_what_it_writes(void **state)
{
	/* Of every length modulo four: of what is padded. */
	static const char *const texts[] = {"a", "ab", "abc", "abcd", "denied: policy_denied"};
	struct writer writer = WRITER_INIT;
	struct pcapng_block block;

	(void)state;
	pcapng_write(&writer, &interface);
	block = read_one(&writer);
	assert_int_equal(block.type, PCAPNG_INTERFACE);
	assert_int_equal(block.link, 1);
	assert_int_equal(block.snap_bytes, 96);
	assert_text(block.text, block.text_length, "shop/api");
	assert_text(block.description, block.description_length, "ve12");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct pcapng_block packet = packet_of(texts[i], texts[4 - i]);

		writer_reset(&writer);
		pcapng_write(&writer, &packet);
		assert_int_equal(writer.length % 4, 0);
		block = read_one(&writer);
		assert_int_equal(block.time_ns, START_NS + 7);
		assert_int_equal(block.length, 1500);
		assert_int_equal(block.direction, PCAPNG_OUTBOUND);
		assert_text((const char *)block.bytes, block.captured, texts[i]);
		assert_text(block.text, block.text_length, texts[4 - i]);
	}
	writer_clear(&writer);
}

static void test_statistics(void **state)
{
	const struct pcapng_block statistics = {.type = PCAPNG_STATISTICS,
		.interface = 3,
		.time_ns = START_NS,
		.received = 42,
		.dropped = 1ULL << 40,
		.dropped_by_reader = 7};
	struct writer writer = WRITER_INIT;
	struct pcapng_block block;

	(void)state;
	pcapng_write(&writer, &statistics);
	block = read_one(&writer);
	assert_int_equal(block.interface, 3);
	assert_int_equal(block.received, 42);
	assert_int_equal(block.dropped, 1ULL << 40);
	assert_int_equal(block.dropped_by_reader, 7);
	writer_clear(&writer);
}

static void test_half_a_block_is_none(void **state)
{
	struct pcapng_block packet = packet_of("0123456789", "why"), block;
	struct writer writer = WRITER_INIT;

	(void)state;
	pcapng_write(&writer, &packet);
	for (size_t i = 0; i < writer.length; i++)
		assert_int_equal(pcapng_read((const uint8_t *)writer.data, i, &block), 0);
	writer_clear(&writer);
}

static void test_refuses_what_is_broken(void **state)
{
	struct pcapng_block packet = packet_of("0123456789", "why"), block;
	struct writer writer = WRITER_INIT;
	const uint8_t *bytes;
	size_t broken = 0;

	(void)state;
	pcapng_write(&writer, &packet);
	bytes = (const uint8_t *)writer.data;
	/* The length at the end, the captured length, the length of an option. */
	for (size_t i = 0; i < 3; i++) {
		const size_t places[] = {writer.length - 4, 20, writer.length - 16 + 2};
		char kept = writer.data[places[i]];

		writer.data[places[i]] = (char)(kept + 64);
		broken += pcapng_read(bytes, writer.length, &block) == -EPROTO;
		writer.data[places[i]] = kept;
	}
	assert_int_equal(broken, 3);
	writer_clear(&writer);
}

/* The other reader. */
static void test_libpcap_reads_it(void **state)
{
	struct pcapng_block packet = packet_of("0123456789abcdef", "why");
	char problem[PCAP_ERRBUF_SIZE], path[] = "/tmp/segd-pcapng-XXXXXX";
	struct writer writer = WRITER_INIT;
	struct pcap_pkthdr *header;
	const u_char *bytes;
	FILE *file = fdopen(mkstemp(path), "w");
	pcap_t *pcap;

	(void)state;
	pcapng_write(&writer, &section);
	pcapng_write(&writer, &interface);
	pcapng_write(&writer, &packet);
	assert_int_equal(fwrite(writer.data, 1, writer.length, file), writer.length);
	fclose(file);
	pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, problem);
	unlink(path);
	assert_non_null(pcap);
	assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
	assert_int_equal(pcap_next_ex(pcap, &header, &bytes), 1);
	assert_int_equal(header->caplen, 16);
	assert_int_equal(header->len, 1500);
	assert_int_equal(
		(uint64_t)header->ts.tv_sec * SECOND + (uint64_t)header->ts.tv_usec, START_NS + 7);
	assert_memory_equal(bytes, "0123456789abcdef", 16);
	pcap_close(pcap);
	writer_clear(&writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_it_writes),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_half_a_block_is_none),
		cmocka_unit_test(test_refuses_what_is_broken),
		cmocka_unit_test(test_libpcap_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
