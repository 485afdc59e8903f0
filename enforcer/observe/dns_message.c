/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/dns_message.h"

#include <errno.h>
#include <string.h>

#define HEADER_BYTES 12
#define RECORD_BYTES 10 /* type, class, TTL, length */
#define RECORDS_MAX  64 /* that are looked at */
#define ALIASES_MAX  8  /* one after the other */
#define LABEL_MAX    63
#define POINTER      0xc0
#define FLAG_ANSWER  0x8000
#define FLAGS_OPCODE 0x7800
#define FLAGS_CODE   0x000f
#define TYPE_A       1
#define TYPE_CNAME   5
#define TYPE_AAAA    28
#define CLASS_IN     1
#define TTL_MAX      0x7fffffffU /* RFC 2181, 8 */

struct reader {
	const uint8_t *bytes;
	size_t size;
	size_t at;
};

static bool has(const struct reader *reader, size_t count)
{
	return reader->size - reader->at >= count;
}

static uint16_t take_u16(struct reader *reader)
{
	const uint8_t *from = reader->bytes + reader->at;

	reader->at += 2;
	return (uint16_t)(from[0] << 8 | from[1]);
}

static uint32_t take_u32(struct reader *reader)
{
	uint32_t high = take_u16(reader);

	return high << 16 | take_u16(reader);
}

static uint8_t lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static void add_label(struct dns_name *name, const uint8_t *label, size_t length)
{
	name->bytes[name->length++] = (uint8_t)length;
	for (size_t i = 0; i < length; i++)
		name->bytes[name->length++] = lower(label[i]);
}

/*
 * Each pointer must lead to before where the labels began that it ends, as RFC 1035 (4.1.4, "a
 * prior occurrence") says: so there is no way back, and no loop.
 */
static int take_name(struct reader *reader, struct dns_name *ret)
{
	const uint8_t *bytes = reader->bytes;
	size_t at = reader->at, begin = at, behind = 0, length;
	struct dns_name name = {0};

	for (;;) {
		if (at >= reader->size)
			return -EBADMSG;
		length = bytes[at];
		if ((length & POINTER) == POINTER) {
			if (reader->size - at < 2)
				return -EBADMSG;
			behind = behind ? behind : at + 2;
			at = (length & ~(size_t)POINTER) << 8 | bytes[at + 1];
			if (at >= begin)
				return -EBADMSG;
			begin = at;
			continue;
		}
		if (length > LABEL_MAX || reader->size - at <= length ||
			name.length + length + 1 > DNS_NAME_MAX)
			return -EBADMSG;
		add_label(&name, bytes + at + 1, length);
		at += length + 1;
		if (!length)
			break;
	}
	reader->at = behind ? behind : at;
	*ret = name;
	return 0;
}

struct resource {
	struct dns_name name;
	uint16_t type;
	uint16_t class;
	uint32_t ttl_seconds;
	struct reader data; /* ends with it; begins with the message, for names lead back */
};

static int take_resource(struct reader *reader, struct resource *ret)
{
	size_t length;
	int r = take_name(reader, &ret->name);

	if (r < 0 || !has(reader, RECORD_BYTES))
		return -EBADMSG;
	ret->type = take_u16(reader);
	ret->class = take_u16(reader);
	ret->ttl_seconds = take_u32(reader);
	if (ret->ttl_seconds > TTL_MAX)
		ret->ttl_seconds = 0;
	length = take_u16(reader);
	if (!has(reader, length))
		return -EBADMSG;
	ret->data = (struct reader){reader->bytes, reader->at + length, reader->at};
	reader->at += length;
	return 0;
}

/* The name that was asked, and those that it is an alias of. */
struct aliases {
	size_t count;
	struct {
		struct dns_name name;
		uint32_t ttl_seconds;
	} items[1 + ALIASES_MAX];
};

static int find_alias(const struct aliases *aliases, const struct dns_name *name)
{
	for (size_t i = 0; i < aliases->count; i++)
		if (dns_name_equal(&aliases->items[i].name, name))
			return (int)i;
	return -1;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* -EBADMSG: its target is no name. */
static int follow(struct aliases *aliases, struct resource *resource)
{
	int from = find_alias(aliases, &resource->name);
	struct dns_name target;

	if (from < 0)
		return 0;
	if (take_name(&resource->data, &target) < 0 || resource->data.at != resource->data.size)
		return -EBADMSG;
	if (find_alias(aliases, &target) >= 0 || aliases->count > ALIASES_MAX)
		return 0;
	aliases->items[aliases->count].name = target;
	aliases->items[aliases->count].ttl_seconds =
		least(resource->ttl_seconds, aliases->items[from].ttl_seconds);
	aliases->count++;
	return 0;
}

/* -EBADMSG: it is no address. */
static int add_address(
	struct dns_message *message, const struct aliases *aliases, const struct resource *resource)
{
	const uint8_t *data = resource->data.bytes + resource->data.at;
	size_t size = resource->data.size - resource->data.at, count = message->addresses_count;
	int from = find_alias(aliases, &resource->name);

	if (size != (resource->type == TYPE_A ? 4 : 16))
		return -EBADMSG;
	if (from < 0 || count == DNS_ADDRESSES_MAX)
		return 0;
	message->addresses[count].address =
		size == 4 ? address_from_ipv4(data) : address_from_ipv6(data);
	message->addresses[count].ttl_seconds =
		least(resource->ttl_seconds, aliases->items[from].ttl_seconds);
	message->addresses_count++;
	return 0;
}

static int take_in(struct dns_message *message, struct aliases *aliases, struct resource *resource,
	bool addresses)
{
	if (resource->class != CLASS_IN)
		return 0;
	if (addresses && (resource->type == TYPE_A || resource->type == TYPE_AAAA))
		return add_address(message, aliases, resource);
	if (!addresses && resource->type == TYPE_CNAME)
		return follow(aliases, resource);
	return 0;
}

/* Once through all answers: for aliases, or for addresses. */
static int pass(struct dns_message *message, struct aliases *aliases, struct reader reader,
	size_t count, bool whole, bool addresses)
{
	for (size_t i = 0; i < count; i++) {
		struct resource resource;
		int r = take_resource(&reader, &resource);

		if (r < 0)
			return whole ? r : 0;
		r = take_in(message, aliases, &resource, addresses);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Servers put an alias before what it leads to; those that do not make one more pass each. */
static int parse_answers(
	struct dns_message *message, const struct reader *reader, size_t count, bool whole)
{
	struct aliases aliases = {.count = 1};
	size_t before;
	int r;

	aliases.items[0].name = message->question;
	aliases.items[0].ttl_seconds = TTL_MAX;
	if (count > RECORDS_MAX)
		count = RECORDS_MAX;
	do {
		before = aliases.count;
		r = pass(message, &aliases, *reader, count, whole, false);
	} while (!r && aliases.count > before);
	return r < 0 ? r : pass(message, &aliases, *reader, count, whole, true);
}

int dns_message_parse(const uint8_t *bytes, size_t size, bool whole, struct dns_message *ret)
{
	struct reader reader = {bytes, size, 0};
	struct dns_message message = {0};
	uint16_t flags, questions, answers;
	int r;

	if (size < HEADER_BYTES)
		return -EBADMSG;
	message.id = take_u16(&reader);
	flags = take_u16(&reader);
	questions = take_u16(&reader);
	answers = take_u16(&reader);
	reader.at = HEADER_BYTES;
	if (flags & FLAGS_OPCODE || questions != 1)
		return -EBADMSG;
	message.is_answer = flags & FLAG_ANSWER;
	message.code = flags & FLAGS_CODE;
	r = take_name(&reader, &message.question);
	if (r < 0 || !has(&reader, 4))
		return -EBADMSG;
	message.type = take_u16(&reader);
	if (take_u16(&reader) != CLASS_IN)
		return -EBADMSG;
	if (message.is_answer && !message.code)
		r = parse_answers(&message, &reader, answers, whole);
	if (r < 0)
		return r;
	*ret = message;
	return 0;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	return a->length == b->length && !memcmp(a->bytes, b->bytes, a->length);
}

static bool is_host_character(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
	       byte == '_';
}

bool dns_name_to_text(const struct dns_name *name, char text[static DNS_TEXT_MAX])
{
	size_t at = 0, length = 0;

	while (at < name->length && name->bytes[at]) {
		size_t end = at + 1 + name->bytes[at];

		if (length)
			text[length++] = '.';
		for (at++; at < end; at++) {
			if (!is_host_character(name->bytes[at]))
				return false;
			text[length++] = (char)name->bytes[at];
		}
	}
	text[length] = '\0';
	return length > 0;
}
