/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sums of flow events that have something in common. Bounded: the tally that was idle for longest
 * makes room, and what it held is counted.
 */
#pragma once

#include "flow/record.h"

#include <stddef.h>
#include <stdint.h>

/* What the events have in common; members that are to make no difference stay zero. Compared as
 * bytes. Names can be compared by pointer (name.h). */
struct tally_key {
	struct address source;
	struct address destination;
	struct name *source_name;
	struct name *destination_name;
	struct name *rule;
	uint16_t ethertype;
	uint16_t port;
	uint8_t protocol;
	uint8_t icmp_type;
	uint8_t icmp_code;
	uint8_t verdict;   /* enum flow_verdict */
	uint8_t reason;    /* enum reason */
	uint8_t direction; /* enum direction */
	uint8_t pad[6];
};

struct tally {
	UT_hash_handle hh; /* beside the key: both are read of whichever one is met on the way */
	struct tally_key key;
	struct name *application; /* that was last found out; NULL: none was */
	struct name *rule;        /* of the last event, as are these */
	uint8_t reason;
	uint8_t direction;
	uint8_t tcp_flags; /* of all events, ORed */
	uint8_t source_mac[6];
	uint8_t destination_mac[6];
	uint64_t packets[2];
	uint64_t bytes[2];
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t connections;
	void *owned;               /* of the table's user, who gets it back by evicted */
	struct tally *prev, *next; /* from the longest idle to the latest */
};

struct tally_table {
	struct tally *tallies;
	struct tally *by_age;
	size_t tallies_max;
	uint64_t evicted_count;
	uint64_t evicted_packets;
	uint64_t turned_away; /* events for which there was no memory */
	void (*evicted)(struct tally *tally, void *userdata); /* NULL: not needed */
	void *userdata;
};

/* The tally of key, made if there is none, moved to the latest. record gives its new attributes.
 * NULL: out of memory, counted. */
struct tally *tally_touch(
	struct tally_table *table, const struct tally_key *key, const struct record *record);
/* The same in two steps, for who has something to do while the place of key is on its way from
 * memory: tally_expect() returns what tally_touch_expected() takes as hash. */
unsigned int tally_expect(const struct tally_table *table, const struct tally_key *key);
struct tally *tally_touch_expected(struct tally_table *table, const struct tally_key *key,
	unsigned int hash, const struct record *record);
void tally_add(
	struct tally *tally, const uint64_t packets[static 2], const uint64_t bytes[static 2]);
/* The tally as a record without references of its own; its time is the last event's. */
struct record tally_record(const struct tally *tally);
void tally_table_clear(struct tally_table *table);
