/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is frozen into the programs when they are loaded. */
#pragma once

#include "xdp/abi.h"
#include "xdp/connection_times.h"

const volatile struct abi_configuration configuration = {
	.tcp_established_ns = CONNECTION_TCP_ESTABLISHED_NS,
	.tcp_opening_ns = CONNECTION_TCP_OPENING_NS,
	.tcp_half_closed_ns = CONNECTION_TCP_HALF_CLOSED_NS,
	.tcp_closing_ns = CONNECTION_TCP_CLOSING_NS,
	.udp_ns = CONNECTION_UDP_NS,
	.other_ns = CONNECTION_OTHER_NS,
	.share = ABI_MAX_CONNECTIONS / 4,
	.denials_share = ABI_MAX_DENIALS / 4,
};
