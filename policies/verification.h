/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PolicyTests held against compiled policies: which expectations are met, and what is so instead.
 */
#pragma once

#include "policies/document.h"
#include "policies/evaluate.h"
#include "policies/expectation.h"
#include "policies/model.h"

enum verification_outcome {
	VERIFICATION_HOLDS,
	VERIFICATION_WRONG_VERDICT,
	VERIFICATION_WRONG_RULE,
	VERIFICATION_NO_SUCH_PORT, /* the destination has no port of that name */
	VERIFICATION_NO_ADDRESSES, /* of one family at both ends */
};

/* One source, destination and port of an expectation, between all addresses of both. */
struct verification_case {
	const struct document *document; /* borrowed, as is expectation */
	const struct expectation *expectation;
	char *from, *to, *port; /* "namespace/name" or an address; as port_parse() takes it */
	enum verification_outcome outcome;
	/* The first connection that is not as expected, else the last one. Zero for the outcomes
	 * without a connection. */
	struct flow_query query;
	struct evaluation evaluation;
};

struct verification {
	struct verification_case *cases; /* in the order in which they were written */
	size_t count;
	size_t failed;
};

/*
 * model is finished, and ir compiled from it. A test that speaks of workloads or policies that are
 * not there is a mistake, not a failure: -EINVAL, and diagnostics say where. Other results: 0,
 * -ENOMEM. documents must outlive *ret.
 */
int verify(const struct document_list *documents, const struct model *model, const struct ir *ir,
	struct diagnostics *diagnostics, struct verification *ret);
void verification_clear(struct verification *verification);
