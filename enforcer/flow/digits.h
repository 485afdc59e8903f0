/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decimal digits two at a time, for what is formatted with each record. */
#pragma once

/* number is below 100. Returns what follows. */
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
