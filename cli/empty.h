/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An empty answer in words: whether nothing happened, or nothing that was asked for. */
#pragma once

#include "client.h"
#include "filter.h"

/* "no denied flows since 10:00; 3 policies enforce 12 workloads". what: "denied flows". client:
 * NULL where no agent was asked. */
void empty_print(struct client *client, const struct filter *filter, const char *what);
