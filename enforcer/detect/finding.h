/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a detector says of an actor. The engine makes alerts and incidents of it. */
#pragma once

#include "base/address.h"
#include "flow/name.h"

#include <stddef.h>
#include <stdint.h>

enum severity {
	SEVERITY_LOW,      /* unusual; nobody is woken */
	SEVERITY_MEDIUM,   /* likely hostile, or a serious mistake */
	SEVERITY_HIGH,     /* hostile */
	SEVERITY_CRITICAL, /* hostile and succeeding */
	SEVERITY_COUNT
};

#define FINDING_TEXT_MAX     512
#define FINDING_KEY_MAX      160
#define FINDING_EVIDENCE_MAX 16

struct finding {
	const char *detector;  /* detector_ops.name */
	const char *technique; /* MITRE ATT&CK, "T1046" */
	enum severity severity;
	uint64_t time_ns;  /* CLOCK_REALTIME, of the record that completed it */
	uint64_t first_ns; /* when it began */

	/* Who does it, and to whom: workloads, entities, or addresses alone. Borrowed. */
	const struct name *actor; /* NULL: only the address is known */
	struct address actor_address;
	const struct name *target; /* NULL with a zero address: many */
	struct address target_address;
	/* Chains: who was let into the actor before it did this. What is told of him and of the
	 * actor becomes one incident. NULL with a zero address: nobody that is known. */
	const struct name *origin;
	struct address origin_address;

	/* What tells it from other findings of this detector about this actor: "vertical:shop/db".
	 * The same actor and key are one alert, however often they are reported. */
	char key[FINDING_KEY_MAX];
	/* One sentence for a person, with figures: "tried 12 ports of shop/db in 4 s; 11 failed".
	 */
	char sentence[FINDING_TEXT_MAX];
	/* Why this severity. */
	char because[FINDING_TEXT_MAX];

	/* Ids of flow records that show it, newest last. */
	uint64_t evidence[FINDING_EVIDENCE_MAX];
	size_t evidence_count;
	uint64_t count; /* of what was counted: probes, sessions, bytes */
};
