/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one header between the BPF programs and user space: map keys, values and events.
 *
 * Addresses are 16 bytes in network order, IPv4 mapped (::ffff:a.b.c.d). Ports in keys that packets
 * fill are in network order where the name ends in _be, else in host order. Times are nanoseconds
 * of CLOCK_BOOTTIME. Every struct is free of implicit padding: keys are hashed as bytes.
 *
 * How a packet is judged (ir.h has the same picture with names instead of numbers):
 *
 *   addresses[ip], else prefixes[ip]  ->  identity (one for each address or prefix)
 *   identities[identity * 2 + slot]   ->  class, peer table for ingress and for egress
 *   peers[peer table, class], else peer_tables[peer table].otherwise  ->  port table
 *   port_tables[port table]           ->  which prefix lengths ports[] has for a protocol,
 * otherwise ports[port table, protocol, port prefix]  ->  decision
 *
 * Generations: control.generation is read once for each packet; slot = generation & 1. The agent
 * fills the identities of the idle slot and new peer and port tables under numbers that the running
 * generation does not use, then stores the new generation: each packet sees the old policy or the
 * new. A decision judges egress of the source and ingress of the destination together, under one
 * generation, at whichever hook sees the packet first, and the connection remembers it.
 *
 * A connection whose generation is not the current one is judged again on its next packet.
 */
#pragma once

#include <linux/types.h>

#define ABI_VERSION 5

/* Bounds. What is turned away at each is counted in enum abi_loss. */
#define ABI_MAX_ENDPOINTS   16384
#define ABI_MAX_ADDRESSES   65536
#define ABI_MAX_PREFIXES    65536
#define ABI_MAX_IDENTITIES  (ABI_MAX_ADDRESSES + ABI_MAX_PREFIXES)
#define ABI_MAX_PEER_TABLES 16384
#define ABI_MAX_PORT_TABLES 65536
#define ABI_MAX_PEERS       1048576
#define ABI_MAX_PORTS       1048576
#define ABI_MAX_CONNECTIONS 262144
#define ABI_MAX_DENIALS     65536
#define ABI_MAX_FRAGMENTS   16384
#define ABI_MAX_HITS        65536
#define ABI_MAX_OPENINGS    65536
#define ABI_EVENTS_BYTES    (4 << 20)
#define ABI_SAMPLES_BYTES   (512 << 10)
#define ABI_ETHERTYPES      16

enum abi_direction {
	ABI_INGRESS,
	ABI_EGRESS,
	ABI_DIRECTIONS
}; /* seen from the workload */
enum abi_side {
	ABI_ORIGINATOR,
	ABI_RESPONDER,
	ABI_SIDES
};
enum abi_verdict {
	ABI_ALLOW,
	ABI_DENY
};

/* Same bits as enum decision_flags. */
#define ABI_DECISION_LOG    1
#define ABI_DECISION_REJECT 2
#define ABI_DECISION_AUDIT  4

/* control: array of one, memory-mapped; the agent stores generation with one 32-bit store. */
struct abi_control {
	__u32 version;    /* ABI_VERSION of whoever made the maps */
	__u32 generation; /* 0: none yet, everything is refused with UNKNOWN_ENDPOINT */
	__u32 epoch;      /* of denials: see there */
	__u32 pad;
};

/* endpoints: hash by ifindex of the hook (the host side of the veth). An interface that has none is
 * enforced inside its workload's namespace, and known by a number of 32 bits with the highest set,
 * which stands for an ifindex everywhere here. */
#define ABI_INSIDE         (1U << 31)
#define ABI_ENDPOINT_GUARD 1 /* attached, but the workload is not known yet: refuse everything */

struct abi_endpoint {
	__u64 attached_ns; /* when enforcement began; adoption ends at attached_ns + adoption_ns */
	__u64 adoption_ns; /* 0: nothing is adopted (the workload started under enforcement) */
	__u32 identity;    /* of its first address: judges multicast and broadcast to it */
	__u32 flags;       /* ABI_ENDPOINT_* */
	__u8 mac[6];       /* the workload's own, inside the container */
	__u8 pad[2];
};

/* addresses: hash by address: of workloads here, workloads elsewhere, and the node. */
#define ABI_ADDRESS_HOST 1 /* the node's own */

struct abi_address_key {
	__u8 bytes[16];
};

struct abi_address {
	__u32 identity;
	__u32 ifindex; /* hook of the local workload that owns it, else 0 */
	__u8 mac[6];   /* of that workload; zero elsewhere */
	__u16 flags;   /* ABI_ADDRESS_* */
};

/* prefixes: LPM trie. 0.0.0.0/0 (as ::ffff:0:0/96) and ::/0 are always there. */
struct abi_prefix_key {
	__u32 length; /* bits of the 128-bit form */
	__u8 bytes[16];
};

struct abi_prefix {
	__u32 identity;
};

/* identities: array, index identity * 2 + (generation & 1). */
struct abi_identity {
	__u32 class;
	__u32 peer_table[ABI_DIRECTIONS]; /* ABI_NO_PEER_TABLE: no subject, allowed */
	__u32 pad;
};

#define ABI_NO_PEER_TABLE 0 /* peer table numbers count from 1 */

struct abi_peer_key {
	__u32 peer_table;
	__u32 class;
};

/* peers: hash -> __u32 port table. peer_tables: array by peer table -> __u32 port table for every
 * other class. */

/* Ids of rules that no document wrote (the default posture and the like) are 1 to this. */
#define ABI_RULE_FIXED 3

struct abi_decision {
	__u32 rule;   /* id of the rule, as in ir.h */
	__u8 verdict; /* enum abi_verdict */
	__u8 flags;   /* ABI_DECISION_* */
	__u16 pad;
};

enum abi_protocol_index {
	ABI_TCP,
	ABI_UDP,
	ABI_SCTP,
	ABI_ICMP,
	ABI_ICMPV6,
	ABI_PROTOCOLS
};

/* port_tables: array by port table. Bit n of lengths[p]: ports[] has prefixes of n bits (0..16) for
 * protocol p. The longest that matches decides; otherwise decides the rest and other protocols. */
struct abi_port_table {
	struct abi_decision otherwise;
	__u32 lengths[ABI_PROTOCOLS];
	__u32 pad;
};

/* ports: hash -> struct abi_decision. port has the bits behind the prefix cleared, host order;
 * ICMP: type << 8 | code. */
struct abi_port_key {
	__u32 port_table;
	__u16 port;
	__u8 protocol; /* enum abi_protocol_index */
	__u8 length;
};

/* connections: hash. Both directions have the same key: side 0 is the smaller (address, port) by
 * memcmp. ICMP echo and the other queries: both ports are the identifier; other ICMP: both are
 * type << 8 | code.
 *
 * An agent takes connections over from maps of any other ABI by the names of the fields
 * (former_connections.h): whoever changes what a field means gives it another name. */
struct abi_connection_key {
	__u8 address[2][16];
	__u16 port_be[2];
	__u8 protocol;
	__u8 pad[3];
};

#define ABI_CONNECTION_REPLIED        1 /* the responder has answered */
#define ABI_CONNECTION_ADOPTED        2
#define ABI_CONNECTION_AUDITED        4
#define ABI_CONNECTION_LOG            8
#define ABI_CONNECTION_CLOSING        16  /* TCP, SCTP: both sides have finished */
#define ABI_CONNECTION_ESTABLISHED    32  /* TCP, SCTP: handshake complete */
#define ABI_CONNECTION_AUDITED_EGRESS 64  /* AUDITED, and by the source's egress */
#define ABI_CONNECTION_RESET          128 /* TCP RST, SCTP ABORT: over unless its sender goes on */

struct abi_connection {
	__u64 packets[ABI_SIDES]; /* sent by originator, by responder */
	__u64 bytes[ABI_SIDES];   /* of whole frames without the Ethernet header */
	__u64 start_ns;
	__u64 last_ns;
	__u32 generation;
	__u32 ifindex[ABI_SIDES];   /* hooks of the ends that are local, else 0 */
	__u32 rule[ABI_DIRECTIONS]; /* which decided, in each direction; 0: no subject there */
	__u8 mac[ABI_SIDES][6];     /* of the ends that are local */
	__u8 tcp_flags[ABI_SIDES];  /* all that were seen, ORed */
	__u8 originator;            /* which side of the key it is: 0 or 1 */
	__u8 flags;                 /* ABI_CONNECTION_* */
	__u16 type_code;            /* ICMP of the first packet: type << 8 | code */
	__u8 samples;               /* packets that are still to be looked into */
	__u8 seen;   /* bit of each side that was seen to send it at a hook of its own */
	__u32 id;    /* with start_ns unique on the node */
	__u32 owner; /* ifindex of the hook that saw it first: whose share it takes */
	__u32 round_trip_us[ABI_SIDES];   /* as the socket of that end has it, of this node's; 0:
					     nobody has said (segd_tcp.bpf.c) */
	__u32 retransmissions[ABI_SIDES]; /* of that end's segments */
};

/*
 * shares: array, memory-mapped, index ifindex % ABI_MAX_ENDPOINTS: what a workload takes of the
 * connection table and of denials. Whoever enters or deletes a connection counts it here. Two
 * workloads whose ifindex differs by a multiple of that share one.
 */
struct abi_share {
	__u32 connections;
	__u32 head; /* oldest in its part of openings; both count up for ever */
	__u32 tail;
	__u32 answers; /* to refused packets, since then */
	__u64 answers_since_ns;
	__u32 denials; /* entries of its hook; the agent counts what it deletes */
	__u32 samples; /* second << 16 | taken in it of connections that it owns */
};

/* openings: array of connection keys, ABI_SHARE_OPENINGS for a share: the last connections that a
 * workload opened beyond half of its share. The unanswered ones make room for its next. */
#define ABI_SHARE_OPENINGS 1024

/*
 * hits: per-CPU hash by id of the rule -> __u64: connections that it allowed, packets that it
 * refused. What it counted last is still in recent_hits: per-CPU array of __u64, id << 32 | count,
 * at id % ABI_RECENT_HITS; 0: nothing. From there a count goes on to hits when another rule needs
 * its place, and is in neither for a moment. So whoever reads hits first and then recent_hits may
 * miss some, but meets none twice.
 */
#define ABI_RECENT_HITS 256

/*
 * The mark of an answer (RST, ICMP administratively prohibited) on its way from the hook that
 * refused a packet back to the sender, which may be through a hook of the same interface: that one
 * takes the mark off and lets it pass. No workload can send it: packets lose their mark when they
 * cross from one network namespace to another, and on the node it takes CAP_NET_ADMIN.
 */
#define ABI_ANSWER_MARK 0x5e9d0a25

/*
 * The second lock (dataplane/lock/lock.h) writes over the first four bits behind the Ethernet
 * header of what is about to enter a workload: IP's version, the hardware type of ARP. Whoever
 * reads that, drops it. The program that judges the packet puts back what was there.
 */
#define ABI_SEAL_MASK 0xf0
#define ABI_SEAL_IPV4 0xb0
#define ABI_SEAL_IPV6 0x90
#define ABI_SEAL_ARP  0xf0

/* denials: hash. One entry for each kind of refusal until the agent has collected it. The agent
 * deletes only entries of a former epoch, when no packet is left that has read it: so none is
 * counted into an entry that is gone. */
struct abi_denial_key {
	__u8 source[16];
	__u8 destination[16];
	__u32 ifindex;   /* of the hook */
	__u32 rule;      /* which refused; 0 where the reason is not policy */
	__u16 port;      /* destination port or type << 8 | code; ARP: 0; host order */
	__u16 ethertype; /* host order */
	__u8 protocol;
	__u8 reason;    /* enum reason */
	__u8 hook;      /* enum abi_direction: leaving the workload is egress */
	__u8 direction; /* enum abi_direction whose policy refused */
	__u32 epoch;    /* control.epoch when the entry was made */
};

struct abi_denial {
	__u64 packets;
	__u64 bytes;
	__u64 first_ns;
	__u64 last_ns;
	__u16 source_port; /* of the first packet, host order */
	__u8 tcp_flags;    /* all that were seen, ORed */
	__u8 decision_flags;
	__u8 source_mac[6]; /* of the first packet */
	__u8 destination_mac[6];
};

/* fragments: LRU hash; an entry means: the first fragment was passed. */
struct abi_fragment_key {
	__u8 source[16];
	__u8 destination[16];
	__u32 id;
	__u32 ifindex;
	__u8 protocol;
	__u8 pad[3];
};

struct abi_fragment {
	__u64 passed_ns;
	__u8 header_units; /* of 8 bytes, rounded up: all headers are in these */
	__u8 pad[7];
};

/* counters: per-CPU array, index reason * ABI_DIRECTIONS + hook direction. */
struct abi_counter {
	__u64 packets;
	__u64 bytes;
};

/* losses: per-CPU array of __u64 by enum abi_loss. */
enum abi_loss {
	ABI_LOSS_EVENT, /* ring buffer full: a new or ended connection was not reported */
	ABI_LOSS_DENIAL_AGGREGATE, /* denials full, or its share used up: refusal is only in
				      counters */
	ABI_LOSS_HIT,              /* hits full: not counted for its rule */
	ABI_LOSS_ANSWER, /* a refused packet that asks for an answer got none: too many at once, or
			    none can be made */
	ABI_LOSS_SAMPLE, /* samples full, or the second's budget used up: a packet was not seen */
	ABI_LOSS_COUNT
};

/* events: ring buffer. */
enum abi_event_type {
	ABI_EVENT_NEW, /* a connection was allowed (or audited, by its flags) */
	ABI_EVENT_END, /* a connection was reclaimed in the kernel; the agent reports the others */
	ABI_EVENT_DENIED, /* the first packet of a new entry in denials: a hint to collect it */
};

struct abi_event {
	__u32 type; /* enum abi_event_type */
	__u32 pad;
	union {
		struct {
			struct abi_connection_key key;
			struct abi_connection value;
		} connection;
		struct abi_denial_key denial;
	};
};

/*
 * samples: ring buffer of the beginnings of payloads, for whoever wants to know what is spoken: of
 * DNS over UDP each packet, of a part of the other connections the first few, with payload or not.
 * Only of what was allowed, and once where a packet passes two hooks. Nobody is woken for them.
 */
#define ABI_SAMPLE_BYTES 952 /* so that one fills a KiB of the ring */
#define ABI_SAMPLES_ALL  255 /* abi_connection.samples: of each packet */
#define ABI_SAMPLES_FEW  12
#define ABI_SAMPLE_SHARE 4 /* a workload may have this part of a second's budget */
#define ABI_DNS_PORT     53

struct abi_sample {
	struct abi_connection_key key;
	__u64 time_ns;
	__u16 size;      /* of the payload, in the packet */
	__u16 sampled;   /* of it, in bytes; the rest of them is what the ring had before */
	__u8 originator; /* which side of the key it is */
	__u8 sender;     /* enum abi_side */
	__u8 pad[10];
	__u8 bytes[ABI_SAMPLE_BYTES];
};

/* inside: program array by enum abi_direction. The program of an interface inside writes the number
 * that it is known by into skb->cb[0] and jumps there. */

/* Frozen into the programs when they are loaded. */
struct abi_configuration {
	__u64 tcp_established_ns; /* idle time after which an entry may be reclaimed */
	__u64 tcp_opening_ns;
	__u64 tcp_half_closed_ns; /* one side has finished */
	__u64 tcp_closing_ns;
	__u64 udp_ns;
	__u64 other_ns;
	__u16 ethertypes[ABI_ETHERTYPES]; /* besides IP and ARP, that pass unjudged; 0: none */
	__u32 fast_path;                  /* not 0: fastpath.bpf.h */
	__u32 share;                      /* connections that a workload may have in the table */
	__u32 lock_mark; /* bits of skb->mark on all that leaves a workload; 0: no second lock */
	__u32 denials_share; /* kinds of refusals that a workload's hook may have in that table */
	__u32 samples;       /* in a second; 0: none are taken */
	__u32 sampled_connections; /* in a second, besides DNS; 0: none */
};

/*
 * Early dropping (segd_xdp.bpf.c) has maps of its own, for it works with either data plane:
 *
 *   early_interfaces[ifindex]  ->  the jobs that the programs have there, and the hook's direction
 *   investigators[address]     ->  what a quarantined workload may still send there
 *   deny_lists[0]              ->  the map of all listed ranges; one store exchanges it
 *   early_sources[source]      ->  when its next connection conforms to the limit
 *
 * It also has control (of which it reads the epoch alone), denials, counters and losses as above.
 * In each it appears as ABI_INGRESS what comes in by an uplink, as ABI_EGRESS what leaves a
 * workload or the node.
 */
#define ABI_EARLY_VERSION     2 /* of the maps' shapes and meaning */
#define ABI_MAX_INVESTIGATORS 4096
#define ABI_MAX_EARLY_SOURCES 262144
#define ABI_MAX_DENY_RANGES   (1 << 24)

#define ABI_EARLY_QUARANTINE 1 /* only investigators are reached */
#define ABI_EARLY_DENY_LIST  2 /* ingress: listed sources, egress: listed destinations */
#define ABI_EARLY_LIMIT      4 /* new connections of each source */

/* Quarantines outlive a change of version: this struct only grows at its end, and the keys of
 * early_interfaces and investigators stay. */
struct abi_early_interface {
	__u64 limit_interval_ns; /* between two new connections at the limit */
	__u64 limit_burst_ns;    /* as many intervals may be used up at once */
	__u32 jobs;              /* ABI_EARLY_* */
	__u32 hook;              /* enum abi_direction */
};

/* investigators: LPM trie by struct abi_prefix_key -> __u32. ::ffff:0:0/96 is always there, so that
 * no IPv6 prefix covers IPv4. */
#define ABI_INVESTIGATOR_TRAFFIC   1 /* packets to it pass */
#define ABI_INVESTIGATOR_NEIGHBOUR 2 /* may be asked for by ARP and neighbour discovery */

/*
 * The map in deny_lists[0]: array of 32 bytes. First come the buckets, of which each family has one
 * for each value of an address's first 16 bits; then the ranges, disjoint and sorted. Of bucket
 * [first, last) ranges first to last - 1 begin in it, so the last range that begins at or below an
 * address is one of these or the one before.
 */
#define ABI_DENY_BUCKETS         65536 /* of one family: IPv6 first, then IPv4 */
#define ABI_DENY_BUCKETS_PER_ROW 4
#define ABI_DENY_BUCKET_ROWS     (2 * ABI_DENY_BUCKETS / ABI_DENY_BUCKETS_PER_ROW)

/* 128-bit numbers in host order, the high half first. */
struct abi_deny_range {
	__u64 first[2];
	__u64 last[2];
};

struct abi_deny_bucket {
	__u32 first;
	__u32 last;
};

union abi_deny_row {
	struct abi_deny_range range;
	struct abi_deny_bucket buckets[ABI_DENY_BUCKETS_PER_ROW];
};

#define ABI_STATIC_ASSERT(type, size) \
	_Static_assert(sizeof(struct type) == (size), #type " has padding or has changed")

ABI_STATIC_ASSERT(abi_control, 16);
ABI_STATIC_ASSERT(abi_endpoint, 32);
ABI_STATIC_ASSERT(abi_address_key, 16);
ABI_STATIC_ASSERT(abi_address, 16);
ABI_STATIC_ASSERT(abi_prefix_key, 20);
ABI_STATIC_ASSERT(abi_identity, 16);
ABI_STATIC_ASSERT(abi_peer_key, 8);
ABI_STATIC_ASSERT(abi_decision, 8);
ABI_STATIC_ASSERT(abi_port_table, 32);
ABI_STATIC_ASSERT(abi_port_key, 8);
ABI_STATIC_ASSERT(abi_connection_key, 40);
ABI_STATIC_ASSERT(abi_connection, 112);
ABI_STATIC_ASSERT(abi_share, 32);
ABI_STATIC_ASSERT(abi_denial_key, 52);
ABI_STATIC_ASSERT(abi_denial, 48);
ABI_STATIC_ASSERT(abi_fragment_key, 44);
ABI_STATIC_ASSERT(abi_fragment, 16);
ABI_STATIC_ASSERT(abi_configuration, 104);
ABI_STATIC_ASSERT(abi_event, 160);
ABI_STATIC_ASSERT(abi_sample, 1016);
ABI_STATIC_ASSERT(abi_early_interface, 24);
ABI_STATIC_ASSERT(abi_deny_range, 32);
ABI_STATIC_ASSERT(abi_deny_bucket, 8);
