/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/verification_ends.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/suggest.h"

#include <errno.h>
#include <stdio.h>

/* Names that could have been meant. */
struct names {
	char **items;
	size_t count;
};

static void names_clear(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
}

static int names_add(struct names *names, const char *namespace, const char *name)
{
	char **slot = array_append(names->items, names->count);

	if (!slot)
		return -ENOMEM;
	if (asprintf(slot, "%s%s%s", namespace, *namespace ? "/" : "", name) < 0) {
		*slot = NULL;
		names->count--;
		return -ENOMEM;
	}
	return 0;
}

/* ", did you mean "shop/web"?" behind the message. */
static void complain(const struct names *names, const char *wanted, const char *code,
	struct location location, const char *what, struct diagnostics *diagnostics)
{
	const char *near = suggest(wanted, (const char *const *)names->items, names->count);

	diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, code, location, "%s \"%s\"%s%s%s", what,
		wanted, near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int add_end(struct verification_ends *ends, const struct model_workload *workload,
	const struct address *address)
{
	struct verification_end *slot;

	for (size_t i = 0; !address && i < ends->count; i++)
		if (ends->items[i].workload == workload && !ends->items[i].by_address)
			return 0;
	slot = array_append(ends->items, ends->count);
	if (!slot)
		return -ENOMEM;
	slot->workload = workload;
	slot->addresses = address ? address : workload->addresses;
	slot->addresses_count = address ? 1 : workload->addresses_count;
	slot->by_address = address;
	return 0;
}

static int find_workload(const struct expectation_end *end, struct location location,
	const struct model *model, struct diagnostics *diagnostics, struct verification_ends *ret)
{
	const struct model_workload *workload =
		model_find_workload(model, end->namespace, end->name);
	_cleanup_(names_clear) struct names names = {0};
	_cleanup_free_ char *wanted = NULL;

	if (workload)
		return add_end(ret, workload, NULL);
	for (size_t i = 0; i < model->workloads_count; i++)
		if (names_add(&names, model->workloads[i].namespace, model->workloads[i].name) < 0)
			return -ENOMEM;
	if (asprintf(&wanted, "%s/%s", end->namespace, end->name) < 0) {
		wanted = NULL;
		return -ENOMEM;
	}
	complain(&names, wanted, "unknown-workload", location, "there is no workload", diagnostics);
	return 0;
}

static int find_selected(const struct expectation_end *end, struct location location,
	const struct model *model, struct diagnostics *diagnostics, struct verification_ends *ret)
{
	bool found = false;

	for (size_t i = 0; i < model->workloads_count; i++) {
		const struct model_workload *workload = &model->workloads[i];
		const struct model_namespace *namespace =
			model_find_namespace(model, workload->namespace);

		if (!namespace || !policy_workloads_match(&end->workloads, namespace->name,
					  &namespace->labels, &workload->labels))
			continue;
		found = true;
		if (add_end(ret, workload, NULL) < 0)
			return -ENOMEM;
	}
	if (!found)
		diagnostics_add(diagnostics, DIAGNOSTIC_ERROR, "unknown-workload", location,
			"no workload matches, so nothing would be tested");
	return 0;
}

int verification_ends_find(const struct document *document, const struct expectation_end *ends,
	size_t count, const struct model *model, struct diagnostics *diagnostics,
	struct verification_ends *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct expectation_end *end = &ends[i];
		struct location location = {document->file, end->line, end->column};

		if (end->kind == END_ADDRESS)
			r = add_end(ret, model_find_address(model, &end->address), &end->address);
		else if (end->kind == END_SELECTED)
			r = find_selected(end, location, model, diagnostics, ret);
		else
			r = find_workload(end, location, model, diagnostics, ret);
	}
	return r;
}

void verification_ends_clear(struct verification_ends *ends)
{
	free(ends->items);
}

char *verification_end_name(const struct verification_end *end)
{
	char text[ADDRESS_TEXT_MAX], *name;

	if (end->by_address)
		return strdup(address_format(end->addresses, text));
	return asprintf(&name, "%s/%s", end->workload->namespace, end->workload->name) < 0 ? NULL
											   : name;
}

int verification_check_rule(const struct document *document, const struct expectation *expectation,
	const struct document_list *documents, struct diagnostics *diagnostics)
{
	struct location location = {
		document->file, expectation->rule_line, expectation->rule_column};
	_cleanup_(names_clear) struct names names = {0};

	if (!expectation->rule)
		return 0;
	for (size_t i = 0; i < documents->count; i++) {
		const struct document *policy = documents->items[i];

		if (!document_is_policy(policy))
			continue;
		if (document_is_called(policy, expectation->rule))
			return 0;
		if (names_add(&names, strchr(expectation->rule, '/') ? policy->namespace : "",
			    policy->name) < 0)
			return -ENOMEM;
	}
	complain(&names, expectation->rule, "unknown-policy", location, "there is no policy",
		diagnostics);
	return 0;
}
