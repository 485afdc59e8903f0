/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which packets are wanted: whose, on which port, refused or all, and a filter in pcap's syntax. */
#pragma once

#include "capture/judge.h"
#include "capture/packet.h"
#include "capture/view.h"

#include <stdbool.h>
#include <stdint.h>

struct scope {
	bool is_pair;     /* between the view's two ends; else of either */
	bool is_directed; /* of connections that the first end opened to the second */
	bool only_refused;
	bool has_port;
	uint16_t port; /* host order; the destination port of the connection */
};

/* interface is where the packet was tapped; NULL: not known. */
bool scope_has(const struct scope *scope, const struct view *view,
	const struct view_interface *interface, enum view_place place,
	const struct capture_packet *packet, const struct judgement *judgement);
