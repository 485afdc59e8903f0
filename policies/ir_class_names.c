/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/share.h"

#include <errno.h>

/* "app=api,env=prod @shop" */
static void print_shape(const struct compile *compile, const struct shape *shape, FILE *stream)
{
	const struct labels *labels = &shape->workload.labels;
	bool any = false;

	for (size_t i = 0; i < labels->count; i++) {
		if (!compile_peers_ask(compile, labels->items[i].key))
			continue;
		fprintf(stream, "%s%s=%s", any ? "," : "", labels->items[i].key,
			labels->items[i].value);
		any = true;
	}
	fprintf(stream, "%s@%s", any ? " " : "* ", shape->workload.namespace);
}

static bool is_root(const struct prefix *prefix)
{
	return prefix->length == (prefix_is_ipv4(prefix) ? 96 : 0);
}

static void print_class(
	const struct compile *compile, const struct class_content *content, FILE *stream)
{
	char text[PREFIX_TEXT_MAX];
	size_t more = content->prefixes_count ? content->prefixes_count - 1 : 0;
	bool shapes = content->shape != SHAPE_NONE, named = false;

	if (content->host) {
		fputs("host", stream);
		return;
	}
	if (content->prefixes_count && is_root(&content->prefix)) {
		fputs("world", stream);
		/* Both families' roots are one world. */
		more -= content->both_roots;
	} else if (shapes) {
		print_shape(compile, &compile->shapes[content->shape], stream);
		more = content->prefixes_count;
		shapes = content->shapes;
		named = true;
	} else {
		fputs(prefix_format(&content->prefix, text), stream);
	}
	if (more)
		fprintf(stream, "+%zu", more);
	if (shapes)
		fputs(named ? " and others" : " and workloads", stream);
}

static char *class_name(const struct compile *compile, const struct class_content *content)
{
	_cleanup_free_ char *name = NULL;
	char *made = NULL;
	size_t size;
	FILE *stream;
	int r;

	if (!content->used)
		return share_text("");
	stream = open_memstream(&made, &size);
	if (!stream)
		return NULL;
	print_class(compile, content, stream);
	r = fclose(stream);
	name = made;
	return r ? NULL : share_text(name);
}

static void note_prefix(struct class_content *content, const struct prefix *prefix)
{
	content->used = true;
	if (!content->prefixes_count++)
		content->prefix = *prefix;
	else if (prefix->length == 96 && is_root(prefix) && is_root(&content->prefix))
		content->both_roots = true;
}

static void note_shape(const struct compile *compile, struct class_content *content, uint32_t shape)
{
	if (content->shape == SHAPE_NONE)
		content->shape = shape;
	else
		content->shapes |=
			compile->shapes[content->shape].look != compile->shapes[shape].look;
}

static void list_contents(struct compile *compile)
{
	const struct ir *ir = compile->ir;

	for (size_t i = 0; i < compile->classes_count; i++) {
		struct class_content *content = &compile->classes[i];

		*content = (struct class_content){
			.vector = content->vector,
			.host = content->host,
			.shape = SHAPE_NONE,
			.merged = content->merged,
		};
	}
	for (size_t i = 0; i < ir->prefixes_count; i++)
		note_prefix(&compile->classes[ir->prefixes[i].class], &ir->prefixes[i].prefix);
	for (size_t i = 0; i < ir->addresses_count; i++) {
		struct class_content *content = &compile->classes[ir->addresses[i].class];

		content->used = true;
		if (ir->addresses[i].workload >= 0)
			note_shape(compile, content,
				compile->workload_shapes[ir->addresses[i].workload]);
	}
}

int compile_class_names(struct compile *compile, struct error *error)
{
	struct ir *ir = compile->ir;
	size_t count = ir->classes_count;

	list_contents(compile);
	for (ir->classes_count = 0; ir->classes_count < count;) {
		char **slot = array_append(ir->class_names, ir->classes_count);

		if (slot)
			*slot = class_name(compile, &compile->classes[ir->classes_count - 1]);
		if (!slot || !*slot)
			return error_nomem(error);
	}
	compile->peer_labels_changed = false;
	return 0;
}

static int rename_class(struct compile *compile, uint32_t class)
{
	struct ir *ir = compile->ir;
	char *name = class_name(compile, &compile->classes[class]), **slot;

	if (!name)
		return -ENOMEM;
	if (class < ir->classes_count) {
		share_release(ir->class_names[class]);
		ir->class_names[class] = name;
		return 0;
	}
	slot = array_append(ir->class_names, ir->classes_count);
	if (slot)
		*slot = name;
	else
		share_release(name);
	return slot ? 0 : -ENOMEM;
}

static bool same_content(const struct class_content *a, const struct class_content *b)
{
	return a->shape == b->shape && a->shapes == b->shapes && a->used == b->used &&
	       a->prefixes_count == b->prefixes_count && a->both_roots == b->both_roots &&
	       (!a->prefixes_count || !prefix_compare(&a->prefix, &b->prefix));
}

int compile_follow_names(struct compile *compile)
{
	size_t count = compile->classes_count;
	_cleanup_free_ struct class_content *before = calloc(count + 1, sizeof(*before));
	bool changed = false;

	if (!before || (compile->peer_labels_changed && compile_looks(compile) < 0))
		return -ENOMEM;
	memcpy(before, compile->classes, count * sizeof(*before));
	list_contents(compile);
	for (uint32_t i = 0; i < count; i++) {
		if (i < compile->ir->classes_count && !compile->peer_labels_changed &&
			same_content(&before[i], &compile->classes[i]))
			continue;
		if (rename_class(compile, i) < 0)
			return -ENOMEM;
		changed = true;
	}
	compile->peer_labels_changed = false;
	return changed;
}
