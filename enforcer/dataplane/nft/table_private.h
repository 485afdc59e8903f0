/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What table*.c share. */
#pragma once

#include "dataplane/nft/batch.h"
#include "dataplane/nft/listing.h"
#include "dataplane/nft/table.h"
#include "dataplane/nft/table_write.h"

/* Whose connections are taken in, and until when. */
struct adopting {
	struct adopting_address {
		struct address address;
		uint64_t until_ns;
	} * items;
	size_t count;
};

struct table {
	const struct table_kind *kind;
	struct mnl_socket *socket;
	struct ruleset installed;
	enum table_presence presence;
	bool adopted;
	uint16_t nflog_group;
	char note[LISTING_COMMENT_MAX];
	struct touched touched;
	struct adopting adopting;
	struct table_statistics statistics;
};

/* A batch about the table. 0 or -ENOMEM. */
int table_begin(const struct table *table, struct batch **ret);
/* And what it costs is counted. */
int table_send(struct table *table, struct batch *batch, struct error *error);
/* Those whose time is not over, from the first one on, for a table that has none of them. 0 or
 * -ENOMEM. */
int table_write_adopting(
	const struct table *table, struct batch *batch, size_t first, uint64_t now_ns);
/* After a refusal that points to somebody else's doing, the next attempt takes less for granted.
 * False: there is no other one to make. */
bool table_lose_trust(struct table *table, int code);
