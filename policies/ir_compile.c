/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_compile.h"

#include "base/cleanup.h"

void compile_clear(struct compile *compile)
{
	ir_free(compile->ir);
	for (size_t i = 0; i < compile->policies_count; i++)
		compiled_policy_free(compile->policies[i]);
	for (size_t i = 0; i < compile->matchers_count; i++)
		document_release(compile->matchers[i].document);
	for (size_t i = 0; i < compile->shapes_count; i++) {
		model_workload_clear(&compile->shapes[i].workload);
		labels_clear(&compile->shapes[i].namespace_labels);
		free(compile->shapes[i].matches);
		free(compile->shapes[i].names);
	}
	for (size_t i = 0; i < compile->port_names_count; i++) {
		free(compile->port_names[i].name);
		free(compile->port_names[i].numbers);
	}
	for (size_t i = 0; i < compile->classes_count; i++)
		free(compile->classes[i].vector);
	free(compile->policies);
	free(compile->shapes);
	free(compile->workload_shapes);
	free(compile->label_keys);
	free(compile->matchers);
	free(compile->matchers_free);
	free(compile->port_names);
	free(compile->named_ports);
	free(compile->egress_names);
	free(compile->classes);
	intern_clear(&compile->port_name_keys);
	intern_clear(&compile->class_keys);
	intern_clear(&compile->port_table_keys);
	intern_clear(&compile->shape_keys);
	intern_clear(&compile->label_key_names);
	intern_clear(&compile->looks);
	intern_clear(&compile->matcher_keys);
	intern_clear(&compile->rule_ids);
	free(compile->changes);
	free(compile->world);
	free(compile->host);
	builder_free(compile->builder);
}

int compile_all(struct compile *compile, const struct document_list *documents, struct error *error)
{
	static int (*const steps[])(struct compile *, struct error *) = {compile_shapes,
		compile_matchers, compile_classes, compile_class_names, compile_tables};
	int r;

	compile->ir = calloc(1, sizeof(*compile->ir));
	if (!compile->ir)
		return error_nomem(error);
	r = compile_rules(compile, documents, error);
	for (size_t i = 0; !r && i < ARRAY_SIZE(steps); i++)
		r = steps[i](compile, error);
	return r < 0 ? error_context(error, r, "compile policies") : 0;
}

int ir_compile(const struct document_list *documents, const struct model *model,
	const struct ir_options *options, struct ir **ret, struct error *error)
{
	_cleanup_(compile_clear) struct compile compile = {.model = model, .options = options};
	int r = compile_all(&compile, documents, error);

	if (r < 0)
		return r;
	*ret = TAKE_PTR(compile.ir);
	return 0;
}
