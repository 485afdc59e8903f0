/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is frozen into the programs when they are loaded. */
#pragma once

#include "xdp/abi.h"

const volatile struct abi_configuration configuration = {
	.tcp_established_ns = 5ULL * 24 * 3600 * 1000000000,
	.tcp_opening_ns = 60ULL * 1000000000,
	.tcp_half_closed_ns = 3600ULL * 1000000000,
	.tcp_closing_ns = 10ULL * 1000000000,
	.udp_ns = 120ULL * 1000000000,
	.other_ns = 60ULL * 1000000000,
	.share = ABI_MAX_CONNECTIONS / 4,
	.denials_share = ABI_MAX_DENIALS / 4,
};
