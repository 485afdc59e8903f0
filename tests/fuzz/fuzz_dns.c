/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a DNS message. What is taken keeps to the bounds, is the same when it is cut behind
 * its end, and its names do nothing to a terminal. */
#include "observe/dns_message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Labels of 1 to 63 bytes, then the root, and that is all. */
static void check_name(const struct dns_name *name)
{
	size_t at = 0;

	require(name->length >= 1);
	while (at < name->length && name->bytes[at]) {
		require(name->bytes[at] <= 63);
		at += 1U + name->bytes[at];
	}
	require(at == (size_t)name->length - 1 && !name->bytes[at]);
}

static void check_text(const struct dns_name *name)
{
	char text[DNS_TEXT_MAX];

	if (!dns_name_to_text(name, text))
		return;
	require(strlen(text) == (size_t)name->length - 2);
	for (const char *c = text; *c; c++)
		require(*c > ' ' && *c < 0x7f && !strchr("\"'<>,;/\\:", *c));
}

static void check(const struct dns_message *message)
{
	check_name(&message->question);
	check_text(&message->question);
	require(message->addresses_count <= DNS_ADDRESSES_MAX);
	require(message->is_answer || !message->addresses_count);
	require(!message->code || !message->addresses_count);
	for (size_t i = 0; i < message->addresses_count; i++)
		require(message->addresses[i].ttl_seconds <= INT32_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_message whole, cut;

	if (!dns_message_parse(data, size, false, &cut))
		check(&cut);
	if (dns_message_parse(data, size, true, &whole) < 0)
		return 0;
	check(&whole);
	require(!dns_message_parse(data, size, false, &cut));
	require(cut.id == whole.id && cut.addresses_count == whole.addresses_count);
	return 0;
}
