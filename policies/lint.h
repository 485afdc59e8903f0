/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is legal but surely not meant. Findings are warnings in diagnostics, each at the item that
 * it is about. Their codes are stable:
 *
 *   unmatched-subject    no workload is the policy's subject              (needs workloads)
 *   unmatched-peer       no workload is this peer                         (needs workloads)
 *   unknown-port-name    no workload that could be meant has this port    (needs workloads)
 *   egress-forbids       an ingress rule allows what no source may send   (needs workloads)
 *   ingress-forbids      an egress rule allows what no destination takes  (needs workloads)
 *   shadowed-rule        a stronger rule decides all that this one could match
 *   redundant-rule       another rule says the same, and more
 *   duplicate-rule       another rule says exactly the same
 *   duplicate-policy     another policy does
 *   contradicting-rules  priority does not say which of two rules holds
 *   redundant-peer       another peer of the rule covers this one
 *   redundant-port       another port of the rule covers this one
 *   redundant-except     another exception of the CIDR covers this one
 *   empty-cidr           the exceptions leave nothing of the CIDR
 *   empty-peers          an empty list, which means every peer
 *   end-port-no-effect   a range of a single port
 *
 * All but those that need workloads are decided from the text alone, whoever runs: what covers what
 * is proved by selectors, prefixes and ranges, and not reported where it cannot be proved so.
 */
#pragma once

#include "policies/diagnostic.h"
#include "policies/document.h"
#include "policies/ir.h"
#include "policies/model.h"

struct lint_input {
	const struct document_list *documents; /* all that are in force together */
	const struct document_list *concerned; /* the ones among them to report about */
	const struct model *model;
	const struct ir *ir; /* of documents and model */
};

/* Appends findings; "# lint: ignore CODE" is not looked at. */
void lint(const struct lint_input *input, struct diagnostics *diagnostics);

/*
 * Takes out warnings that the documents' text silences: "# lint: ignore CODE[, CODE…]" on their
 * line, or on a line of its own before it. Errors stay.
 */
void lint_ignore(const struct document_list *documents, struct diagnostics *diagnostics);
