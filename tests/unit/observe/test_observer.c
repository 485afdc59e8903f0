/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, and those who would like to make some up; figures of DNS. */
#include "message.h"

#include "observe/dns_names.h"
#include "observe/observer.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW    1795248000000000000ULL
#define SECOND 1000000000ULL

#define WEB    "10.0.0.2"
#define WEB6   "fd00::2"
#define OTHER  "10.0.0.3"
#define SERVER "192.0.2.53"
#define PORT   40000

static struct name_pool *pool;
static struct observer *observer;

static struct address address(const char *text)
{
	struct address parsed;

	assert_int_equal(address_parse(text, &parsed), 0);
	return parsed;
}

static struct name *who(const char *text)
{
	const char *name = NULL;

	if (!strcmp(text, WEB) || !strcmp(text, WEB6))
		name = "web";
	else if (!strcmp(text, OTHER))
		name = "other";
	return name_new(pool, name ? json_pack("{s:s}", "workload", name)
				   : json_pack("{s:s}", "entity", "world"));
}

static struct name *endpoint(const struct address *of, void *userdata)
{
	char text[ADDRESS_TEXT_MAX];

	(void)userdata;
	return who(address_format(of, text));
}

static int set_up(void **state)
{
	const struct observer_options options = {.endpoint = endpoint};

	(void)state;
	return name_pool_new(&pool) < 0 || observer_new(&options, &observer, NULL) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	observer_free(observer);
	assert_int_equal(name_pool_count(pool), 0); /* no reference is lost */
	name_pool_free(pool);
	return 0;
}

/* What is sampled of a connection from somebody's port to a server. */
struct way {
	const char *from;
	uint16_t port;
	const char *server;
	uint64_t time_ns;
};

static const struct way usual = {WEB, PORT, SERVER, NOW};

static void sample(const struct way *way, bool answers, const struct message *message)
{
	const struct flow_sample taken = {
		.time_ns = way->time_ns,
		.source = address(way->from),
		.destination = address(way->server),
		.source_port = way->port,
		.destination_port = 53,
		.protocol = IPPROTO_UDP,
		.answers = answers,
		.bytes = message->bytes,
		.size = message->size,
		.payload_size = message->size,
	};

	observer_sample(observer, &taken);
}

static void ask(const struct way *way, uint16_t id, const char *name)
{
	const struct message m = question(id, name, TYPE_A);

	sample(way, false, &m);
}

static void tell(const struct way *way, uint16_t id, const char *name, uint32_t ttl, const char *ip)
{
	struct message m = answer(id, name, TYPE_A);

	put_address(&m, name, ttl, ip);
	sample(way, true, &m);
}

static void look_up(const struct way *way, const char *name, uint32_t ttl, const char *ip)
{
	ask(way, 7, name);
	tell(way, 7, name, ttl, ip);
}

/* The names, separated by blanks, that a connection which began then has. */
static void expect_names_at(
	const char *workload, const char *ip, uint64_t start_ns, const char *wanted)
{
	struct name *asker = who(workload), *end = who(ip), *named;
	const struct address peer = address(ip);
	char text[1024] = "";
	const json_t *name;
	size_t i;

	named = observer_named(observer, asker, &peer, end, start_ns);
	if (named)
		assert_ptr_equal(named->pool, pool);
	json_array_foreach (json_object_get(named ? named->json : NULL, "names"), i, name) {
		strcat(text, i ? " " : "");
		strcat(text, json_string_value(name));
	}
	assert_string_equal(text, wanted);
	name_release(asker);
	name_release(end);
	name_release(named);
}

static void expect_names(const char *workload, const char *ip, const char *wanted)
{
	expect_names_at(workload, ip, NOW + SECOND, wanted);
}

static void workload_has_the_names_it_looked_up(void **state)
{
	(void)state;
	expect_names(WEB, "203.0.113.10", "");
	look_up(&usual, "api.example.org", 300, "203.0.113.10");
	expect_names(WEB, "203.0.113.10", "api.example.org");
	expect_names(WEB, "203.0.113.11", "");
	expect_names(WEB6, "203.0.113.10", "api.example.org"); /* it is the same workload */
	look_up(&usual, "www.example.org", 300, "203.0.113.10");
	expect_names(WEB, "203.0.113.10", "www.example.org api.example.org");
	look_up(&usual, "api.example.org", 300, "203.0.113.10");
	expect_names(WEB, "203.0.113.10", "api.example.org www.example.org");
	for (int i = 0; i < 6; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d.example", i);
		look_up(&usual, name, 300, "203.0.113.10");
	}
	expect_names(WEB, "203.0.113.10", "n5.example n4.example n3.example n2.example");
}

static void equal_answers_are_one_name(void **state)
{
	struct name *asker = who(WEB), *end = who("203.0.113.10"), *first, *second;
	const struct address peer = address("203.0.113.10");

	(void)state;
	look_up(&usual, "api.example.org", 300, "203.0.113.10");
	first = observer_named(observer, asker, &peer, end, NOW);
	second = observer_named(observer, asker, &peer, end, NOW + SECOND);
	assert_ptr_equal(first, second);
	assert_string_equal(first->text, "{\"entity\":\"world\",\"names\":[\"api.example.org\"]}");
	name_release(first);
	name_release(second);
	name_release(asker);
	name_release(end);
}

static void names_of_one_are_not_anothers(void **state)
{
	const struct way others = {OTHER, PORT, SERVER, NOW};

	(void)state;
	look_up(&usual, "api.example.org", 300, "203.0.113.10");
	look_up(&others, "evil.example", 300, "203.0.113.10");
	expect_names(WEB, "203.0.113.10", "api.example.org");
	expect_names(OTHER, "203.0.113.10", "evil.example");
}

/* Each of these would be an answer but for one thing. */
static void only_answers_to_own_questions_count(void **state)
{
	const struct way wrong[] = {
		{WEB, PORT + 1, SERVER, NOW},
		{OTHER, PORT, SERVER, NOW},
		{WEB, PORT, "192.0.2.54", NOW},
		{WEB, PORT, SERVER, NOW + 16 * SECOND},
	};
	struct message m;

	(void)state;
	tell(&usual, 7, "bank.example", 300, "203.0.113.66"); /* nobody asked */
	ask(&usual, 7, "bank.example");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		tell(&wrong[i], 7, "bank.example", 300, "203.0.113.66");
	tell(&usual, 8, "bank.example", 300, "203.0.113.66");
	tell(&usual, 7, "bank2.example", 300, "203.0.113.66");
	m = answer(7, "bank.example", TYPE_AAAA);
	put_address(&m, "bank.example", 300, "203.0.113.66");
	sample(&usual, true, &m);
	/* Sent by the one who asks. */
	m = answer(7, "bank.example", TYPE_A);
	put_address(&m, "bank.example", 300, "203.0.113.66");
	sample(&usual, false, &m);
	expect_names(WEB, "203.0.113.66", "");
	expect_names(OTHER, "203.0.113.66", "");

	tell(&usual, 7, "bank.example", 300, "203.0.113.10");
	expect_names(WEB, "203.0.113.10", "bank.example");
	/* The first answer is the answer. */
	tell(&usual, 7, "bank.example", 300, "203.0.113.66");
	expect_names(WEB, "203.0.113.66", "");
}

static void names_hold_as_long_as_they_were_told_for(void **state)
{
	static const struct {
		uint32_t ttl, holds;
	} cases[] = {
		{0, DNS_TTL_LEAST_SECONDS},
		{3600, 3600},
		{0x7fffffff, DNS_TTL_MOST_SECONDS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char ip[32];

		snprintf(ip, sizeof(ip), "203.0.113.%zu", i);
		look_up(&usual, "api.example.org", cases[i].ttl, ip);
		expect_names_at(WEB, ip, NOW - 10 * SECOND, ""); /* before */
		expect_names_at(WEB, ip, NOW + cases[i].holds * SECOND, "api.example.org");
		expect_names_at(WEB, ip, NOW + (cases[i].holds + 1) * SECOND, "");
	}
}

static json_int_t described(const char *part, const char *key)
{
	json_t *json = observer_describe(observer);
	json_int_t value = json_integer_value(
		json_object_get(*part ? json_object_get(json, part) : json, key));

	json_decref(json);
	return value;
}

static void bounds_what_it_keeps(void **state)
{
	const struct way others = {OTHER, PORT, SERVER, NOW};
	char ip[32];

	(void)state;
	look_up(&others, "first.example", 300, "203.0.113.10");
	for (unsigned int i = 0; i < DNS_NAMES_PER_WORKLOAD + 10; i++) {
		snprintf(ip, sizeof(ip), "198.18.%u.%u", i / 256, i % 256);
		look_up(&usual, "many.example", 300, ip);
	}
	assert_int_equal(described("names", "addresses"), DNS_NAMES_PER_WORKLOAD + 1);
	assert_int_equal(described("names", "evicted"), 10);
	expect_names(WEB, "198.18.0.9", "");
	expect_names(WEB, "198.18.0.10", "many.example");
	expect_names(OTHER, "203.0.113.10", "first.example"); /* whoever floods loses its own */
	for (uint16_t i = 0; i < 5000; i++)
		ask(&(struct way){WEB, (uint16_t)(PORT + i), SERVER, NOW}, 1, "x.example");
	assert_in_range(described("queries", "waiting"), 1, 4096);
	assert_true(described("queries", "evicted") >= 5000 - 4096);
	assert_in_range(described("dns", "connections"), 1, 4096);
}

static void leaves_out_what_is_no_host_name_and_no_workload(void **state)
{
	(void)state;
	look_up(&usual, "a\x1b[31m.example", 300, "203.0.113.10");
	expect_names(WEB, "203.0.113.10", "");
	look_up(&(struct way){"192.0.2.1", PORT, SERVER, NOW}, "a.example", 300, "203.0.113.10");
	assert_int_equal(described("names", "addresses"), 0);
	sample(&usual, false, &(struct message){.bytes = "no DNS", .size = 6});
	assert_int_equal(described("", "malformed"), 1);
}

static struct flow_event event_of(const struct way *way, enum flow_event_type type)
{
	return (struct flow_event){
		.type = type,
		.source = address(way->from),
		.destination = address(way->server),
		.source_port = way->port,
		.destination_port = 53,
		.protocol = IPPROTO_UDP,
	};
}

static struct flow_observation observed(const struct way *way, enum flow_event_type type)
{
	const struct flow_event event = event_of(way, type);
	struct flow_observation observation = {0};

	observer_observed(observer, &event, pool, &observation);
	return observation;
}

static void forget(struct flow_observation *observation)
{
	name_release(observation->application);
	name_release(observation->domain);
}

static void connections_to_servers_have_figures(void **state)
{
	struct flow_observation o = observed(&usual, FLOW_NEW);
	struct message m;

	(void)state;
	assert_null(o.application);
	assert_int_equal(o.dns.queries, 0);
	ask(&usual, 1, "abcd.tunnel.example");
	o = observed(&usual, FLOW_NEW);
	assert_string_equal(o.application->text, "{\"application\":\"dns\"}");
	assert_string_equal(o.domain->text, "\"tunnel.example\"");
	assert_int_equal(o.dns.queries, 1);
	assert_int_equal(o.dns.longest_name, strlen("abcd.tunnel.example") + 1);
	forget(&o);

	m = answer(1, "abcd.tunnel.example", TYPE_A);
	m.bytes[3] |= 3; /* no such name */
	sample(&usual, true, &m);
	look_up(&usual, "abcd.tunnel.example", 60, "203.0.113.10");
	ask(&usual, 9, "www.shop.co.uk");
	o = observed(&usual, FLOW_END);
	assert_int_equal(o.dns.queries, 3);
	assert_int_equal(o.dns.answers, 2);
	assert_int_equal(o.dns.failures, 1);
	assert_int_equal(o.dns.unique_names, 2);
	assert_string_equal(o.domain->text, "\"tunnel.example\""); /* of the longest */
	forget(&o);
	o = observed(&usual, FLOW_END);
	assert_int_equal(o.dns.queries, 0); /* it was over */
}

static void tells_random_names_from_words(void **state)
{
	const struct way random = {WEB, PORT + 1, SERVER, NOW};
	struct flow_observation words, noise;

	(void)state;
	ask(&usual, 1, "www.www.example");
	ask(&random, 1, "q7zk2m9x4p1v8w3b6t5r0.y5h3n.example");
	words = observed(&usual, FLOW_UPDATE);
	noise = observed(&random, FLOW_UPDATE);
	assert_in_range(words.dns.entropy, 100, 300);
	assert_in_range(noise.dns.entropy, 400, 550);
	forget(&words);
	forget(&noise);
}

static void finds_the_part_that_was_registered(void **state)
{
	static const char *const cases[][2] = {
		{"a.b.example.org", "\"example.org\""},
		{"example.org", "\"example.org\""},
		{"localhost", "\"localhost\""},
		{"a.shop.co.uk", "\"shop.co.uk\""},
		{"shop.co.uk", "\"shop.co.uk\""},
		{"a.b.ibm.com", "\"ibm.com\""},
		{"a.example.de", "\"example.de\""},
	};

	(void)state;
	for (uint16_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct way way = {WEB, (uint16_t)(PORT + i), SERVER, NOW};
		struct flow_observation o;

		ask(&way, 1, cases[i][0]);
		o = observed(&way, FLOW_END);
		assert_string_equal(o.domain->text, cases[i][1]);
		forget(&o);
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(workload_has_the_names_it_looked_up),
		TEST(equal_answers_are_one_name),
		TEST(names_of_one_are_not_anothers),
		TEST(only_answers_to_own_questions_count),
		TEST(names_hold_as_long_as_they_were_told_for),
		TEST(bounds_what_it_keeps),
		TEST(leaves_out_what_is_no_host_name_and_no_workload),
		TEST(connections_to_servers_have_figures),
		TEST(tells_random_names_from_words),
		TEST(finds_the_part_that_was_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
