/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/link_local.h"

bool link_local_contains(const struct address *address)
{
	static const struct prefix ipv4 = {
		{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 169, 254}}, 96 + 16};
	static const struct prefix ipv6 = {{{0xfe, 0x80}}, 10};

	return prefix_contains(&ipv4, address) || prefix_contains(&ipv6, address);
}
