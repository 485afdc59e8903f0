/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node's interfaces and whose they are, and what a packet that is tapped at one of them is
 * about to go through.
 *
 * Taps see what a workload sends before the data plane judges it, and what it receives behind that.
 * So each packet is taken where it leaves its sender; what comes from elsewhere is taken where it
 * enters the workload, and where it is refused, at the last tap before.
 */
#pragma once

#include "base/address.h"
#include "capture/packet.h"
#include "capture/sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view_interface {
	uint32_t ifindex; /* in its namespace */
	uint32_t number;  /* as flow events name it: ifindex, or that of one inside */
	char name[16];
	char *netns; /* path, where it is inside the workload (macvlan, ipvlan); NULL: the node's */
	char *workload;            /* "shop/api"; NULL: none's */
	uint8_t mac[6];            /* of the workload's own end */
	struct address *addresses; /* of the workload, at this interface */
	size_t addresses_count;
	uint32_t master; /* ifindex of its bridge; 0: none */
	bool is_bridge;
	bool is_wanted[2]; /* it belongs to the one end and the other of what is captured */
};

/* One end of what is captured. */
struct view_end {
	bool is_any;
	bool is_workload; /* whichever addresses it has */
	char *workload;   /* "shop/api", however it was asked for; NULL: anybody, or an address */
	struct address *addresses;
	size_t addresses_count;
};

struct view_owner {
	struct address address;
	size_t interface; /* index */
};

struct view {
	struct view_interface *interfaces; /* those of the node first, by ifindex */
	size_t interfaces_count;
	struct view_end ends[2];
	bool is_of_all; /* neither end bounds what is captured */
	/* What enters a workload is judged at its own interface (eBPF), so that the bridge's tap
	 * sees it before; else in the node's stack (nftables). */
	bool judges_at_interface;
	struct view_owner *owners; /* by address; made by view_finish() */
	size_t owners_count;
};

int view_add_interface(struct view *view, struct view_interface **ret);
int view_add_address(struct view_interface *interface, const struct address *address);
int view_end_add(struct view_end *end, const struct address *address);
/* Ends that are workloads are nowhere any more: their addresses may be somebody else's by now. */
void view_forget_workloads(struct view *view);
bool view_end_has(const struct view_end *end, const uint8_t address[static 16]);
/* After the last addition. 0 or -ENOMEM. */
int view_finish(struct view *view);
void view_clear(struct view *view);

/* Of the node. NULL: came since, or is none of its. */
const struct view_interface *view_find(const struct view *view, uint32_t ifindex);
/* Whose address it is. NULL: no workload's of this node. */
const struct view_interface *view_owner(const struct view *view, const uint8_t address[static 16]);

/* It belongs to what is captured; inside, that is where there is a tap. */
bool view_is_wanted(const struct view *view, const struct view_interface *interface);

enum view_place {
	VIEW_ELSEWHERE, /* passes here, and is taken at another tap */
	VIEW_LEAVES,    /* a workload sends it; not judged yet */
	VIEW_ARRIVES,   /* on its way to a workload, and not judged yet; taken only if refused */
	VIEW_ENTERS,    /* the same, but there will be no other tap: taken in any case */
	VIEW_PASSED     /* it has been judged, and passed */
};

/* interface: NULL: of the node, but not known. is_outgoing: the node's stack sends it there. */
enum view_place view_place(const struct view *view, const struct view_interface *interface,
	bool is_outgoing, const struct capture_packet *packet);

struct judge_sender view_sender(const struct view_interface *interface);
