/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_compile.h"

#include "base/cleanup.h"

#include <errno.h>

/* Keys that some peer selector asks for: the others do not help to tell classes apart. */
static void collect_keys(const struct compile *compile, struct labels *keys, bool *out_of_memory)
{
	for (size_t i = 0; i < compile->matchers_count; i++) {
		const struct policy_rule *rule = compile->matchers[i].rule;

		for (size_t k = 0; k < rule->peers_count; k++) {
			const struct selector *labels = &rule->peers[k].workloads.labels;

			for (size_t n = 0;
				rule->peers[k].kind == PEER_WORKLOADS && n < labels->count; n++)
				*out_of_memory |=
					labels_set(keys, labels->requirements[n].key, "") < 0;
		}
	}
}

/* "app=api,env=prod @shop" */
static void print_shape(const struct shape *shape, const struct labels *keys, FILE *stream)
{
	const struct labels *labels = &shape->workload->labels;
	bool any = false;

	for (size_t i = 0; i < labels->count; i++) {
		if (!labels_get(keys, labels->items[i].key))
			continue;
		fprintf(stream, "%s%s=%s", any ? "," : "", labels->items[i].key,
			labels->items[i].value);
		any = true;
	}
	fprintf(stream, "%s@%s", any ? " " : "* ", shape->workload->namespace);
}

static bool is_root(const struct prefix *prefix)
{
	return prefix->length == (prefix_is_ipv4(prefix) ? 96 : 0);
}

static void print_class(const struct compile *compile, const struct class_content *content,
	const struct labels *keys, FILE *stream)
{
	char text[PREFIX_TEXT_MAX];
	size_t more = content->prefixes_count + content->shapes_count - 1;

	if (content->host) {
		fputs("host", stream);
		return;
	}
	if (is_root(&content->prefix) && content->prefixes_count) {
		fputs("world", stream);
		/* Both families' roots are one world. */
		more -= content->both_roots;
	} else if (content->shapes_count) {
		print_shape(&compile->shapes[content->shape], keys, stream);
	} else {
		fputs(prefix_format(&content->prefix, text), stream);
	}
	if (more)
		fprintf(stream, "+%zu", more);
}

static char *class_name(const struct compile *compile, const struct class_content *content,
	const struct labels *keys)
{
	_cleanup_free_ char *name = NULL;
	char *made = NULL;
	size_t size;
	FILE *stream = open_memstream(&made, &size);
	int r;

	if (!stream)
		return NULL;
	print_class(compile, content, keys, stream);
	r = fclose(stream);
	name = made;
	return r ? NULL : TAKE_PTR(name);
}

int compile_class_names(struct compile *compile, struct error *error)
{
	_cleanup_(labels_clear) struct labels keys = {0};
	struct ir *ir = compile->ir;
	bool out_of_memory = false;

	collect_keys(compile, &keys, &out_of_memory);
	ir->class_names = calloc(ir->classes_count, sizeof(char *));
	if (!ir->class_names || out_of_memory)
		return error_nomem(error);
	for (size_t i = 0; i < ir->classes_count; i++) {
		ir->class_names[i] = class_name(compile, &compile->classes[i], &keys);
		if (!ir->class_names[i])
			return error_nomem(error);
	}
	return 0;
}
