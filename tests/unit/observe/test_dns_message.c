/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "message.h"

#include <stdio.h>
#include <stdlib.h>

static void expect_addresses(const struct dns_message *message, const char *const *texts)
{
	size_t i;

	for (i = 0; texts[i]; i++) {
		char text[ADDRESS_TEXT_MAX];

		assert_true(i < message->addresses_count);
		assert_string_equal(address_format(&message->addresses[i].address, text), texts[i]);
	}
	assert_int_equal(message->addresses_count, i);
}

#define EXPECT_ADDRESSES(message, ...) \
	expect_addresses(message, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void expect_refused(const struct message *message)
{
	struct dns_message untouched = {.id = 77};

	assert_int_equal(
		dns_message_parse(message->bytes, message->size, true, &untouched), -EBADMSG);
	assert_int_equal(untouched.id, 77);
}

static void reads_a_question(void **state)
{
	struct message m = question(0x1234, "API.Example.org", TYPE_AAAA);
	struct dns_message d = parsed(&m);
	char text[DNS_TEXT_MAX];

	(void)state;
	assert_int_equal(d.id, 0x1234);
	assert_false(d.is_answer);
	assert_int_equal(d.type, TYPE_AAAA);
	assert_true(dns_name_to_text(&d.question, text));
	assert_string_equal(text, "api.example.org");
	EXPECT_ADDRESSES(&d);
}

static void reads_addresses_of_both_families(void **state)
{
	struct message m = answer(1, "api.example.org", TYPE_A);
	struct dns_message d;

	(void)state;
	put_address(&m, "api.example.org", 60, "203.0.113.10");
	put_address(&m, "api.EXAMPLE.org", 30, "203.0.113.11");
	put_address(&m, "api.example.org", 90, "2001:db8::10");
	d = parsed(&m);
	assert_true(d.is_answer);
	EXPECT_ADDRESSES(&d, "203.0.113.10", "203.0.113.11", "2001:db8::10");
	assert_int_equal(d.addresses[0].ttl_seconds, 60);
	assert_int_equal(d.addresses[1].ttl_seconds, 30);
}

static void follows_aliases_in_any_order(void **state)
{
	(void)state;
	for (int turned = 0; turned < 2; turned++) {
		struct message m = answer(1, "www.example.org", TYPE_A);
		struct dns_message d;

		if (turned) {
			put_address(&m, "edge.example.net", 300, "203.0.113.10");
			put_alias(&m, "cdn.example.net", 20, "edge.example.net");
			put_alias(&m, "www.example.org", 600, "cdn.example.net");
		} else {
			put_alias(&m, "www.example.org", 600, "cdn.example.net");
			put_alias(&m, "cdn.example.net", 20, "edge.example.net");
			put_address(&m, "edge.example.net", 300, "203.0.113.10");
		}
		d = parsed(&m);
		EXPECT_ADDRESSES(&d, "203.0.113.10");
		assert_int_equal(d.addresses[0].ttl_seconds, 20);
	}
}

/* An answer may bring along what nobody asked for. */
static void leaves_out_other_names(void **state)
{
	struct message m = answer(1, "api.example.org", TYPE_A);
	struct dns_message d;

	(void)state;
	put_address(&m, "bank.example.com", 60, "203.0.113.66");
	put_alias(&m, "bank.example.com", 60, "api.example.org");
	put_alias(&m, "other.example.org", 60, "third.example.org");
	put_address(&m, "third.example.org", 60, "203.0.113.67");
	put_address(&m, "api.example.org", 60, "203.0.113.10");
	put_address(&m, "xapi.example.org", 60, "203.0.113.68");
	d = parsed(&m);
	EXPECT_ADDRESSES(&d, "203.0.113.10");
}

static void ends_loops_of_aliases(void **state)
{
	struct message m = answer(1, "a.example", TYPE_A);
	struct dns_message d;

	(void)state;
	put_alias(&m, "a.example", 60, "b.example");
	put_alias(&m, "b.example", 60, "a.example");
	put_address(&m, "b.example", 60, "203.0.113.10");
	d = parsed(&m);
	EXPECT_ADDRESSES(&d, "203.0.113.10");
}

static void bounds_chains_and_addresses(void **state)
{
	struct message m = answer(1, "n0.example", TYPE_A);
	char name[32] = "n0.example", next[32];
	struct dns_message d;

	(void)state;
	for (int i = 1; i < 20; i++) {
		snprintf(next, sizeof(next), "n%d.example", i);
		put_alias(&m, name, 60, next);
		memcpy(name, next, sizeof(name));
	}
	put_address(&m, "n19.example", 60, "203.0.113.10");
	put_address(&m, "n3.example", 60, "203.0.113.11");
	d = parsed(&m);
	EXPECT_ADDRESSES(&d, "203.0.113.11");

	m = answer(1, "many.example", TYPE_A);
	for (int i = 0; i < 50; i++)
		put_address(&m, "many.example", 60, "203.0.113.10");
	d = parsed(&m);
	assert_int_equal(d.addresses_count, DNS_ADDRESSES_MAX);
}

static void decompresses(void **state)
{
	struct message m = answer(1, "api.example.org", TYPE_A);
	struct dns_message d;

	(void)state;
	m.bytes[7] = 2;
	put_pointer(&m, 12); /* api.example.org CNAME w + example.org */
	put_u16(&m, TYPE_CNAME);
	put_u16(&m, 1);
	put(&m, "\0\0\0\x3c\0\4\1w", 8);
	put_pointer(&m, 16);
	put(&m, "\1w", 2);
	put_pointer(&m, 16);
	put_u16(&m, TYPE_A);
	put_u16(&m, 1);
	put(&m, "\0\0\0\x3c\0\4\xcb\0\x71\x0a", 10);
	d = parsed(&m);
	EXPECT_ADDRESSES(&d, "203.0.113.10");
}

/* To itself, forward, to and fro, out of the message. */
static void refuses_pointers_that_lead_nowhere(void **state)
{
	static const uint16_t targets[] = {12, 13, 14, 20, 0x3fff};

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct message m = question(1, "", TYPE_A);

		m.size = 12;
		put_pointer(&m, targets[i]);
		put_u16(&m, TYPE_A);
		put_u16(&m, 1);
		expect_refused(&m);
	}
	/* "a", then back to "a", for ever. */
	struct message m = question(1, "", TYPE_A);

	m.size = 12;
	put(&m, "\1a", 2);
	put_pointer(&m, 12);
	put_u16(&m, TYPE_A);
	put_u16(&m, 1);
	expect_refused(&m);
}

static void refuses_names_that_are_too_long(void **state)
{
	struct message m = question(1, "", TYPE_A);

	(void)state;
	for (size_t labels = 126; labels < 129; labels++) {
		m = question(1, "", TYPE_A);
		m.size = 12;
		for (size_t i = 0; i < labels; i++)
			put(&m, "\1a", 2);
		put(&m, "\0\0\1\0\1", 5);
		if (2 * labels + 1 <= DNS_NAME_MAX)
			assert_int_equal(parsed(&m).question.length, 2 * labels + 1);
		else
			expect_refused(&m);
	}
	m.size = 12;
	put_u8(&m, 64);
	for (int i = 0; i < 64; i++)
		put_u8(&m, 'a');
	put(&m, "\0\0\1\0\1", 5);
	expect_refused(&m);
}

static void refuses_what_is_no_question(void **state)
{
	struct message m;

	(void)state;
	m = question(1, "a.example", TYPE_A);
	m.bytes[5] = 2; /* questions */
	expect_refused(&m);
	m.bytes[5] = 0;
	expect_refused(&m);
	m = question(1, "a.example", TYPE_A);
	m.bytes[2] = 0x28; /* an update (RFC 2136) */
	expect_refused(&m);
	m = question(1, "a.example", TYPE_A);
	m.bytes[m.size - 1] = 3; /* class CHAOS */
	expect_refused(&m);
}

/* Wherever it ends: refused as a message, and as the beginning of one never more than is there. */
static void refuses_every_part(void **state)
{
	struct message m = answer(1, "www.example.org", TYPE_A);

	(void)state;
	put_alias(&m, "www.example.org", 60, "cdn.example.net");
	put_address(&m, "cdn.example.net", 60, "203.0.113.10");
	for (size_t size = 0; size < m.size; size++) {
		uint8_t *part = malloc(size ? size : 1); /* so that reading on is seen */
		struct dns_message d;

		memcpy(part, m.bytes, size);
		assert_int_equal(dns_message_parse(part, size, true, &d), -EBADMSG);
		if (!dns_message_parse(part, size, false, &d))
			EXPECT_ADDRESSES(&d);
		free(part);
	}
}

static void reads_what_there_is_of_a_cut_answer(void **state)
{
	struct message m = answer(1, "a.example", TYPE_A);
	struct dns_message d;

	(void)state;
	put_address(&m, "a.example", 60, "203.0.113.10");
	put_address(&m, "a.example", 60, "203.0.113.11");
	assert_int_equal(dns_message_parse(m.bytes, m.size - 1, false, &d), 0);
	EXPECT_ADDRESSES(&d, "203.0.113.10");
}

static void refuses_addresses_of_another_size(void **state)
{
	struct message m = answer(1, "a.example", TYPE_A);

	(void)state;
	put_record(&m, "a.example", TYPE_A, 60, "\1\2\3", 3);
	expect_refused(&m);
	m = answer(1, "a.example", TYPE_AAAA);
	put_record(&m, "a.example", TYPE_AAAA, 60, "\1\2\3\4", 4);
	expect_refused(&m);
}

static void failures_give_no_addresses(void **state)
{
	struct message m = answer(1, "a.example", TYPE_A);
	struct dns_message d;

	(void)state;
	put_address(&m, "a.example", 60, "203.0.113.10");
	m.bytes[3] |= 3;
	d = parsed(&m);
	assert_int_equal(d.code, 3);
	EXPECT_ADDRESSES(&d);
}

static void only_host_names_become_text(void **state)
{
	static const struct {
		const char *name;
		bool fine;
	} cases[] = {
		{"api.example.org", true},
		{"_sip._tcp.example.org", true},
		{"xn--bcher-kva.example", true},
		{"10-0-0-1.example", true},
		{"", false},
		{"a b.example", false},
		{"a\x1b[31m.example", false},
		{"\"><script>.example", false},
		{"a,b.example", false},
		{"b\xc3\xbc"
		 "cher.example",
			false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message m = question(1, cases[i].name, TYPE_A);
		struct dns_message d = parsed(&m);
		char text[DNS_TEXT_MAX];

		assert_int_equal(dns_name_to_text(&d.question, text), cases[i].fine);
		if (cases[i].fine)
			assert_string_equal(text, cases[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_question),
		cmocka_unit_test(reads_addresses_of_both_families),
		cmocka_unit_test(follows_aliases_in_any_order),
		cmocka_unit_test(leaves_out_other_names),
		cmocka_unit_test(ends_loops_of_aliases),
		cmocka_unit_test(bounds_chains_and_addresses),
		cmocka_unit_test(decompresses),
		cmocka_unit_test(refuses_pointers_that_lead_nowhere),
		cmocka_unit_test(refuses_names_that_are_too_long),
		cmocka_unit_test(refuses_what_is_no_question),
		cmocka_unit_test(refuses_every_part),
		cmocka_unit_test(reads_what_there_is_of_a_cut_answer),
		cmocka_unit_test(refuses_addresses_of_another_size),
		cmocka_unit_test(failures_give_no_addresses),
		cmocka_unit_test(only_host_names_become_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
