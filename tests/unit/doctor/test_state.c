/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the doctor makes of an agent's status, and of workloads. */
#include "doctor/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define WELL                                                                               \
	"{'generation': 3, 'dataplane': 'ebpf', 'last_error': null, 'troubles': [],"       \
	" 'sources': [{'name': 'docker', 'healthy': true, 'message': null}],"              \
	" 'plane': {'tables': {'connections': {'used': 79, 'size': 100}, 'sets': {'used':" \
	" 5}}, 'losses': {'event': 0}}, 'host': {'bound': true, 'failsafe': 'tcp/22'},"    \
	" 'confirm': null}"

struct report {
	json_t *status;
	struct findings findings;
};

/* JSON with ' for ". */
static struct report examine(const char *text)
{
	struct report report = {0};
	struct doctor_view view = {.dataplane = "ebpf"};
	char *copy = strdup(text);

	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	report.status = json_loads(copy, 0, NULL);
	assert_non_null(report.status);
	free(copy);
	view.status = report.status;
	assert_int_equal(findings_init(&report.findings), 0);
	report.findings.area = "agent";
	check_state(&view, &report.findings);
	return report;
}

static void clear(struct report *report)
{
	json_decref(report->status);
	findings_clear(&report->findings);
}

static const json_t *find(const struct report *report, const char *level, const char *check)
{
	const json_t *finding;
	size_t i;

	json_array_foreach (report->findings.list, i, finding) {
		if (!strcmp(json_string_value(json_object_get(finding, "level")), level) &&
			!strcmp(json_string_value(json_object_get(finding, "check")), check))
			return finding;
	}
	return NULL;
}

static void test_well(void **state)
{
	struct report report = examine(WELL);

	(void)state;
	assert_int_equal(report.findings.counts[FINDING_NOTE], 0);
	assert_int_equal(report.findings.counts[FINDING_WARNING], 0);
	assert_int_equal(report.findings.counts[FINDING_ERROR], 0);
	assert_non_null(find(&report, "ok", "table-full"));
	assert_non_null(find(&report, "ok", "host"));
	clear(&report);
}

static void test_troubles(void **state)
{
	static const struct {
		const char *status, *level, *check;
	} cases[] = {
		{"{'last_error': 'table peers is full'}", "error", "reconcile"},
		{"{'unstored': 'write policies.journal: No space left'}", "error", "unstored"},
		{"{'sources': [{'name': 'docker', 'healthy': false, 'message': 'gone'}]}", "note",
			"source"},
		{"{'troubles': [{'message': 'cannot', 'time': 't', 'repaired': false}]}", "warning",
			"trouble"},
		{"{'troubles': [{'message': 'did', 'time': 't', 'repaired': true}]}", "note",
			"trouble"},
		{"{'plane': {'tables': {'ports': {'used': 80, 'size': 100}}}}", "warning",
			"table-full"},
		{"{'plane': {'tables': {'ports': {'used': 98, 'size': 100}}}}", "error",
			"table-full"},
		{"{'plane': {'losses': {'event': 7}}}", "note", "losses"},
		{"{'flows': {'log': {'error': 'no space'}}}", "error", "flow-log"},
		{"{'flows': {'log': {'error': null}}}", "ok", "flow-log"},
		{"{'flows': {'store': {'error': 'read only'}}}", "error", "flow-store"},
		{"{'host': {'bound': false}}", "note", "host"},
		{"{'second_lock': {'interfaces': 3, 'open': 1}}", "warning", "second-lock"},
		{"{'second_lock': {'interfaces': 3, 'open': 0}}", "ok", "second-lock"},
		{"{'confirm': {'seconds_left': 3}}", "note", "confirm"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct report well = examine(WELL), ill = examine(cases[i].status);
		const json_t *finding = find(&ill, cases[i].level, cases[i].check);

		assert_null(find(&well, cases[i].level, cases[i].check));
		assert_non_null(finding);
		assert_int_equal(json_is_string(json_object_get(finding, "advice")),
			strcmp(cases[i].level, "ok") != 0);
		clear(&well);
		clear(&ill);
	}
}

static void test_without_agent(void **state)
{
	const struct doctor_view view = {.dataplane = "nft"};
	struct report report = {0};

	(void)state;
	assert_int_equal(findings_init(&report.findings), 0);
	check_state(&view, &report.findings);
	assert_non_null(find(&report, "note", "agent"));
	clear(&report);
}

/* A status that lacks something, as of an agent of another version. */
static void test_strange_status(void **state)
{
	static const char *const strange[] = {"{}", "{'troubles': 1, 'sources': {}, 'plane': []}",
		"{'plane': {'tables': {'a': 1, 'b': {'used': 'x', 'size': -1}}, 'losses': 3}}",
		"{'troubles': [1], 'sources': [2], 'host': 3}"};

	(void)state;
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		struct report report = examine(strange[i]);

		assert_non_null(report.findings.list);
		clear(&report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well),
		cmocka_unit_test(test_troubles),
		cmocka_unit_test(test_without_agent),
		cmocka_unit_test(test_strange_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
