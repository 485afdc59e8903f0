/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS messages put together byte by byte, as servers and as those who mean harm do. */
#pragma once

#include "observe/dns_message.h"

/* cmocka's own order of includes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#define TYPE_A     1
#define TYPE_CNAME 5
#define TYPE_TXT   16
#define TYPE_AAAA  28

struct message {
	uint8_t bytes[2048];
	size_t size;
};

static inline void put(struct message *message, const void *bytes, size_t size)
{
	assert_true(message->size + size <= sizeof(message->bytes));
	memcpy(message->bytes + message->size, bytes, size);
	message->size += size;
}

static inline void put_u8(struct message *message, unsigned int value)
{
	const uint8_t byte = (uint8_t)value;

	put(message, &byte, 1);
}

static inline void put_u16(struct message *message, unsigned int value)
{
	put_u8(message, value >> 8);
	put_u8(message, value & 0xff);
}

/* "api.example.org", and the root's label; "" is the root. */
static inline void put_name(struct message *message, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, ".");

		put_u8(message, (unsigned int)length);
		put(message, text, length);
		text += length + (text[length] == '.');
	}
	put_u8(message, 0);
}

static inline void put_pointer(struct message *message, size_t to)
{
	put_u16(message, 0xc000 | (unsigned int)to);
}

static inline struct message begin(uint16_t id, unsigned int flags, const char *name, uint16_t type)
{
	struct message message = {.size = 0};

	put_u16(&message, id);
	put_u16(&message, flags);
	put_u16(&message, 1);
	put_u16(&message, 0); /* answers: put_record() counts them */
	put_u16(&message, 0);
	put_u16(&message, 0);
	put_name(&message, name);
	put_u16(&message, type);
	put_u16(&message, 1);
	return message;
}

static inline struct message question(uint16_t id, const char *name, uint16_t type)
{
	return begin(id, 0x0100, name, type);
}

static inline struct message answer(uint16_t id, const char *name, uint16_t type)
{
	return begin(id, 0x8180, name, type);
}

static inline void put_record(struct message *message, const char *name, uint16_t type,
	uint32_t ttl, const void *data, size_t size)
{
	message->bytes[7]++;
	put_name(message, name);
	put_u16(message, type);
	put_u16(message, 1);
	put_u16(message, ttl >> 16);
	put_u16(message, ttl & 0xffff);
	put_u16(message, (unsigned int)size);
	put(message, data, size);
}

static inline void put_address(
	struct message *message, const char *name, uint32_t ttl, const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	if (address_is_ipv4(&address))
		put_record(message, name, TYPE_A, ttl, address.bytes + 12, 4);
	else
		put_record(message, name, TYPE_AAAA, ttl, address.bytes, 16);
}

static inline void put_alias(
	struct message *message, const char *name, uint32_t ttl, const char *target)
{
	struct message data = {.size = 0};

	put_name(&data, target);
	put_record(message, name, TYPE_CNAME, ttl, data.bytes, data.size);
}

static inline struct dns_message parsed(const struct message *message)
{
	struct dns_message parsed;

	assert_int_equal(dns_message_parse(message->bytes, message->size, true, &parsed), 0);
	return parsed;
}
