/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test_report.h"

#include "client.h"
#include "text.h"

#include <stdio.h>

/* A JSON string is a YAML string, too, whatever is in it. */
static void print_property(const char *name, const char *value)
{
	_cleanup_json_ json_t *json = must(json_string(value));

	printf("  %s: ", name);
	json_dumpf(json, stdout, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	putchar('\n');
}

/* '#' begins a directive. */
static void print_title(const char *title)
{
	_cleanup_free_ char *printable = text_printable(title);

	for (const char *at = printable; *at; at++) {
		if (*at == '#' || *at == '\\')
			putchar('\\');
		putchar(*at);
	}
	putchar('\n');
}

static void print_failure(const struct test_report *report, const struct verification_case *item)
{
	_cleanup_free_ char *problem = test_case_problem(item);
	_cleanup_free_ char *place =
		text_format("%s:%u", item->document->file, item->expectation->line);

	puts("  ---");
	print_property("message", problem);
	print_property("at", place);
	for (int direction = DIRECTION_COUNT - 1; direction >= 0; direction--) {
		_cleanup_free_ char *decision =
			test_case_decision(report, item, (enum direction)direction);

		if (decision)
			print_property(direction_name((enum direction)direction), decision);
	}
	puts("  ...");
}

void test_report_print_tap(const struct test_report *report)
{
	const struct verification *verification = report->verification;

	printf("TAP version 14\n1..%zu\n", verification->count);
	for (size_t i = 0; i < verification->count; i++) {
		const struct verification_case *item = &verification->cases[i];
		bool held = item->outcome == VERIFICATION_HOLDS;
		_cleanup_free_ char *title = test_case_title(item);

		printf("%sok %zu - ", held ? "" : "not ", i + 1);
		print_title(title);
		if (!held)
			print_failure(report, item);
	}
}
