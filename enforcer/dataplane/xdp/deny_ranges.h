/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prefixes as the deny list map holds them (abi.h): ranges of 128-bit numbers. Pure. */
#pragma once

#include "base/address.h"
#include "xdp/abi.h"

#include <stddef.h>

struct deny_ranges {
	struct abi_deny_range *items;
	size_t count;
	size_t room;
};

/* IPv6 prefixes do not cover IPv4: one that would is added as two ranges. 0 or -ENOMEM. */
int deny_ranges_add(struct deny_ranges *ranges, const struct prefix *prefix);
/* Sorts, and makes one of ranges that overlap or adjoin. */
void deny_ranges_finish(struct deny_ranges *ranges);
void deny_ranges_clear(struct deny_ranges *ranges);

#define _cleanup_deny_ranges_ __attribute__((cleanup(deny_ranges_clear)))

/* How many rows the map needs for finished ranges, and writes them. */
size_t deny_ranges_rows(const struct deny_ranges *ranges);
void deny_ranges_write(const struct deny_ranges *ranges, union abi_deny_row *rows);
