/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

static int collect_selector(const struct selector *selector, struct labels *keys)
{
	for (size_t i = 0; i < selector->count; i++)
		if (labels_set(keys, selector->requirements[i].key, "") < 0)
			return -ENOMEM;
	return 0;
}

static int collect_rule(struct compile *compile, const struct policy_rule *rule)
{
	for (size_t i = 0; i < rule->peers_count; i++)
		if (rule->peers[i].kind == PEER_WORKLOADS &&
			(collect_selector(&rule->peers[i].workloads.labels, &compile->label_keys) <
					0 ||
				collect_selector(&rule->peers[i].workloads.labels,
					&compile->peer_label_keys) < 0))
			return -ENOMEM;
	return 0;
}

/* Keys that some selector asks for: the others do not tell workloads apart. */
static int collect_keys(struct compile *compile)
{
	for (size_t i = 0; i < compile->policies_count; i++) {
		const struct policy *policy = compile->policies[i].policy;

		if (collect_selector(&policy->subject.labels, &compile->label_keys) < 0)
			return -ENOMEM;
		for (int direction = 0; direction < DIRECTION_COUNT; direction++)
			for (size_t k = 0; k < policy->rules_count[direction]; k++)
				if (collect_rule(compile, &policy->rules[direction][k]) < 0)
					return -ENOMEM;
	}
	return 0;
}

struct key {
	char *bytes;
	size_t size;
};

/* With its NUL, which keeps parts apart. */
static int append_text(struct key *key, const char *text)
{
	do {
		char *slot = array_append(key->bytes, key->size);

		if (!slot)
			return -ENOMEM;
		*slot = *text;
	} while (*text++);
	return 0;
}

static int append_port(struct key *key, const struct model_port *port)
{
	char number[16];

	snprintf(number, sizeof(number), "%u/%u", port->protocol, port->port);
	return append_text(key, "") < 0 || append_text(key, port->name) < 0 ||
			       append_text(key, number) < 0
		       ? -ENOMEM
		       : 0;
}

/* Whatever policies can ask a workload. Labels are sorted; ports stay as they are. */
static int shape_key(
	const struct compile *compile, const struct model_workload *workload, struct key *key)
{
	int r = append_text(key, workload->namespace);

	for (size_t i = 0; !r && i < workload->labels.count; i++) {
		const struct label *label = &workload->labels.items[i];

		if (labels_get(&compile->label_keys, label->key) &&
			(append_text(key, label->key) < 0 || append_text(key, label->value) < 0))
			r = -ENOMEM;
	}
	for (size_t i = 0; !r && i < workload->ports_count; i++)
		r = append_port(key, &workload->ports[i]);
	return r;
}

static int add_shape(struct compile *compile, const struct model_workload *workload)
{
	const struct model_namespace *namespace =
		model_find_namespace(compile->model, workload->namespace);
	struct shape *shape = array_append(compile->shapes, compile->shapes_count);

	if (!shape)
		return -ENOMEM;
	shape->workload = *workload;
	++*workload->references;
	shape->tables = (struct ir_subject){{IR_PEER_TABLE_NONE, IR_PEER_TABLE_NONE}};
	return labels_copy(&namespace->labels, &shape->namespace_labels);
}

int compile_find_shape(
	struct compile *compile, const struct model_workload *workload, uint32_t *ret)
{
	_cleanup_free_ char *bytes = NULL;
	struct key key = {0};
	uint32_t number;
	int r = shape_key(compile, workload, &key);

	bytes = key.bytes;
	if (r < 0)
		return r;
	r = intern(&compile->shape_keys, key.bytes, key.size, &number);
	if (r < 0 || (r > 0 && add_shape(compile, workload) < 0))
		return -ENOMEM;
	*ret = number;
	return r;
}

int compile_shapes(struct compile *compile, struct error *error)
{
	const struct model *model = compile->model;

	compile->workload_shapes = calloc(model->workloads_count + 1, sizeof(uint32_t));
	if (!compile->workload_shapes || collect_keys(compile) < 0)
		return error_nomem(error);
	for (size_t i = 0; i < model->workloads_count; i++) {
		uint32_t *number = &compile->workload_shapes[i];

		*number = SHAPE_NONE;
		if (model->workloads[i].host_network)
			continue;
		if (compile_find_shape(compile, &model->workloads[i], number) < 0)
			return error_nomem(error);
		compile->shapes[*number].local |= !model->workloads[i].remote;
	}
	return 0;
}
