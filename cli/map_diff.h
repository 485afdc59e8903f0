/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is other in one map than in another: "who talks to whom since yesterday that did not
 * before". */
#pragma once

#include <jansson.h>

/*
 * One map with the nodes and edges of both. Each edge has "change": "added", "gone", "changed"
 * (another verdict, or another rule decides) or "same"; one that changed has "before", which is the
 * former edge's verdict, reason and rule. Each node has "change": "added", "gone" or "same". Counts
 * are in "diff": {"added", "gone", "changed", "same"}. Edges are told apart by their ends, protocol
 * and port, and where a verdict is in both maps by that. New reference.
 */
json_t *map_diff(const json_t *before, const json_t *after);
