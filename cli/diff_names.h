/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who the parties of a comparison are, and which ports it speaks of, in as few words as are exact.
 */
#pragma once

#include "policies/comparison.h"

#include <jansson.h>
#include <stdbool.h>

/* "default/web, shop: app=api (12), bank: all (7), world". A new string. whole: name every
 * workload. */
char *diff_name_parties(const struct model *model, const struct comparison *comparison,
	const uint64_t *set, bool whole);
/* ["default/web", …, "host", "10.0.0.0/8"]: every workload and prefix. New reference. */
json_t *diff_list_parties(
	const struct model *model, const struct comparison *comparison, const uint64_t *set);

/* "tcp/8080, udp", "all but tcp/5432". A new string. */
char *diff_name_ports(const struct comparison_row *row);
/* ["tcp/8080", "udp", "other"]. New reference. */
json_t *diff_list_ports(const struct comparison_row *row);
