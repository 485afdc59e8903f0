/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/expectation.h"

#include <stdlib.h>

const char *expected_verdict_name(enum expected_verdict verdict)
{
	static const char *const names[] = {
		[EXPECT_DENY] = "deny",
		[EXPECT_ALLOW] = "allow",
		[EXPECT_AUDIT] = "audit",
	};

	return names[verdict];
}

static void ends_free(struct expectation_end *ends, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		policy_workloads_clear(&ends[i].workloads);
		free(ends[i].namespace);
		free(ends[i].name);
	}
	free(ends);
}

void policy_test_free(struct policy_test *test)
{
	if (!test)
		return;
	for (size_t i = 0; i < test->count; i++) {
		struct expectation *item = &test->items[i];

		ends_free(item->from, item->from_count);
		ends_free(item->to, item->to_count);
		for (size_t k = 0; k < item->ports_count; k++)
			free(item->ports[k].name);
		free(item->ports);
		free(item->rule);
	}
	free(test->items);
	free(test);
}
