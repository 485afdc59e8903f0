// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void counts_into_the_first_bucket_that_holds_it(void **state)
{
	struct histogram histogram = {0};

	(void)state;
	histogram_add(&histogram, 0);
	histogram_add(&histogram, 500000); /* a bound belongs to what is below it */
	histogram_add(&histogram, 500001);
	histogram_add(&histogram, 10000000000ULL);
	histogram_add(&histogram, 3600000000000ULL);
	assert_int_equal(histogram.counts[0], 2);
	assert_int_equal(histogram.counts[1], 1);
	assert_int_equal(histogram.counts[HISTOGRAM_BUCKETS - 1], 1);
	assert_int_equal(histogram.counts[HISTOGRAM_BUCKETS], 1);
	assert_int_equal(histogram.sum_ns, 3610001000001ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_into_the_first_bucket_that_holds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
