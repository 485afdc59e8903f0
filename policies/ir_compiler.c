/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One compile after the other. Where only some workloads differ from the model before, the parts of
 * the last compile are added to; all else is compiled anew, and so is what has gathered too much
 * that nobody uses any more.
 */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/ir_follow.h"
#include "policies/ir_shared.h"

#include <errno.h>

#define WASTE_MIN 256 /* unused classes or shapes that are always borne */

struct ir_compiler {
	struct document_list documents; /* policies alone */
	struct model *model;
	struct ir_options options;
	struct compile *compile;  /* NULL: nothing is known */
	struct ir_shared *shared; /* of the last IR; NULL: something has changed since */
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

/* The same policies in the same order: documents do not change, so their pointers tell. */
static bool same_policies(const struct ir_compiler *compiler, const struct document_list *documents)
{
	size_t known = 0;

	for (size_t i = 0; i < documents->count; i++) {
		if (!document_is_policy(documents->items[i]))
			continue;
		if (known == compiler->documents.count ||
			compiler->documents.items[known] != documents->items[i])
			return false;
		known++;
	}
	return known == compiler->documents.count;
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
	r = compile_all(compiler->compile, documents, error);
	if (r < 0)
		return r;
	return ir_shared_new(compiler->compile->ir, &compiler->shared) < 0 ? error_nomem(error) : 0;
}

static bool wastes_much(const struct compile *compile)
{
	size_t unused = 0;

	for (size_t i = 0; i < compile->classes_count; i++)
		unused += !compile->classes[i].used;
	return unused > WASTE_MIN + compile->classes_count / 4 ||
	       compile->shapes_count > WASTE_MIN + 2 * compile->model->workloads_count;
}

/* 0; -EAGAIN: it cannot be followed; -ENOMEM. */
static int follow(struct ir_compiler *compiler, const struct document_list *documents,
	struct model *model, const struct ir_options *options)
{
	int r;

	if (!compiler->compile || compiler->options.posture != options->posture ||
		compiler->options.restrict_node != options->restrict_node ||
		!same_policies(compiler, documents))
		return -EAGAIN;
	r = follow_model(compiler->compile, model);
	if (r < 0)
		return r;
	model_free(compiler->model);
	compiler->model = model_reference(model);
	if (wastes_much(compiler->compile))
		return -EAGAIN;
	if (!r)
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
