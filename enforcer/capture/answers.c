/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/answers.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

void answers_note(struct answers *answers, const struct capture_packet *refused)
{
	answers->refused[answers->count++ % ANSWERS_MAX] = refused->ends;
}

static bool is_same(const struct packet_ends *a, const struct packet_ends *b)
{
	return a->protocol == b->protocol && a->source_port == b->source_port &&
	       a->destination_port == b->destination_port &&
	       !memcmp(a->source, b->source, sizeof(a->source)) &&
	       !memcmp(a->destination, b->destination, sizeof(a->destination));
}

bool answers_have(const struct answers *answers, const struct capture_packet *packet)
{
	size_t count = answers->count < ANSWERS_MAX ? answers->count : ANSWERS_MAX;
	struct packet_ends about;

	if (packet->cut || packet->reason)
		return false;
	if (packet->kind == PACKET_ERROR && packet->has_carried)
		about = packet->carried;
	else if (packet->ends.protocol == IPPROTO_TCP && packet->tcp_flags & TH_RST)
		about = packet_ends_turned(&packet->ends);
	else
		return false;
	for (size_t i = 0; i < count; i++)
		if (is_same(&answers->refused[i], &about))
			return true;
	return false;
}
