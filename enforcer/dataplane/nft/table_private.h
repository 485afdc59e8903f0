/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What table*.c share. */
#pragma once

#include "dataplane/nft/batch.h"
#include "dataplane/nft/listing.h"
#include "dataplane/nft/table.h"
#include "dataplane/nft/table_write.h"

struct table {
	const struct table_kind *kind;
	struct mnl_socket *socket;
	struct ruleset installed;
	enum table_presence presence;
	bool adopted;
	uint16_t nflog_group;
	char note[LISTING_COMMENT_MAX];
	struct touched touched;
	struct table_statistics statistics;
};

/* A batch about the table. 0 or -ENOMEM. */
int table_begin(const struct table *table, struct batch **ret);
/* And what it costs is counted. */
int table_send(struct table *table, struct batch *batch, struct error *error);
/* After a refusal that points to somebody else's doing, the next attempt takes less for granted.
 * False: there is no other one to make. */
bool table_lose_trust(struct table *table, int code);
