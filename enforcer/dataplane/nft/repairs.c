/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/repairs.h"

#include "dataplane/nft/layout.h"

#include <stdio.h>
#include <string.h>

static const char *deed_of(const struct intrusion *intrusion)
{
	static const char *const deeds[] = {
		[TABLE_EDITED] = "changed",
		[TABLE_EXTENDED] = "put something into",
		[TABLE_REMOVED] = "removed",
	};

	if (intrusion->overrun)
		return "may have changed (announcements of nftables were lost)";
	return deeds[intrusion->inet ? intrusion->damage : TABLE_EDITED];
}

void repairs_add(struct repairs *repairs, const struct intrusion *intrusion, uint64_t duration_ns,
	const struct error *error, const struct dataplane_callbacks *callbacks)
{
	char message[REPAIRS_TEXT_MAX];
	bool again;

	snprintf(message, sizeof(message), "%s %s table %s %s: %s", intrusion->who,
		deed_of(intrusion), intrusion->inet ? "inet" : "netdev",
		intrusion->inet ? intrusion->table : LAYOUT_TABLE,
		error->code ? error_message(error) : "it is as it was");
	again = error->code && !strcmp(message, repairs->last);
	repairs->count += !error->code;
	repairs->failures += !!error->code;
	repairs->last_duration_ns = duration_ns;
	snprintf(repairs->last, sizeof(repairs->last), "%s", message);
	if (!again)
		callbacks->trouble(message, !error->code, callbacks->userdata);
}

json_t *repairs_describe(const struct repairs *repairs, uint64_t overruns)
{
	return json_pack("{s:I, s:I, s:I, s:s?, s:f}", "count", (json_int_t)repairs->count,
		"failures", (json_int_t)repairs->failures, "overruns", (json_int_t)overruns, "last",
		*repairs->last ? repairs->last : NULL, "last_milliseconds",
		(double)repairs->last_duration_ns / 1e6);
}
