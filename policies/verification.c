/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/verification.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/ports.h"
#include "policies/verification_ends.h"

#include <errno.h>
#include <netinet/in.h>

void verification_clear(struct verification *verification)
{
	for (size_t i = 0; i < verification->count; i++) {
		free(verification->cases[i].from);
		free(verification->cases[i].to);
		free(verification->cases[i].port);
	}
	free(verification->cases);
	*verification = (struct verification){0};
}

static bool is_decided_by(
	const struct ir *ir, const struct decision *decision, const struct expectation *expectation)
{
	const struct document *document = ir->rules[decision->rule].document;

	return document && document_is_called(document, expectation->rule);
}

/* An allowance needs both directions, so either may be the one that is meant. */
static bool is_rule_right(const struct ir *ir, const struct evaluation *evaluation,
	const struct expectation *expectation)
{
	if (!expectation->rule)
		return true;
	if (expectation->verdict == EXPECT_ALLOW)
		return is_decided_by(ir, &evaluation->egress, expectation) ||
		       is_decided_by(ir, &evaluation->ingress, expectation);
	return is_decided_by(ir,
		evaluation->direction == DIRECTION_EGRESS ? &evaluation->egress
							  : &evaluation->ingress,
		expectation);
}

static bool is_verdict_right(
	const struct evaluation *evaluation, const struct expectation *expectation)
{
	unsigned int flags = evaluation->egress.flags | evaluation->ingress.flags;

	if (evaluation->verdict == VERDICT_DENY)
		return expectation->verdict == EXPECT_DENY;
	return expectation->verdict == EXPECT_ALLOW ||
	       (expectation->verdict == EXPECT_AUDIT && flags & DECISION_AUDIT);
}

static enum verification_outcome judge(const struct ir *ir, const struct verification_case *item)
{
	if (!is_verdict_right(&item->evaluation, item->expectation))
		return VERIFICATION_WRONG_VERDICT;
	if (!is_rule_right(ir, &item->evaluation, item->expectation))
		return VERIFICATION_WRONG_RULE;
	return VERIFICATION_HOLDS;
}

/* Every port of the range, up to the first that is not as expected. */
static void judge_range(
	const struct ir *ir, unsigned int first, unsigned int last, struct verification_case *item)
{
	for (unsigned int port = first; port <= last && item->outcome == VERIFICATION_HOLDS;
		port++) {
		item->query.port = (uint16_t)port;
		item->evaluation = evaluate(ir, &item->query);
		item->outcome = judge(ir, item);
	}
}

static const struct model_port *find_port(
	const struct model_workload *workload, const struct policy_port *port)
{
	for (size_t i = 0; workload && i < workload->ports_count; i++)
		if (workload->ports[i].protocol == port->protocol &&
			!strcmp(workload->ports[i].name, port->name))
			return &workload->ports[i];
	return NULL;
}

/* Each family has its own ICMP. */
static bool speaks(uint8_t protocol, const struct address *address)
{
	return protocol == IPPROTO_ICMP     ? address_is_ipv4(address)
	       : protocol == IPPROTO_ICMPV6 ? !address_is_ipv4(address)
					    : true;
}

static void judge_addresses(const struct ir *ir, const struct verification_end *from,
	const struct verification_end *to, const struct policy_port *port,
	struct verification_case *item)
{
	const struct model_port *named = port->name ? find_port(to->workload, port) : NULL;
	bool judged = false;

	if (port->name && !named) {
		item->outcome = VERIFICATION_NO_SUCH_PORT;
		return;
	}
	item->query.protocol = port->protocol;
	for (size_t i = 0; i < from->addresses_count; i++)
		for (size_t k = 0; k < to->addresses_count; k++) {
			const struct address *source = &from->addresses[i];
			const struct address *destination = &to->addresses[k];

			if (address_is_ipv4(source) != address_is_ipv4(destination) ||
				!speaks(port->protocol, source))
				continue;
			judged = true;
			if (item->outcome != VERIFICATION_HOLDS)
				return;
			item->query.source = *source;
			item->query.destination = *destination;
			judge_range(ir, named ? named->port : port->first,
				named ? named->port : port->last, item);
		}
	if (!judged)
		item->outcome = VERIFICATION_NO_ADDRESSES;
}

struct verify {
	const struct document *document;
	const struct expectation *expectation;
	const struct ir *ir;
	struct verification *verification;
};

static int verify_port(const struct verify *verify, const struct verification_end *from,
	const struct verification_end *to, const struct policy_port *port)
{
	struct verification *verification = verify->verification;
	struct verification_case *item = array_append(verification->cases, verification->count);

	if (!item)
		return -ENOMEM;
	item->document = verify->document;
	item->expectation = verify->expectation;
	item->from = verification_end_name(from);
	item->to = verification_end_name(to);
	item->port = port_format(port);
	if (!item->from || !item->to || !item->port)
		return -ENOMEM;
	judge_addresses(verify->ir, from, to, port, item);
	verification->failed += item->outcome != VERIFICATION_HOLDS;
	return 0;
}

/* In a list against a list nobody means that someone calls himself, which is always allowed. */
static bool is_meant(const struct verification_ends *from, size_t i,
	const struct verification_ends *to, size_t k)
{
	return (from->count == 1 && to->count == 1) || !from->items[i].workload ||
	       from->items[i].workload != to->items[k].workload;
}

static int verify_expectation(const struct verify *verify, const struct verification_ends *from,
	const struct verification_ends *to)
{
	const struct expectation *expectation = verify->expectation;

	for (size_t i = 0; i < from->count; i++)
		for (size_t k = 0; k < to->count; k++)
			for (size_t p = 0; is_meant(from, i, to, k) && p < expectation->ports_count;
				p++)
				if (verify_port(verify, &from->items[i], &to->items[k],
					    &expectation->ports[p]) < 0)
					return -ENOMEM;
	return 0;
}

static int verify_document(struct verify *verify, const struct document_list *documents,
	const struct model *model, struct diagnostics *diagnostics)
{
	const struct policy_test *test = verify->document->test;
	int r = 0;

	for (size_t i = 0; r == 0 && i < test->count; i++) {
		_cleanup_(verification_ends_clear) struct verification_ends from = {0}, to = {0};
		const struct expectation *item = verify->expectation = &test->items[i];

		r = verification_ends_find(
			verify->document, item->from, item->from_count, model, diagnostics, &from);
		if (r == 0)
			r = verification_ends_find(verify->document, item->to, item->to_count,
				model, diagnostics, &to);
		if (r == 0)
			r = verification_check_rule(verify->document, item, documents, diagnostics);
		if (r == 0)
			r = verify_expectation(verify, &from, &to);
	}
	return r;
}

int verify(const struct document_list *documents, const struct model *model, const struct ir *ir,
	struct diagnostics *diagnostics, struct verification *ret)
{
	_cleanup_(verification_clear) struct verification verification = {0};
	size_t errors = diagnostics->errors;
	int r = 0;

	for (size_t i = 0; r == 0 && i < documents->count; i++) {
		struct verify verify = {
			.document = documents->items[i], .ir = ir, .verification = &verification};

		if (verify.document->test)
			r = verify_document(&verify, documents, model, diagnostics);
	}
	if (r < 0)
		return r;
	if (diagnostics->errors > errors)
		return -EINVAL;
	*ret = verification;
	verification = (struct verification){0};
	return 0;
}
