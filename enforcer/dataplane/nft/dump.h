/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Table inet segd, conntrack and refusals as people read them, in pages (dataplane/dump.h). */
#pragma once

#include "base/error.h"
#include "dataplane/dump.h"
#include "dataplane/nft/attached.h"
#include "dataplane/nft/connections.h"
#include "dataplane/nft/refusals.h"
#include "dataplane/nft/ruleset.h"

/* What there is to tell of. */
struct dump_view {
	const struct attached_list *attached;
	const struct ruleset *plan; /* what policy wants: of dump.ir */
	/* As the agent knows it; the watch holds the kernel to it. */
	const struct ruleset *installed;
	struct connections *connections;
	struct refusals *refusals;
};

/* As dataplane_ops.dump. */
int dump_page(const struct dump_view *view, const struct dump *dump, struct dump_cursor *cursor,
	struct error *error);
