/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test_report.h"

#include "output.h"
#include "policies/ports.h"
#include "text.h"
#include "trace_near_miss.h"

#include <errno.h>
#include <string.h>

static const char *const outcomes[] = {
	[VERIFICATION_HOLDS] = "holds",
	[VERIFICATION_WRONG_VERDICT] = "wrong-verdict",
	[VERIFICATION_WRONG_RULE] = "wrong-rule",
	[VERIFICATION_NO_SUCH_PORT] = "no-such-port",
	[VERIFICATION_NO_ADDRESSES] = "no-addresses",
};

const char *test_case_outcome(const struct verification_case *item)
{
	return outcomes[item->outcome];
}

bool test_case_is_judged(const struct verification_case *item)
{
	return item->outcome <= VERIFICATION_WRONG_RULE;
}

size_t test_report_span(const struct test_report *report, size_t first, size_t *ret_failed)
{
	const struct verification *verification = report->verification;
	const struct document *document = verification->cases[first].document;
	size_t next = first;

	*ret_failed = 0;
	for (; next < verification->count && verification->cases[next].document == document; next++)
		*ret_failed += verification->cases[next].outcome != VERIFICATION_HOLDS;
	return next - first;
}

char *test_case_title(const struct verification_case *item)
{
	const struct expectation *expectation = item->expectation;

	return text_format("%s -> %s %s %s%s%s", item->from, item->to, item->port,
		expected_verdict_name(expectation->verdict), expectation->rule ? " by " : "",
		expectation->rule ? expectation->rule : "");
}

static const char *verdict_words(const struct evaluation *evaluation)
{
	if (evaluation->verdict == VERDICT_DENY)
		return "it is denied";
	return (evaluation->egress.flags | evaluation->ingress.flags) & DECISION_AUDIT
		       ? "it is allowed, though audited"
		       : "it is allowed";
}

char *test_case_problem(const struct verification_case *item)
{
	const struct policy_port one = {.protocol = item->query.protocol,
		.first = item->query.port,
		.last = item->query.port};
	const char *expected = expected_verdict_name(item->expectation->verdict);
	char source[ADDRESS_TEXT_MAX], destination[ADDRESS_TEXT_MAX];
	_cleanup_free_ char *port = NULL;

	switch (item->outcome) {
	case VERIFICATION_NO_SUCH_PORT:
		return text_format("%s has no port %s", item->to, item->port);
	case VERIFICATION_NO_ADDRESSES:
		return text_format("%s and %s have no addresses of one family for %s", item->from,
			item->to, item->port);
	case VERIFICATION_WRONG_RULE:
		return text_format("expected %s by %s, but another rule decides", expected,
			item->expectation->rule);
	default:
		port = must(port_format(&one));
		return text_format("expected %s, but %s: %s from %s to %s", expected,
			verdict_words(&item->evaluation), port,
			address_format(&item->query.source, source),
			address_format(&item->query.destination, destination));
	}
}

char *test_case_decision(const struct test_report *report, const struct verification_case *item,
	enum direction direction)
{
	bool egress = direction == DIRECTION_EGRESS;
	const struct decision *decision =
		egress ? &item->evaluation.egress : &item->evaluation.ingress;
	const struct ir_rule *rule = &report->offline->ir->rules[decision->rule];
	const struct address *end = egress ? &item->query.source : &item->query.destination;
	_cleanup_free_ char *place = NULL;
	char text[512];

	if (!test_case_is_judged(item) || !model_find_address(report->offline->model, end))
		return NULL;
	if (rule->document)
		place = text_format(" (%s:%u)", rule->document->file, rule->line);
	return text_format("%s of %s: %s%s%s%s", direction_name(direction),
		egress ? item->from : item->to,
		decision->flags & DECISION_AUDIT     ? "audited"
		: decision->verdict == VERDICT_ALLOW ? "allowed"
						     : "denied",
		rule->document && rule->index < 0 ? ", " : " by ",
		ir_rule_format(rule, text, sizeof(text)), place ? place : "");
}

bool test_case_near_miss(const struct test_report *report, const struct verification_case *item,
	enum direction direction, struct near_miss *ret)
{
	const struct offline *offline = report->offline;
	int r;

	if (item->outcome != VERIFICATION_WRONG_VERDICT || item->evaluation.verdict != VERDICT_DENY)
		return false;
	r = near_miss_find(&offline->documents, offline->model, offline->ir, &item->query,
		&item->evaluation, direction, ret);
	if (r == -ENOMEM)
		must(NULL);
	return r == 0;
}

/* Workloads of a running agent may be called anything. */
static void print_line(const char *text)
{
	output_text(text);
	putchar('\n');
}

static void print_case(const struct test_report *report, const struct verification_case *item)
{
	bool held = item->outcome == VERIFICATION_HOLDS;
	const char *color = held ? "\033[32m" : "\033[31m";
	struct near_miss near_miss;
	_cleanup_free_ char *title = test_case_title(item);
	_cleanup_free_ char *problem = held ? NULL : test_case_problem(item);

	printf("  %s%s%s  ", report->settings->color ? color : "", held ? "ok  " : "FAIL",
		report->settings->color ? "\033[0m" : "");
	print_line(title);
	if (held)
		return;
	printf("        %s:%u: ", item->document->file, item->expectation->line);
	print_line(problem);
	for (int direction = DIRECTION_COUNT - 1; direction >= 0; direction--) {
		_cleanup_free_ char *decision =
			test_case_decision(report, item, (enum direction)direction);

		if (!decision)
			continue;
		fputs("        ", stdout);
		print_line(decision);
		if (test_case_near_miss(report, item, (enum direction)direction, &near_miss)) {
			trace_near_miss_print(&near_miss, 10);
			near_miss_clear(&near_miss);
		}
	}
}

void test_report_print_text(const struct test_report *report)
{
	const struct verification *verification = report->verification;
	bool wide = report->settings->output == OUTPUT_WIDE;
	size_t failed;

	for (size_t first = 0, count; first < verification->count; first += count) {
		const struct document *document = verification->cases[first].document;

		count = test_report_span(report, first, &failed);
		printf("%s/%s (%s): %zu of %zu hold\n", document->namespace, document->name,
			document->file, count - failed, count);
		for (size_t i = first; i < first + count; i++)
			if (wide || verification->cases[i].outcome != VERIFICATION_HOLDS)
				print_case(report, &verification->cases[i]);
	}
	printf("%zu held, %zu failed\n", verification->count - verification->failed,
		verification->failed);
}
