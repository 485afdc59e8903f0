/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one model to the next by what differs. Copies of a model share their workloads, so one look
 * at a pointer tells that a workload has not changed.
 */
#include "policies/ir_follow.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

#define CHANGES_MAX 64 /* workloads; with more, compiling anew is as good */

struct follow {
	struct compile *compile;
	const struct model *from;
	const struct model *to;
	uint32_t *shapes; /* by workload of to */
	bool *changed;    /* by workload of to */
	size_t changes_count;
	bool tables_changed;
};

static bool same_addresses(
	const struct address *a, size_t a_count, const struct address *b, size_t b_count)
{
	return a_count == b_count && (!a_count || !memcmp(a, b, a_count * sizeof(*a)));
}

static bool same_nodes(const struct model *from, const struct model *to)
{
	if (from->nodes_count != to->nodes_count)
		return false;
	for (size_t i = 0; i < from->nodes_count; i++) {
		const struct model_node *a = &from->nodes[i], *b = &to->nodes[i];

		if (strcmp(a->name, b->name) || !labels_equal(&a->labels, &b->labels) ||
			!same_addresses(
				a->addresses, a->addresses_count, b->addresses, b->addresses_count))
			return false;
	}
	return true;
}

/* Those that come or go concern only their own workloads. */
static bool same_namespaces(const struct model *from, const struct model *to)
{
	for (size_t i = 0; i < from->namespaces_count; i++) {
		const struct model_namespace *there =
			model_find_namespace(to, from->namespaces[i].name);

		if (there && !labels_equal(&there->labels, &from->namespaces[i].labels))
			return false;
	}
	return true;
}

static bool has_address(
	const struct address *addresses, size_t count, const struct address *address)
{
	for (size_t i = 0; i < count; i++)
		if (address_equal(&addresses[i], address))
			return true;
	return false;
}

/* Workloads on the node's network make up the node, and one that comes to hold an address of a
 * node, or gives it back, changes what is a node's. */
static bool touches_node(const struct model *model, const struct model_workload *workload)
{
	if (workload->host_network)
		return true;
	for (size_t i = 0; i < workload->addresses_count; i++) {
		const struct address *address = &workload->addresses[i];

		if (has_address(model->host_addresses, model->host_addresses_count, address))
			return true;
		for (size_t k = 0; k < model->nodes_count; k++)
			if (has_address(model->nodes[k].addresses, model->nodes[k].addresses_count,
				    address))
				return true;
		for (size_t k = 0; k < model->workloads_count; k++)
			if (model->workloads[k].host_network &&
				has_address(model->workloads[k].addresses,
					model->workloads[k].addresses_count, address))
				return true;
	}
	return false;
}

static int note_change(struct follow *follow, const struct model_workload *workload)
{
	return ++follow->changes_count > CHANGES_MAX || touches_node(follow->to, workload) ? -EAGAIN
											   : 0;
}

static int compare_workloads(const struct model_workload *a, const struct model_workload *b)
{
	int order = strcmp(a->namespace, b->namespace);

	return order ? order : strcmp(a->name, b->name);
}

static int add_workload(struct follow *follow, size_t index)
{
	const struct model_workload *workload = &follow->to->workloads[index];
	struct compile *compile = follow->compile;
	uint32_t number;
	int r;

	if (note_change(follow, workload) < 0)
		return -EAGAIN;
	r = compile_find_shape(compile, workload, &number);
	if (r > 0)
		r = compile_match_shape(compile, &compile->shapes[number]);
	if (r < 0)
		return r;
	follow->shapes[index] = number;
	follow->changed[index] = true;
	if (workload->remote || compile->shapes[number].local)
		return 0;
	compile->shapes[number].local = true;
	follow->tables_changed = true;
	return compile_shape_tables(compile, &compile->shapes[number]) < 0 ? -EAGAIN : 0;
}

/* Both are sorted by name; the same pointer is the same workload. */
static int compare_models(struct follow *follow)
{
	const struct model *from = follow->from, *to = follow->to;
	size_t a = 0, b = 0;
	int r = 0;

	while (!r && (a < from->workloads_count || b < to->workloads_count)) {
		const struct model_workload *old = &from->workloads[a], *new = &to->workloads[b];
		int order = a == from->workloads_count ? 1 : b == to->workloads_count ? -1 : 0;

		if (!order && old->references == new->references) {
			follow->shapes[b++] = follow->compile->workload_shapes[a++];
			continue;
		}
		if (!order)
			order = compare_workloads(old, new);
		if (order <= 0)
			r = note_change(follow, &from->workloads[a++]);
		if (!r && order >= 0)
			r = add_workload(follow, b++);
	}
	return r;
}

static int add_class(struct follow *follow, uint32_t class)
{
	follow->tables_changed = true;
	if (follow->compile->classes_count > UINT16_MAX)
		return -EAGAIN;
	return compile_add_class(follow->compile, class) < 0 ? -EAGAIN : 0;
}

static int classify(struct follow *follow, struct ir_address *address)
{
	struct compile *compile = follow->compile;
	int r = compile_find_class(compile, &address->address,
		&compile->shapes[follow->shapes[address->workload]], &address->class);

	return r > 0 ? add_class(follow, address->class) : r;
}

/* The node's own addresses stay; those of workloads are the model's, with the class of before where
 * the workload is the one of before. */
static int merge_addresses(struct follow *follow, struct ir_address *addresses, size_t *ret_count)
{
	const struct ir *ir = follow->compile->ir;
	const struct model *to = follow->to;
	size_t old = 0, new = 0, count = 0;
	int r = 0;

	while (!r && (old < ir->addresses_count || new < to->addresses_count)) {
		const struct ir_address *before = &ir->addresses[old];
		const struct model_address *after = &to->addresses[new];
		int order = old == ir->addresses_count   ? 1
			    : new == to->addresses_count ? -1
							 : memcmp(&before->address, &after->address,
								   sizeof(before->address));

		if (order < 0) {
			if (before->workload < 0)
				addresses[count++] = *before;
			old++;
			continue;
		}
		addresses[count] = (struct ir_address){
			after->address, (int64_t)after->workload, order ? 0 : before->class};
		if (order || follow->changed[after->workload])
			r = classify(follow, &addresses[count]);
		count++;
		new ++;
		old += !order;
	}
	*ret_count = count;
	return r;
}

static int take_addresses(struct follow *follow)
{
	struct ir *ir = follow->compile->ir;
	_cleanup_free_ struct ir_address *addresses =
		calloc(ir->addresses_count + follow->to->addresses_count + 1, sizeof(*addresses));
	size_t count;
	int r;

	if (!addresses)
		return -ENOMEM;
	r = merge_addresses(follow, addresses, &count);
	if (r < 0)
		return r;
	free(ir->addresses);
	ir->addresses = TAKE_PTR(addresses);
	ir->addresses_count = count;
	return 0;
}

static int take_subjects(struct follow *follow)
{
	struct compile *compile = follow->compile;
	struct ir_subject *subjects = calloc(follow->to->workloads_count + 1, sizeof(*subjects));

	if (!subjects)
		return -ENOMEM;
	compile->model = follow->to;
	free(compile->workload_shapes);
	compile->workload_shapes = TAKE_PTR(follow->shapes);
	for (size_t i = 0; i < follow->to->workloads_count; i++)
		subjects[i] = compile_subject(compile, i);
	free(compile->ir->subjects);
	compile->ir->subjects = subjects;
	compile->ir->subjects_count = follow->to->workloads_count;
	return 0;
}

static void follow_clear(struct follow *follow)
{
	free(follow->shapes);
	free(follow->changed);
}

int follow_model(struct compile *compile, const struct model *model)
{
	_cleanup_(follow_clear) struct follow follow = {
		.compile = compile, .from = compile->model, .to = model};
	int r;

	if (follow.from == model)
		return 0;
	if (!same_nodes(follow.from, model) || !same_namespaces(follow.from, model) ||
		!same_addresses(follow.from->host_addresses, follow.from->host_addresses_count,
			model->host_addresses, model->host_addresses_count))
		return -EAGAIN;
	follow.shapes = malloc((model->workloads_count + 1) * sizeof(*follow.shapes));
	follow.changed = calloc(model->workloads_count + 1, sizeof(*follow.changed));
	if (!follow.shapes || !follow.changed)
		return -ENOMEM;
	/* New shapes ask for their namespaces. */
	compile->model = model;
	r = compare_models(&follow);
	if (!r)
		r = take_addresses(&follow);
	if (!r)
		r = take_subjects(&follow);
	if (!r)
		r = compile_follow_names(compile);
	return r < 0 ? r : r || follow.tables_changed;
}
