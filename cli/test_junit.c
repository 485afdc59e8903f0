/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test_report.h"

#include "text.h"

#include <stdio.h>

/* As an attribute's value or as text (XML 1.0, 2.4). */
static void print_escaped(const char *text)
{
	_cleanup_free_ char *printable = text_printable(text);

	for (const char *at = printable; *at; at++)
		switch (*at) {
		case '&':
			fputs("&amp;", stdout);
			break;
		case '<':
			fputs("&lt;", stdout);
			break;
		case '>':
			fputs("&gt;", stdout);
			break;
		case '"':
			fputs("&quot;", stdout);
			break;
		default:
			putchar(*at);
		}
}

static void print_attribute(const char *name, const char *value)
{
	printf(" %s=\"", name);
	print_escaped(value);
	putchar('"');
}

static void print_failure(const struct test_report *report, const struct verification_case *item)
{
	_cleanup_free_ char *problem = test_case_problem(item);

	fputs(">\n      <failure", stdout);
	print_attribute("type", test_case_outcome(item));
	print_attribute("message", problem);
	putchar('>');
	for (int direction = DIRECTION_COUNT - 1; direction >= 0; direction--) {
		_cleanup_free_ char *decision =
			test_case_decision(report, item, (enum direction)direction);

		if (!decision)
			continue;
		print_escaped(decision);
		putchar('\n');
	}
	puts("</failure>\n    </testcase>");
}

static void print_case(
	const struct test_report *report, const struct verification_case *item, const char *suite)
{
	_cleanup_free_ char *title = test_case_title(item);

	fputs("    <testcase", stdout);
	print_attribute("classname", suite);
	print_attribute("name", title);
	print_attribute("file", item->document->file);
	printf(" line=\"%u\"", item->expectation->line);
	if (item->outcome == VERIFICATION_HOLDS)
		puts("/>");
	else
		print_failure(report, item);
}

void test_report_print_junit(const struct test_report *report)
{
	const struct verification *verification = report->verification;
	size_t failed;

	printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	       "<testsuites name=\"segctl policy test\" tests=\"%zu\" failures=\"%zu\">\n",
		verification->count, verification->failed);
	for (size_t first = 0, count; first < verification->count; first += count) {
		const struct document *document = verification->cases[first].document;
		_cleanup_free_ char *suite =
			text_format("%s/%s", document->namespace, document->name);

		count = test_report_span(report, first, &failed);
		fputs("  <testsuite", stdout);
		print_attribute("name", suite);
		print_attribute("file", document->file);
		printf(" tests=\"%zu\" failures=\"%zu\">\n", count, failed);
		for (size_t i = first; i < first + count; i++)
			print_case(report, &verification->cases[i], suite);
		puts("  </testsuite>");
	}
	puts("</testsuites>");
}
