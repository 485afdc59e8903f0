/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the words of an expectation stand for in a model. */
#pragma once

#include "policies/document.h"
#include "policies/expectation.h"
#include "policies/model.h"

/* A workload with all its addresses, or one address, its own or nobody's. */
struct verification_end {
	const struct model_workload *workload; /* NULL: nobody's */
	const struct address *addresses;       /* borrowed */
	size_t addresses_count;
	bool by_address; /* it was an address that was written */
};

struct verification_ends {
	struct verification_end *items;
	size_t count;
};

/* Appends what ends stand for, each workload once. What is not there is an error in diagnostics and
 * is left out. 0 or -ENOMEM. document, ends and model must outlive *ret. */
int verification_ends_find(const struct document *document, const struct expectation_end *ends,
	size_t count, const struct model *model, struct diagnostics *diagnostics,
	struct verification_ends *ret);
void verification_ends_clear(struct verification_ends *ends);

/* "namespace/name" or the address. Owned by the caller; NULL: out of memory. */
char *verification_end_name(const struct verification_end *end);

/* An error in diagnostics where no policy has the name that the expectation demands. 0 or -ENOMEM.
 */
int verification_check_rule(const struct document *document, const struct expectation *expectation,
	const struct document_list *documents, struct diagnostics *diagnostics);
