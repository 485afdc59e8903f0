/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A DNS message over UDP (RFC 1035, 4) as an onlooker needs it: what was asked, and which addresses
 * the answer gives for it. Bytes are whatever somebody sent: pure, without recursion, in time that
 * is bounded by the size.
 */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX      255 /* RFC 1035, 2.3.4 */
#define DNS_TEXT_MAX      256
#define DNS_ADDRESSES_MAX 32

/* Labels with their lengths, in lower case, ended by the root's; no compression. */
struct dns_name {
	uint8_t length; /* of bytes, 1 to 255 */
	uint8_t bytes[DNS_NAME_MAX];
};

struct dns_message {
	uint16_t id;
	bool is_answer;
	uint8_t code;  /* of an answer: 0 is success, 3 no such name */
	uint16_t type; /* that was asked for: 1 A, 28 AAAA, … */
	struct dns_name question;
	size_t addresses_count; /* no more than there is room for */
	struct {
		struct address address;
		uint32_t ttl_seconds;   /* the least on the way from the question */
	} addresses[DNS_ADDRESSES_MAX]; /* of the name that was asked, through aliases */
};

/* whole: bytes are all of the message; else it was cut, and what begins but does not end is left
 * out. -EBADMSG: no query or answer of one question in class IN. */
int dns_message_parse(const uint8_t *bytes, size_t size, bool whole, struct dns_message *ret);

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
/* "api.example.org". false: other characters than host names have (RFC 952, and the underscore that
 * services use), or the root. */
bool dns_name_to_text(const struct dns_name *name, char text[static DNS_TEXT_MAX]);
