/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is put into a text with each record, into memory of which the caller knows that it is
 * enough. Each returns what follows; none ends the text.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#define PUT_UINT_MAX 20 /* digits */

#define put_literal(text, literal) \
	((char *)memcpy(text, literal, sizeof(literal) - 1) + sizeof(literal) - 1)

/* number is below 100. */
static inline char *put_two_digits(char *text, unsigned int number)
{
	static const char pairs[] = "00010203040506070809"
				    "10111213141516171819"
				    "20212223242526272829"
				    "30313233343536373839"
				    "40414243444546474849"
				    "50515253545556575859"
				    "60616263646566676869"
				    "70717273747576777879"
				    "80818283848586878889"
				    "90919293949596979899";

	text[0] = pairs[number * 2];
	text[1] = pairs[number * 2 + 1];
	return text + 2;
}

static inline unsigned int count_digits(uint64_t number)
{
	static const uint64_t least[] = {0, 10, 100, 1000, 10000, 100000, 1000000, 10000000,
		100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000,
		100000000000000, 1000000000000000, 10000000000000000, 100000000000000000,
		1000000000000000000, 10000000000000000000U};
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(number | 1);
	unsigned int full = bits * 1233 >> 12; /* log10(2) = 1233/4096, nearly */

	return full + (number >= least[full]);
}

static inline char *put_uint(char *text, uint64_t number)
{
	char *end = text + count_digits(number), *digits = end;

	for (; number >= 100; number /= 100)
		put_two_digits(digits -= 2, (unsigned int)(number % 100));
	if (number >= 10)
		put_two_digits(text, (unsigned int)number);
	else
		*text = (char)('0' + number);
	return end;
}

static inline char *put_hexadecimal(char *text, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";

	text[0] = digits[byte >> 4];
	text[1] = digits[byte & 15];
	return text + 2;
}
