/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents as an apply sends them: each with the name and the lines of its file, which the agent
 * keeps and says again wherever it speaks of them. */
#pragma once

#include "policies/document.h"

/* {"files": [{"name": "web.yaml", "text": "…"}…]}, with the documents of each file on the lines
 * that they have there. For the caller to free. */
char *bundle_encode(const struct document_list *list);
