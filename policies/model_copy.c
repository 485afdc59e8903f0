/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing a few workloads of many: a copy that shares what stays. */
#include "policies/model.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

/* With room for as many again as array_append() expects. */
static int copy_array(void **target, const void *items, size_t count, size_t item_size)
{
	size_t room = 1;

	while (room < count)
		room *= 2;
	if (!count)
		return 0;
	*target = reallocarray(NULL, room, item_size);
	if (!*target)
		return -ENOMEM;
	memcpy(*target, items, count * item_size);
	return 0;
}

static int copy_namespaces_and_nodes(const struct model *model, struct model *copy)
{
	struct model_node *node;

	for (size_t i = 0; i < model->namespaces_count; i++)
		if (model_add_namespace(
			    copy, model->namespaces[i].name, &model->namespaces[i].labels) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < model->nodes_count; i++) {
		if (model_add_node(copy, model->nodes[i].name, &model->nodes[i].labels, &node) < 0)
			return -ENOMEM;
		for (size_t k = 0; k < model->nodes[i].addresses_count; k++)
			if (model_node_add_address(node, &model->nodes[i].addresses[k]) < 0)
				return -ENOMEM;
	}
	return 0;
}

int model_copy(const struct model *model, struct model **ret)
{
	_cleanup_(model_freep) struct model *copy = NULL;

	if (model_new(&copy) < 0 || copy_namespaces_and_nodes(model, copy) < 0 ||
		copy_array((void **)&copy->host_addresses, model->host_addresses,
			model->host_addresses_count, sizeof(*model->host_addresses)) < 0)
		return -ENOMEM;
	copy->host_addresses_count = model->host_addresses_count;
	if (copy_array((void **)&copy->addresses, model->addresses, model->addresses_count,
		    sizeof(*model->addresses)) < 0)
		return -ENOMEM;
	copy->addresses_count = model->addresses_count;
	if (copy_array((void **)&copy->workloads, model->workloads, model->workloads_count,
		    sizeof(*model->workloads)) < 0)
		return -ENOMEM;
	copy->workloads_count = copy->finished_count = model->workloads_count;
	for (size_t i = 0; i < copy->workloads_count; i++)
		++*copy->workloads[i].references;
	*ret = TAKE_PTR(copy);
	return 0;
}

/* workload itself is at index, and what is behind it moves by one place. */
static void drop_addresses(struct model *model, size_t index)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->addresses_count; i++) {
		struct model_address address = model->addresses[i];

		if (address.workload == index)
			continue;
		address.workload -= address.workload > index;
		model->addresses[kept++] = address;
	}
	model->addresses_count = kept;
}

int model_remove_workload(struct model *model, const char *namespace, const char *name)
{
	const struct model_workload *found = model_find_workload(model, namespace, name);
	size_t index;

	if (!found)
		return -ENOENT;
	index = (size_t)(found - model->workloads);
	drop_addresses(model, index);
	model_workload_clear(&model->workloads[index]);
	model->workloads_count--;
	model->finished_count--;
	memmove(&model->workloads[index], &model->workloads[index + 1],
		(model->workloads_count - index) * sizeof(*model->workloads));
	return 0;
}

static int compare_workloads(const struct model_workload *a, const struct model_workload *b)
{
	int order = strcmp(a->namespace, b->namespace);

	return order ? order : strcmp(a->name, b->name);
}

static size_t find_place(const struct model *model, const struct model_workload *workload)
{
	size_t low = 0, high = model->workloads_count - 1;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_workloads(&model->workloads[middle], workload) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int insert_address(struct model *model, const struct address *address, size_t workload)
{
	size_t low = 0, high = model->addresses_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (address_compare(&model->addresses[middle].address, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!array_append(model->addresses, model->addresses_count))
		return -ENOMEM;
	memmove(&model->addresses[low + 1], &model->addresses[low],
		(model->addresses_count - 1 - low) * sizeof(*model->addresses));
	model->addresses[low] = (struct model_address){*address, workload};
	return 0;
}

int model_insert_last(struct model *model)
{
	const struct model_workload workload = model->workloads[model->workloads_count - 1];
	size_t index = find_place(model, &workload);

	memmove(&model->workloads[index + 1], &model->workloads[index],
		(model->workloads_count - 1 - index) * sizeof(workload));
	model->workloads[index] = workload;
	for (size_t i = 0; i < model->addresses_count; i++)
		model->addresses[i].workload += model->addresses[i].workload >= index;
	for (size_t i = 0; !workload.host_network && i < workload.addresses_count; i++)
		if (insert_address(model, &workload.addresses[i], index) < 0)
			return -ENOMEM;
	return 0;
}

static bool equal_ports(const struct model_workload *a, const struct model_workload *b)
{
	if (a->ports_count != b->ports_count)
		return false;
	for (size_t i = 0; i < a->ports_count; i++)
		if (strcmp(a->ports[i].name, b->ports[i].name) ||
			a->ports[i].port != b->ports[i].port ||
			a->ports[i].protocol != b->ports[i].protocol)
			return false;
	return true;
}

static bool equal_workloads(const struct model_workload *a, const struct model_workload *b)
{
	if (a->addresses_count != b->addresses_count)
		return false;
	for (size_t i = 0; i < a->addresses_count; i++)
		if (!address_equal(&a->addresses[i], &b->addresses[i]))
			return false;
	return a->host_network == b->host_network && a->remote == b->remote &&
	       labels_equal(&a->labels, &b->labels) && equal_ports(a, b);
}

void model_share(struct model *model, const struct model *former)
{
	size_t old = 0;

	for (size_t i = 0; i < model->workloads_count; i++) {
		struct model_workload *workload = &model->workloads[i];
		int order = -1;

		while (old < former->workloads_count &&
			(order = compare_workloads(&former->workloads[old], workload)) < 0)
			old++;
		if (order || !equal_workloads(&former->workloads[old], workload))
			continue;
		model_workload_clear(workload);
		*workload = former->workloads[old];
		++*workload->references;
	}
}
