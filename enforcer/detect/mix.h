/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Items are hashes, but of which bits are good is not said, and ports in a row must fall as if at
 * random: splitmix64's finish (Steele, Lea, Flood 2014). */
#pragma once

#include <stdint.h>

static inline uint64_t mix(uint64_t item)
{
	item = (item ^ item >> 30) * 0xbf58476d1ce4e5b9ULL;
	item = (item ^ item >> 27) * 0x94d049bb133111ebULL;
	return item ^ item >> 31;
}
