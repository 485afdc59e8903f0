/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"
#include "output.h"
#include "test_report.h"
#include "text.h"
#include "trace_near_miss.h"

static json_t *decision_to_json(const struct test_report *report,
	const struct verification_case *item, enum direction direction)
{
	const struct decision *decision = direction == DIRECTION_EGRESS ? &item->evaluation.egress
									: &item->evaluation.ingress;
	struct near_miss near_miss;
	const struct ir_rule *rule = &report->offline->ir->rules[decision->rule];
	char text[512];
	json_t *json = must(json_pack("{s:s, s:b, s:s}", "verdict", verdict_name(decision->verdict),
		"audit", (int)!!(decision->flags & DECISION_AUDIT), "rule",
		ir_rule_format(rule, text, sizeof(text))));

	if (rule->document) {
		json_object_set_new(json, "file", json_string(rule->document->file));
		json_object_set_new(json, "line", json_integer(rule->line));
	}
	if (test_case_near_miss(report, item, direction, &near_miss)) {
		json_object_set_new(json, "nearest", trace_near_miss_to_json(&near_miss));
		near_miss_clear(&near_miss);
	}
	return json;
}

static json_t *case_to_json(const struct test_report *report, const struct verification_case *item)
{
	const struct expectation *expectation = item->expectation;
	const struct evaluation *evaluation = &item->evaluation;
	json_t *json = must(
		json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:b}", "from", item->from, "to", item->to,
			"port", item->port, "expected", expected_verdict_name(expectation->verdict),
			"line", (int)expectation->line, "outcome", test_case_outcome(item), "holds",
			(int)(item->outcome == VERIFICATION_HOLDS)));

	if (expectation->rule)
		json_object_set_new(json, "expected_rule", json_string(expectation->rule));
	if (test_case_is_judged(item)) {
		json_object_set_new(
			json, "verdict", json_string(verdict_name(evaluation->verdict)));
		json_object_set_new(
			json, "egress", decision_to_json(report, item, DIRECTION_EGRESS));
		json_object_set_new(
			json, "ingress", decision_to_json(report, item, DIRECTION_INGRESS));
	}
	if (item->outcome != VERIFICATION_HOLDS) {
		_cleanup_free_ char *problem = test_case_problem(item);

		json_object_set_new(json, "message", json_string(problem));
	}
	return json;
}

void test_report_print_json(const struct test_report *report)
{
	const struct verification *verification = report->verification;
	_cleanup_json_ json_t *answer = NULL;
	json_t *tests = must(json_array());
	size_t failed;

	for (size_t first = 0, count; first < verification->count; first += count) {
		const struct document *document = verification->cases[first].document;
		json_t *cases = must(json_array());

		count = test_report_span(report, first, &failed);
		for (size_t i = first; i < first + count; i++)
			json_array_append_new(cases, case_to_json(report, &verification->cases[i]));
		json_array_append_new(tests,
			json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:o}", "namespace",
				document->namespace, "name", document->name, "file", document->file,
				"line", (int)document->line, "held", (json_int_t)(count - failed),
				"failed", (json_int_t)failed, "cases", cases));
	}
	answer = must(json_pack("{s:o, s:I, s:I}", "tests", tests, "held",
		(json_int_t)(verification->count - verification->failed), "failed",
		(json_int_t)verification->failed));
	output_json(answer);
}
