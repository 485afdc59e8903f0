/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outcome of PolicyTests in the forms that people, scripts and build servers read. */
#pragma once

#include "offline.h"
#include "policies/near_miss.h"
#include "policies/verification.h"

struct test_report {
	const struct settings *settings;
	const struct offline *offline;
	const struct verification *verification;
};

void test_report_print_text(const struct test_report *report);
void test_report_print_json(const struct test_report *report);
void test_report_print_junit(const struct test_report *report); /* XML of JUnit */
void test_report_print_tap(const struct test_report *report);   /* Test Anything Protocol, 14 */

/* The cases of one document stand together: how many there are from first on, and how many of them
 * failed. */
size_t test_report_span(const struct test_report *report, size_t first, size_t *ret_failed);

/* "shop/web -> shop/db tcp/5432 deny" (new string, as are all below). */
char *test_case_title(const struct verification_case *item);
/* "expected deny, but it is allowed"; of a case that failed. */
char *test_case_problem(const struct verification_case *item);
/* "holds", "wrong-verdict", … */
const char *test_case_outcome(const struct verification_case *item);
/* The evaluation means something: there was a connection. */
bool test_case_is_judged(const struct verification_case *item);
/* "egress of shop/web: allowed by SegmentPolicy shop/web egress[0] (web.yaml:7)". NULL: policies
 * have no say in this direction, because that end is no workload, or there was no connection. */
char *test_case_decision(const struct test_report *report, const struct verification_case *item,
	enum direction direction);
/* The rule that came closest to allowing what a case expected to be allowed. False: that is not
 * what went wrong, or not in this direction. */
bool test_case_near_miss(const struct test_report *report, const struct verification_case *item,
	enum direction direction, struct near_miss *ret);
