// SPDX-License-Identifier: GPL-2.0-or-later
#include "difference.h"

#include <stdarg.h>

#define RULE_TEXT_MAX 320

static const char *rule_text(const struct scenario *scenario, uint32_t id, char *text)
{
	const struct ir_rule *rule = ir_find_rule(scenario->ir, id);

	if (!rule)
		snprintf(text, RULE_TEXT_MAX, "unknown rule %#x", id);
	else
		ir_rule_format(rule, text, RULE_TEXT_MAX);
	return text;
}

/* The decision of the direction that refuses, or audits. */
static const struct decision *deciding(const struct evaluation *evaluation)
{
	return evaluation->direction == DIRECTION_EGRESS ? &evaluation->egress
							 : &evaluation->ingress;
}

__attribute__((format(printf, 3, 4))) static unsigned int differ(
	const struct probe *probe, FILE *stream, const char *format, ...)
{
	va_list arguments;

	fputs("  ", stream);
	probe_print(probe, stream);
	fputs(": ", stream);
	va_start(arguments, format);
	vfprintf(stream, format, arguments);
	va_end(arguments);
	fputc('\n', stream);
	return 1;
}

/* The event names the direction and the rule that the evaluator names. */
static unsigned int compare_rule(const struct scenario *scenario, const struct probe *probe,
	const struct flow_event *event, const char *what, FILE *stream)
{
	uint32_t expected = scenario->ir->rules[deciding(&probe->expected)->rule].id;
	char told[RULE_TEXT_MAX], wanted[RULE_TEXT_MAX];

	if (event->direction == probe->expected.direction && event->rule == expected)
		return 0;
	return differ(probe, stream, "%s by %s of %s (%#x), expected: by %s of %s (%#x)", what,
		direction_name(event->direction), rule_text(scenario, event->rule, told),
		event->rule, direction_name(probe->expected.direction),
		rule_text(scenario, expected, wanted), expected);
}

static unsigned int compare_refused(
	const struct scenario *scenario, const struct probe *probe, FILE *stream)
{
	unsigned int count = 0;

	if (probe->arrived)
		count += differ(probe, stream, "arrived, but the evaluator refuses it");
	if (!probe->denials)
		return count + differ(probe, stream, "its refusal was not reported");
	if (probe->denials != 1)
		count += differ(probe, stream, "one packet, %u refusals", probe->denials);
	if (probe->denial.verdict != FLOW_REFUSED ||
		(probe->denial.reason != REASON_POLICY_DENIED &&
			probe->denial.reason != REASON_REVOKED))
		count += differ(probe, stream, "refused with verdict %d and reason %d",
			probe->denial.verdict, probe->denial.reason);
	return count + compare_rule(scenario, probe, &probe->denial, "refused", stream);
}

static unsigned int compare_connection(
	const struct scenario *scenario, const struct probe *probe, FILE *stream)
{
	bool audited =
		(probe->expected.egress.flags | probe->expected.ingress.flags) & DECISION_AUDIT;
	const struct flow_event *event = &probe->connection;

	if ((event->verdict == FLOW_AUDITED) != audited)
		return differ(probe, stream, "reported as %s, expected %s",
			event->verdict == FLOW_AUDITED ? "audited" : "allowed",
			audited ? "audited" : "allowed");
	return audited ? compare_rule(scenario, probe, event, "audited", stream) : 0;
}

static unsigned int compare_allowed(
	const struct scenario *scenario, const struct probe *probe, FILE *stream)
{
	char told[RULE_TEXT_MAX];
	unsigned int count = 0;

	if (probe->denials)
		count += differ(probe, stream, "refused by %s of %s, but the evaluator allows it",
			direction_name(probe->denial.direction),
			rule_text(scenario, probe->denial.rule, told));
	if (!probe->arrived)
		return count + differ(probe, stream, "allowed, but it did not arrive");
	if (probe->expects_reply && !probe->replied)
		count += differ(probe, stream, "arrived, but no reply came back");
	if (probe->connections)
		count += compare_connection(scenario, probe, stream);
	else if (probe->expects_connection)
		count += differ(probe, stream, "passed, but no connection was reported");
	return count;
}

unsigned int difference_print(
	const struct scenario *scenario, const struct probe *probe, FILE *stream)
{
	if (probe->expected.verdict == VERDICT_DENY)
		return compare_refused(scenario, probe, stream);
	return compare_allowed(scenario, probe, stream);
}
