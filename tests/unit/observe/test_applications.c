/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nDPI over the beginnings of packets: what it tells, and that nobody makes it take more memory. */
#include "observe/applications.h"

/* cmocka's own order of includes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static struct name_pool *pool;
static struct applications *applications;

static int set_up(void **state)
{
	(void)state;
	return name_pool_new(&pool) < 0 || applications_new(&applications, NULL) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	applications_free(applications);
	assert_int_equal(name_pool_count(pool), 0);
	name_pool_free(pool);
	return 0;
}

static struct flow_key flow(bool ipv6, uint8_t protocol, uint16_t source_port, uint16_t port)
{
	struct flow_key key = {
		.source_port = source_port, .destination_port = port, .protocol = protocol};

	assert_int_equal(address_parse(ipv6 ? "fd00::2" : "10.0.0.2", &key.source), 0);
	assert_int_equal(
		address_parse(ipv6 ? "2001:db8::10" : "203.0.113.10", &key.destination), 0);
	return key;
}

static void say(const struct flow_key *key, bool answers, const void *bytes, size_t size)
{
	const struct flow_sample sample = {
		.time_ns = 1795248000000000000ULL,
		.source = key->source,
		.destination = key->destination,
		.source_port = key->source_port,
		.destination_port = key->destination_port,
		.protocol = key->protocol,
		.answers = answers,
		.bytes = bytes,
		.size = size,
		.payload_size = size,
	};

	applications_sample(applications, key, &sample);
}

static void expect(const struct flow_key *key, const char *wanted)
{
	struct name *name = applications_of(applications, key, pool);

	if (wanted)
		assert_string_equal(name ? name->text : "", wanted);
	else
		assert_null(name);
	name_release(name);
}

static void tells_http_and_whom_it_asks(void **state)
{
	static const char request[] = "GET /index.html HTTP/1.1\r\nHost: shop.example.org\r\n"
				      "User-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n";

	(void)state;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		const struct flow_key key = flow(ipv6, IPPROTO_TCP, 40000, 8080);

		expect(&key, NULL);
		say(&key, false, request, strlen(request));
		expect(&key, "{\"application\":\"http\",\"server_name\":\"shop.example.org\"}");
		applications_end(applications, &key);
		expect(&key, NULL);
	}
}

static void tells_ssh_at_any_port(void **state)
{
	static const char server[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
	static const char client[] = "SSH-2.0-OpenSSH_8.4\r\n";
	const struct flow_key key = flow(false, IPPROTO_TCP, 40000, 4444);

	(void)state;
	say(&key, true, server, strlen(server));
	say(&key, false, client, strlen(client));
	expect(&key, "{\"application\":\"ssh\"}");
}

/* Not by its port: a guess would hide what hides there. */
static void does_not_guess(void **state)
{
	static const char noise[] = "\x93\x02 nothing that anybody speaks \xff\xfe";
	const struct flow_key key = flow(false, IPPROTO_TCP, 40000, 443);

	(void)state;
	for (int i = 0; i < 2 * APPLICATION_PACKETS; i++)
		say(&key, i % 2, noise, sizeof(noise));
	expect(&key, NULL);
}

static json_int_t described(const char *key)
{
	json_t *json = applications_describe(applications);
	json_int_t value = json_integer_value(json_object_get(json, key));

	json_decref(json);
	return value;
}

static void bounds_what_it_keeps(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < APPLICATIONS_MAX + 100; i++) {
		const struct flow_key key = flow(i % 2, IPPROTO_UDP, (uint16_t)(1024 + i), 9999);

		say(&key, false, "\1\2\3", 3);
	}
	assert_int_equal(described("detecting"), APPLICATIONS_DETECTING);
	assert_in_range(described("kept"), 1, APPLICATIONS_MAX);
	assert_true(described("evicted") >= APPLICATIONS_MAX + 100 - APPLICATIONS_DETECTING);
}

/* Bytes that begin like something, of any length that a sample has. */
static void takes_any_bytes(void **state)
{
	static const char *const starts[] = {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET ",
		"SSH-", "\x00\x00\x00\x85\xffSMB", "\x12\x34\x01\x00\x00\x01",
		"\xc3\x00\x00\x00\x01"};
	uint8_t bytes[952];
	uint32_t random = 1;

	(void)state;
	for (uint16_t i = 0; i < 3000; i++) {
		const char *start = starts[i % 6];
		const struct flow_key key = flow(i & 1, i & 2 ? IPPROTO_TCP : IPPROTO_UDP,
			(uint16_t)(1024 + i / 5), i % 3 ? 443 : 53);
		size_t size;

		for (size_t j = 0; j < sizeof(bytes); j++) {
			random = random * 1664525 + 1013904223;
			bytes[j] = (uint8_t)(random >> 24);
		}
		memcpy(bytes, start, strlen(start));
		size = 1 + random % sizeof(bytes);
		say(&key, i & 4, bytes, size);
	}
	assert_in_range(described("detecting"), 0, APPLICATIONS_DETECTING);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tells_http_and_whom_it_asks),
		TEST(tells_ssh_at_any_port),
		TEST(does_not_guess),
		TEST(bounds_what_it_keeps),
		TEST(takes_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
