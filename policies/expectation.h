/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * segctl.io/v1 PolicyTest: what a team expects of its policies, kept beside them. segd-policy(5)
 * says what each field means; policies/verification.h holds it against compiled policies.
 */
#pragma once

#include "policies/policy.h"

#include <stdbool.h>
#include <stddef.h>

/* Deny: refused. Allow: it passes. Audit: it passes, but a policy in audit mode would refuse it. */
enum expected_verdict {
	EXPECT_DENY,
	EXPECT_ALLOW,
	EXPECT_AUDIT,
};

const char *expected_verdict_name(enum expected_verdict verdict); /* "deny", … */

enum end_kind {
	END_WORKLOAD, /* by namespace and name */
	END_ADDRESS,
	END_SELECTED, /* each workload that the selectors take */
};

/* One end of an expected connection, as it was written. */
struct expectation_end {
	enum end_kind kind;
	unsigned int line, column;
	char *namespace;
	char *name;
	struct address address;
	struct policy_workloads workloads;
};

/* Every one of from to every one of to with every one of ports. */
struct expectation {
	struct expectation_end *from;
	size_t from_count;
	struct expectation_end *to;
	size_t to_count;
	struct policy_port *ports;
	size_t ports_count;
	enum expected_verdict verdict;
	char *rule; /* "namespace/policy" or "policy" that must decide; NULL: any */
	unsigned int rule_line, rule_column;
	unsigned int line;
};

struct policy_test {
	struct expectation *items;
	size_t count;
};

void policy_test_free(struct policy_test *test);
