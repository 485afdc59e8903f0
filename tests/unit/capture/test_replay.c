// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "capture/replay.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <unistd.h>

#define WEB "10.0.0.1"
#define API "10.0.0.2"
#define DB  "10.0.0.3"

struct theatre {
	struct cluster cluster;
	char path[64];
	pcap_dumper_t *file;
	uint64_t now_ns;
	json_t *records;
	struct replay_counts counts;
};

static int setup(void **state)
{
	struct theatre *theatre = calloc(1, sizeof(*theatre));

	cluster_make(&theatre->cluster);
	theatre->now_ns = START_NS;
	theatre->records = json_array();
	strcpy(theatre->path, "/tmp/segd-replay-XXXXXX");
	close(mkstemp(theatre->path));
	*state = theatre;
	return 0;
}

static int teardown(void **state)
{
	struct theatre *theatre = *state;

	unlink(theatre->path);
	cluster_clear(&theatre->cluster);
	json_decref(theatre->records);
	free(theatre);
	return 0;
}

static void begin(struct theatre *theatre, int link)
{
	pcap_t *pcap =
		pcap_open_dead_with_tstamp_precision(link, 65535, PCAP_TSTAMP_PRECISION_NANO);

	theatre->file = pcap_dump_open(pcap, theatre->path);
	pcap_close(pcap);
	assert_non_null(theatre->file);
}

static void put(struct theatre *theatre, const uint8_t *bytes, uint32_t length)
{
	const struct pcap_pkthdr header = {
		.ts = {(time_t)(theatre->now_ns / SECOND), (suseconds_t)(theatre->now_ns % SECOND)},
		.caplen = length,
		.len = length,
	};

	pcap_dump((u_char *)theatre->file, &header, bytes);
	theatre->now_ns += SECOND / 1000;
}

static void tcp(struct theatre *theatre, const char *source, uint16_t source_port,
	const char *destination, uint16_t port, uint8_t flags)
{
	struct frame frame;

	frame_tcp(&frame, source, source_port, destination, port, flags, 0);
	put(theatre, frame.bytes, frame.length);
}

static void on_record(json_t *record, void *userdata)
{
	json_array_append(userdata, record);
}

static int play(struct theatre *theatre, struct error *error)
{
	const struct replay_options options = {
		.ir = theatre->cluster.ir,
		.model = theatre->cluster.model,
		.node = "pcap",
		.adoption_ns = 60 * SECOND,
		.record = on_record,
		.userdata = theatre->records,
	};

	if (theatre->file)
		pcap_dump_close(theatre->file);
	return replay_file(theatre->path, &options, &theatre->counts, error);
}

/* "new allowed web>api 1/0; …" */
static void assert_records(const struct theatre *theatre, const char *expected)
{
	char text[2048] = "";
	const json_t *record;
	size_t i;

	json_array_foreach (theatre->records, i, record) {
		const char *event, *verdict, *from = NULL, *to = NULL, *entity = "";
		json_int_t packets[2];
		size_t used = strlen(text);

		assert_int_equal(
			json_unpack((json_t *)record,
				"{s:s, s:s, s:[I, I], s:{s?:s, s?:s}, s:{s?:s, s?:s}}", "event",
				&event, "verdict", &verdict, "packets", &packets[0], &packets[1],
				"source", "workload", &from, "entity", &entity, "destination",
				"workload", &to, "entity", &entity),
			0);
		snprintf(text + used, sizeof(text) - used, "%s%s %s %s>%s %d/%d", i ? "; " : "",
			event, verdict, from ? from : entity, to ? to : entity, (int)packets[0],
			(int)packets[1]);
	}
	assert_string_equal(text, expected);
}

static void test_a_connection_and_a_refusal(void **state)
{
	struct theatre *theatre = *state;
	const char *rule = NULL;

	begin(theatre, DLT_EN10MB);
	tcp(theatre, WEB, 40000, API, 80, TH_SYN);
	tcp(theatre, API, 80, WEB, 40000, TH_SYN | TH_ACK);
	tcp(theatre, WEB, 40000, API, 80, TH_ACK);
	tcp(theatre, DB, 40000, API, 80, TH_SYN);
	tcp(theatre, DB, 40001, API, 80, TH_SYN);
	tcp(theatre, WEB, 40000, API, 80, TH_FIN | TH_ACK);
	tcp(theatre, API, 80, WEB, 40000, TH_FIN | TH_ACK);
	tcp(theatre, "192.0.2.1", 1, "192.0.2.2", 2, TH_SYN);
	assert_int_equal(play(theatre, NULL), 0);
	assert_records(theatre, "new allowed web>api 1/0; denied denied db>api 2/0; "
				"end allowed web>api 3/2");
	assert_int_equal(json_unpack(json_array_get(theatre->records, 1), "{s:{s:s}}", "rule",
				 "text", &rule),
		0);
	assert_string_equal(rule, "no rule of SegmentPolicy shop/api allows");
	assert_int_equal(theatre->counts.packets, 8);
	assert_int_equal(theatre->counts.refused, 2);
	assert_int_equal(theatre->counts.unconcerned, 1);
}

static void test_time_is_that_of_packets(void **state)
{
	struct theatre *theatre = *state;

	begin(theatre, DLT_EN10MB);
	tcp(theatre, WEB, 40000, API, 80, TH_SYN);
	theatre->now_ns += 3 * SECOND;
	tcp(theatre, DB, 40000, API, 80, TH_SYN);
	theatre->now_ns += 300 * SECOND;
	tcp(theatre, DB, 40000, API, 80, TH_SYN);
	/* A stray segment, when the time is over in which it could be of an old connection. */
	tcp(theatre, API, 80, WEB, 41000, TH_ACK);
	assert_int_equal(play(theatre, NULL), 0);
	assert_records(theatre, "new allowed web>api 1/0; update allowed web>api 1/0; "
				"denied denied db>api 1/0; end allowed web>api 1/0; "
				"denied denied db>api 1/0; denied denied api>web 1/0");
}

static void udp(struct theatre *theatre, const char *source, uint16_t source_port,
	const char *destination, uint16_t port, const void *payload, size_t size)
{
	uint8_t bytes[256] = {(uint8_t)(source_port >> 8), (uint8_t)source_port,
		(uint8_t)(port >> 8), (uint8_t)port, 0, (uint8_t)(8 + size)};
	struct frame frame;

	memcpy(bytes + 8, payload, size);
	frame_ipv4(&frame, source, destination, IPPROTO_UDP, bytes, 8 + size);
	frame_finish(&frame, 0);
	put(theatre, frame.bytes, frame.length);
}

/* What db was told by its server is in its records, and nothing that a stranger tells it. */
static void test_names_of_dns(void **state)
{
	static const char query[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3api\7example\0\0\1\0\1";
	static const char answer[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\3api\7example\0\0\1\0\1"
				     "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\x0a";
	static const char lie[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\3api\7example\0\0\1\0\1"
				  "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\x0b";
	struct theatre *theatre = *state;
	const json_t *record;
	size_t i, told = 0;

	begin(theatre, DLT_EN10MB);
	udp(theatre, DB, 40000, "192.0.2.53", 53, query, sizeof(query) - 1);
	udp(theatre, "192.0.2.66", 53, DB, 40000, lie, sizeof(lie) - 1);
	udp(theatre, "192.0.2.53", 53, DB, 40000, answer, sizeof(answer) - 1);
	tcp(theatre, DB, 40001, "203.0.113.10", 443, TH_SYN);
	tcp(theatre, DB, 40002, "203.0.113.11", 443, TH_SYN);
	assert_int_equal(play(theatre, NULL), 0);
	json_array_foreach (theatre->records, i, record) {
		const char *ip = NULL, *name = NULL;
		json_int_t queries = 0, answers = 0;

		json_unpack((json_t *)record, "{s:{s:s, s?[s]}, s?{s:I, s:I}}", "destination", "ip",
			&ip, "names", &name, "dns", "queries", &queries, "answers", &answers);
		if (!strcmp(ip, "203.0.113.10"))
			assert_string_equal(name, "api.example");
		else
			assert_null(name);
		told += queries == 1 && answers == 1;
	}
	assert_true(told > 0);
}

static void test_without_ethernet(void **state)
{
	struct theatre *theatre = *state;
	struct frame frame;

	begin(theatre, DLT_RAW);
	frame_tcp(&frame, WEB, 40000, API, 80, TH_SYN, 0);
	put(theatre, frame.bytes + 14, frame.length - 14);
	frame_tcp(&frame, WEB, 40000, API, 81, TH_SYN, 0);
	put(theatre, frame.bytes + 14, frame.length - 14);
	assert_int_equal(play(theatre, NULL), 0);
	assert_records(theatre, "new allowed web>api 1/0; denied denied web>api 1/0; "
				"update allowed web>api 1/0");
}

static void test_what_cannot_be_read(void **state)
{
	struct theatre *theatre = *state;
	struct error error = ERROR_INIT;

	begin(theatre, DLT_IEEE802_11);
	assert_int_equal(play(theatre, &error), -EPROTONOSUPPORT);
	theatre->file = NULL;
	assert_int_equal(truncate(theatre->path, 10), 0);
	assert_int_equal(play(theatre, &error), -EBADMSG);
	unlink(theatre->path);
	assert_int_equal(play(theatre, &error), -EBADMSG);
	assert_non_null(strstr(error_message(&error), "No such file"));
	error_clear(&error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_connection_and_a_refusal),
		TEST(test_time_is_that_of_packets),
		TEST(test_names_of_dns),
		TEST(test_without_ethernet),
		TEST(test_what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
