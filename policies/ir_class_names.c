/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

/* "app=api,env=prod @shop" */
static void print_shape(const struct shape *shape, const struct labels *keys, FILE *stream)
{
	const struct labels *labels = &shape->workload.labels;
	bool any = false;

	for (size_t i = 0; i < labels->count; i++) {
		if (!labels_get(keys, labels->items[i].key))
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
		print_shape(&compile->shapes[content->shape], &compile->peer_label_keys, stream);
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
		return strdup("");
	stream = open_memstream(&made, &size);
	if (!stream)
		return NULL;
	print_class(compile, content, stream);
	r = fclose(stream);
	name = made;
	return r ? NULL : TAKE_PTR(name);
}

static void note_prefix(struct class_content *content, const struct prefix *prefix)
{
	content->used = true;
	if (!content->prefixes_count++)
		content->prefix = *prefix;
	else if (prefix->length == 96 && is_root(prefix) && is_root(&content->prefix))
		content->both_roots = true;
}

static void note_shape(struct class_content *content, uint32_t shape)
{
	if (content->shape == SHAPE_NONE)
		content->shape = shape;
	else
		content->shapes |= content->shape != shape;
}

void compile_class_contents(struct compile *compile)
{
	const struct ir *ir = compile->ir;

	for (size_t i = 0; i < compile->classes_count; i++) {
		struct class_content *content = &compile->classes[i];

		*content = (struct class_content){
			.vector = content->vector, .host = content->host, .shape = SHAPE_NONE};
	}
	for (size_t i = 0; i < ir->prefixes_count; i++)
		note_prefix(&compile->classes[ir->prefixes[i].class], &ir->prefixes[i].prefix);
	for (size_t i = 0; i < ir->addresses_count; i++) {
		struct class_content *content = &compile->classes[ir->addresses[i].class];

		content->used = true;
		if (ir->addresses[i].workload >= 0)
			note_shape(content, compile->workload_shapes[ir->addresses[i].workload]);
	}
}

int compile_class_names(struct compile *compile, struct error *error)
{
	struct ir *ir = compile->ir;
	size_t count = ir->classes_count;

	compile_class_contents(compile);
	for (ir->classes_count = 0; ir->classes_count < count;) {
		char **slot = array_append(ir->class_names, ir->classes_count);

		if (slot)
			*slot = class_name(compile, &compile->classes[ir->classes_count - 1]);
		if (!slot || !*slot)
			return error_nomem(error);
	}
	return 0;
}

int compile_class_rename(struct compile *compile, uint32_t class)
{
	struct ir *ir = compile->ir;
	char *name = class_name(compile, &compile->classes[class]), **slot;

	if (!name)
		return -ENOMEM;
	if (class < ir->classes_count) {
		free(ir->class_names[class]);
		ir->class_names[class] = name;
		return 0;
	}
	slot = array_append(ir->class_names, ir->classes_count);
	if (slot)
		*slot = name;
	else
		free(name);
	return slot ? 0 : -ENOMEM;
}
