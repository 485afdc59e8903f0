/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One compile after the other. Where only some workloads or some policies differ from those before,
 * the parts of the last compile are changed; all else is compiled anew, and so is what has gathered
 * too much that nobody uses any more.
 */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/ir_follow.h"
#include "policies/ir_follow_policies.h"
#include "policies/ir_shared.h"

#include <errno.h>
#include <string.h>

#define WASTE_MIN 1024 /* unused classes, tables … that are always borne */

struct ir_compiler {
	struct document_list documents; /* policies alone */
	struct model *model;
	struct ir_options options;
	struct compile *compile;  /* NULL: nothing is known */
	struct ir_shared *shared; /* of the last IR; NULL: something has changed since */
	size_t port_tables_count; /* when all was compiled anew */
	size_t peer_tables_count;
};

int ir_compiler_new(struct ir_compiler **ret)
{
	struct ir_compiler *compiler = calloc(1, sizeof(*compiler));

	if (!compiler)
		return -ENOMEM;
	*ret = compiler;
	return 0;
}

static void forget(struct ir_compiler *compiler)
{
	if (compiler->compile)
		compile_clear(compiler->compile);
	free(compiler->compile);
	compiler->compile = NULL;
	ir_shared_release(compiler->shared);
	compiler->shared = NULL;
	model_free(compiler->model);
	compiler->model = NULL;
	documents_clear(&compiler->documents);
}

void ir_compiler_free(struct ir_compiler *compiler)
{
	if (!compiler)
		return;
	forget(compiler);
	free(compiler);
}

static int keep_policies(struct ir_compiler *compiler, const struct document_list *documents)
{
	for (size_t i = 0; i < documents->count; i++) {
		struct document **slot;

		if (!document_is_policy(documents->items[i]))
			continue;
		slot = array_append(compiler->documents.items, compiler->documents.count);
		if (!slot)
			return -ENOMEM;
		*slot = document_reference(documents->items[i]);
	}
	return 0;
}

static int compile_anew(struct ir_compiler *compiler, const struct document_list *documents,
	struct model *model, const struct ir_options *options, struct error *error)
{
	int r;

	forget(compiler);
	compiler->compile = calloc(1, sizeof(*compiler->compile));
	if (!compiler->compile || keep_policies(compiler, documents) < 0)
		return error_nomem(error);
	compiler->options = *options;
	compiler->model = model_reference(model);
	compiler->compile->model = model;
	compiler->compile->options = &compiler->options;
	compiler->compile->grows = true;
	r = compile_all(compiler->compile, documents, error);
	if (r < 0)
		return r;
	compiler->port_tables_count = compiler->compile->ir->port_tables_count;
	compiler->peer_tables_count = compiler->compile->ir->peer_tables_count;
	return ir_shared_new(compiler->compile->ir, &compiler->shared) < 0 ? error_nomem(error) : 0;
}

static bool wastes_much(const struct ir_compiler *compiler)
{
	const struct compile *compile = compiler->compile;
	size_t unused = 0;

	for (size_t i = 0; i < compile->classes_count; i++)
		unused += !compile->classes[i].used;
	return unused > WASTE_MIN + compile->classes_count / 4 ||
	       compile->shapes_count > WASTE_MIN + 2 * compile->model->workloads_count ||
	       compile->rules_gone > WASTE_MIN + compile->ir->rules_count / 2 ||
	       compile->ir->port_tables_count > WASTE_MIN + 2 * compiler->port_tables_count ||
	       compile->ir->peer_tables_count > WASTE_MIN + 2 * compiler->peer_tables_count;
}

static int compare_pointers(const void *a, const void *b)
{
	const struct document *const *first = a, *const *second = b;

	return (*first > *second) - (*first < *second);
}

static int copy_pointers(
	const struct document_list *list, size_t first, size_t count, struct document_list *ret)
{
	ret->items = calloc(count + 1, sizeof(struct document *));
	if (!ret->items)
		return -ENOMEM;
	if (count)
		memcpy(ret->items, list->items + first, count * sizeof(struct document *));
	ret->count = count;
	qsort(ret->items, ret->count, sizeof(struct document *), compare_pointers);
	return 0;
}

/* Leaves in each list, both sorted, what is not in the other one. */
static void leave_differences(struct document_list *before, struct document_list *after)
{
	size_t b = 0, a = 0, removed = 0, added = 0;

	while (b < before->count || a < after->count) {
		int order = b == before->count ? 1
			    : a == after->count
				    ? -1
				    : compare_pointers(&before->items[b], &after->items[a]);

		if (order < 0)
			before->items[removed++] = before->items[b];
		if (order > 0)
			after->items[added++] = after->items[a];
		b += order <= 0;
		a += order >= 0;
	}
	before->count = removed;
	after->count = added;
}

/* Documents do not change, so their pointers tell; most are at the same place from either end.
 * The lists borrow. */
static int compare_policies(const struct document_list *before, const struct document_list *after,
	struct document_list *removed, struct document_list *added)
{
	size_t least = before->count < after->count ? before->count : after->count;
	size_t head = 0, tail = 0;

	while (head < least && before->items[head] == after->items[head])
		head++;
	while (tail < least - head &&
		before->items[before->count - 1 - tail] == after->items[after->count - 1 - tail])
		tail++;
	if (copy_pointers(before, head, before->count - head - tail, removed) < 0 ||
		copy_pointers(after, head, after->count - head - tail, added) < 0)
		return -ENOMEM;
	leave_differences(removed, added);
	return 0;
}

static void pointers_clear(struct document_list *list)
{
	free(list->items);
}

/* 1: policies have come or gone. */
static int follow_documents(struct ir_compiler *compiler, const struct document_list *documents)
{
	_cleanup_(pointers_clear) struct document_list removed = {0}, added = {0};
	_cleanup_(documents_clear) struct document_list former = compiler->documents;
	int r;

	compiler->documents = (struct document_list){0};
	if (keep_policies(compiler, documents) < 0)
		return -ENOMEM;
	r = compare_policies(&former, &compiler->documents, &removed, &added);
	if (r < 0 || !(removed.count + added.count))
		return r;
	r = follow_policies(compiler->compile, &removed, &added);
	return r < 0 ? r : 1;
}

/* 0; -EAGAIN: it cannot be followed; -ENOMEM. */
static int follow(struct ir_compiler *compiler, const struct document_list *documents,
	struct model *model, const struct ir_options *options)
{
	int workloads, policies;

	if (!compiler->compile || compiler->options.posture != options->posture ||
		compiler->options.restrict_node != options->restrict_node)
		return -EAGAIN;
	workloads = follow_model(compiler->compile, model);
	if (workloads < 0)
		return workloads;
	model_free(compiler->model);
	compiler->model = model_reference(model);
	policies = follow_documents(compiler, documents);
	if (policies < 0)
		return policies;
	if (wastes_much(compiler))
		return -EAGAIN;
	if (!workloads && !policies)
		return 0;
	ir_shared_release(compiler->shared);
	compiler->shared = NULL;
	return ir_shared_new(compiler->compile->ir, &compiler->shared);
}

int ir_compiler_update(struct ir_compiler *compiler, const struct document_list *documents,
	struct model *model, const struct ir_options *options, struct ir **ret, struct error *error)
{
	int r = follow(compiler, documents, model, options);

	if (r < 0)
		r = compile_anew(compiler, documents, model, options, error);
	if (!r && ir_shared_snapshot(compiler->shared, compiler->compile->ir, ret) < 0)
		r = error_nomem(error);
	if (r < 0)
		forget(compiler);
	return r;
}
