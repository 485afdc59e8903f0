// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "control/metrics.h"

static void writes_the_text_format(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;

	(void)state;
	assert_int_equal(metrics_new(&metrics), 0);
	metrics_family(metrics, "segd_packets_total", METRICS_COUNTER, "Packets by reason.");
	metrics_sample(
		metrics, METRICS_LABELS({"reason", "policy_denied"}, {"direction", "ingress"}), 42);
	metrics_sample(metrics, METRICS_LABELS({"reason", "revoked"}), UINT64_MAX);
	metrics_family(metrics, "segd_uptime_seconds", METRICS_GAUGE, "Since the start.");
	metrics_sample_double(metrics, NULL, 1.5);
	assert_string_equal(metrics_text(metrics),
		"# HELP segd_packets_total Packets by reason.\n"
		"# TYPE segd_packets_total counter\n"
		"segd_packets_total{reason=\"policy_denied\",direction=\"ingress\"} 42\n"
		"segd_packets_total{reason=\"revoked\"} 18446744073709551615\n"
		"# HELP segd_uptime_seconds Since the start.\n"
		"# TYPE segd_uptime_seconds gauge\n"
		"segd_uptime_seconds 1.5\n");
}

static void escapes_help_and_labels(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;

	(void)state;
	assert_int_equal(metrics_new(&metrics), 0);
	metrics_family(metrics, "segd_x", METRICS_GAUGE, "a \"b\" \\ c\nd");
	metrics_sample(metrics, METRICS_LABELS({"name", "a \"b\" \\ c\nd"}), 0);
	assert_string_equal(metrics_text(metrics), "# HELP segd_x a \"b\" \\\\ c\\nd\n"
						   "# TYPE segd_x gauge\n"
						   "segd_x{name=\"a \\\"b\\\" \\\\ c\\nd\"} 0\n");
}

static void adds_up_a_histogram(void **state)
{
	_cleanup_(metrics_freep) struct metrics *metrics = NULL;
	static const double bounds[] = {0.005, 1};
	static const uint64_t counts[] = {2, 0, 1};

	(void)state;
	assert_int_equal(metrics_new(&metrics), 0);
	metrics_family(metrics, "segd_wait_seconds", METRICS_HISTOGRAM, "How long.");
	metrics_sample_histogram(metrics, bounds, counts, 2, 2.25);
	assert_string_equal(metrics_text(metrics), "# HELP segd_wait_seconds How long.\n"
						   "# TYPE segd_wait_seconds histogram\n"
						   "segd_wait_seconds_bucket{le=\"0.005\"} 2\n"
						   "segd_wait_seconds_bucket{le=\"1\"} 2\n"
						   "segd_wait_seconds_bucket{le=\"+Inf\"} 3\n"
						   "segd_wait_seconds_sum 2.25\n"
						   "segd_wait_seconds_count 3\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_text_format),
		cmocka_unit_test(escapes_help_and_labels),
		cmocka_unit_test(adds_up_a_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
