/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/fragments.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FRAGMENTS_MAX 256
#define FRAGMENT_NS   (30 * NS_PER_SECOND) /* as the kernel reassembles (RFC 791: at least 15 s) */

struct fragment {
	uint8_t source[16];
	uint8_t destination[16];
	uint32_t id;
	uint8_t protocol;
	bool has_passed;
	uint64_t time_ns;
};

/* A ring: there are few at a time, so looking at all of them is no matter. */
struct fragments {
	struct fragment items[FRAGMENTS_MAX];
	size_t next;
};

int fragments_new(struct fragments **ret)
{
	struct fragments *fragments = calloc(1, sizeof(*fragments));

	if (!fragments)
		return -ENOMEM;
	*ret = fragments;
	return 0;
}

void fragments_free(struct fragments *fragments)
{
	free(fragments);
}

static bool is_of(const struct fragment *fragment, const struct capture_packet *packet)
{
	return fragment->time_ns && fragment->id == packet->fragment_id &&
	       fragment->protocol == packet->fragment_protocol &&
	       !memcmp(fragment->source, packet->ends.source, sizeof(fragment->source)) &&
	       !memcmp(fragment->destination, packet->ends.destination,
		       sizeof(fragment->destination));
}

void fragments_note(
	struct fragments *fragments, const struct capture_packet *packet, bool has_passed)
{
	struct fragment *fragment = &fragments->items[fragments->next];

	fragments->next = (fragments->next + 1) % FRAGMENTS_MAX;
	*fragment = (struct fragment){
		.id = packet->fragment_id,
		.protocol = packet->fragment_protocol,
		.has_passed = has_passed,
		.time_ns = packet->time_ns ? packet->time_ns : 1,
	};
	memcpy(fragment->source, packet->ends.source, sizeof(fragment->source));
	memcpy(fragment->destination, packet->ends.destination, sizeof(fragment->destination));
}

/* The newest that is of this packet: ids come round again. */
bool fragments_follow(const struct fragments *fragments, const struct capture_packet *packet)
{
	for (size_t i = 1; i <= FRAGMENTS_MAX; i++) {
		const struct fragment *fragment =
			&fragments->items[(fragments->next + FRAGMENTS_MAX - i) % FRAGMENTS_MAX];

		if (is_of(fragment, packet))
			return fragment->has_passed &&
			       packet->time_ns < fragment->time_ns + FRAGMENT_NS;
	}
	return false;
}
