/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/ir_compile.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

static int use_label(struct compile *compile, const char *name, unsigned int peer_uses)
{
	struct label_key *key;
	uint32_t number;
	int r = intern(&compile->label_key_names, name, strlen(name), &number);

	if (r > 0 && !array_append(compile->label_keys, compile->label_keys_count))
		return -ENOMEM;
	if (r < 0)
		return r;
	key = &compile->label_keys[number];
	compile->peer_labels_changed |=
		peer_uses && (!key->peer_uses || !(key->peer_uses + peer_uses));
	key->peer_uses += peer_uses;
	return 0;
}

static int use_selector(
	struct compile *compile, const struct selector *selector, unsigned int peer_uses)
{
	for (size_t i = 0; i < selector->count; i++)
		if (use_label(compile, selector->requirements[i].key, peer_uses) < 0)
			return -ENOMEM;
	return 0;
}

/* Adds to, or takes from, the uses of all labels that its peers ask for. */
static int count_peers(struct compile *compile, const struct policy_rule *rule, int sign)
{
	for (size_t i = 0; i < rule->peers_count; i++)
		if (rule->peers[i].kind == PEER_WORKLOADS &&
			use_selector(
				compile, &rule->peers[i].workloads.labels, (unsigned int)sign) < 0)
			return -ENOMEM;
	return 0;
}

static int count_policy(struct compile *compile, const struct policy *policy, int sign)
{
	for (int direction = 0; direction < DIRECTION_COUNT; direction++)
		for (size_t i = 0; i < policy->rules_count[direction]; i++)
			if (count_peers(compile, &policy->rules[direction][i], sign) < 0)
				return -ENOMEM;
	return 0;
}

int compile_use_labels(struct compile *compile, const struct policy *policy)
{
	return use_selector(compile, &policy->subject.labels, 0) < 0
		       ? -ENOMEM
		       : count_policy(compile, policy, 1);
}

void compile_release_labels(struct compile *compile, const struct policy *policy)
{
	/* They are all there, so nothing needs memory. */
	(void)count_policy(compile, policy, -1);
}

static const struct label_key *find_label(const struct compile *compile, const char *name)
{
	uint32_t number;

	if (intern_find(&compile->label_key_names, name, strlen(name), &number) < 0)
		return NULL;
	return &compile->label_keys[number];
}

bool compile_peers_ask(const struct compile *compile, const char *label)
{
	const struct label_key *key = find_label(compile, label);

	return key && key->peer_uses;
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

		if (find_label(compile, label->key) &&
			(append_text(key, label->key) < 0 || append_text(key, label->value) < 0))
			r = -ENOMEM;
	}
	for (size_t i = 0; !r && i < workload->ports_count; i++)
		r = append_port(key, &workload->ports[i]);
	return r;
}

/* What peers' selectors can see of a shape, ports aside. */
static int find_look(struct compile *compile, struct shape *shape)
{
	_cleanup_free_ char *bytes = NULL;
	struct key key = {0};
	int r = append_text(&key, shape->workload.namespace);

	for (size_t i = 0; !r && i < shape->workload.labels.count; i++) {
		const struct label *label = &shape->workload.labels.items[i];

		if (compile_peers_ask(compile, label->key) &&
			(append_text(&key, label->key) < 0 || append_text(&key, label->value) < 0))
			r = -ENOMEM;
	}
	bytes = key.bytes;
	if (!r)
		r = intern(&compile->looks, key.bytes, key.size, &shape->look);
	return r < 0 ? r : 0;
}

int compile_looks(struct compile *compile)
{
	intern_clear(&compile->looks);
	for (size_t i = 0; i < compile->shapes_count; i++)
		if (find_look(compile, &compile->shapes[i]) < 0)
			return -ENOMEM;
	return 0;
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
	if (labels_copy(&namespace->labels, &shape->namespace_labels) < 0)
		return -ENOMEM;
	return find_look(compile, shape);
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
	if (!compile->workload_shapes)
		return error_nomem(error);
	for (size_t i = 0; i < compile->policies_count; i++)
		if (compile_use_labels(compile, compile->policies[i]->policy) < 0)
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
