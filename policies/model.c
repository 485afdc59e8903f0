/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/model.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "policies/array.h"

#include <errno.h>

#define INSERTED_MAX 16 /* more new workloads than this are sorted in as a whole */

struct model_name {
	char *text; /* "namespace/name": neither holds a slash */
	UT_hash_handle hh;
};

int model_new(struct model **ret)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return -ENOMEM;
	model->references = 1;
	*ret = model;
	return 0;
}

void model_workload_clear(struct model_workload *workload)
{
	if (--*workload->references)
		return;
	free(workload->references);
	for (size_t i = 0; i < workload->ports_count; i++)
		free(workload->ports[i].name);
	free(workload->ports);
	free(workload->addresses);
	labels_clear(&workload->labels);
	free(workload->name);
	free(workload->namespace);
}

static void names_free(struct model_name *names)
{
	struct model_name *name, *next;

	HASH_ITER (hh, names, name, next) {
		HASH_DEL(names, name);
		free(name->text);
		free(name);
	}
}

void model_free(struct model *model)
{
	if (!model || --model->references)
		return;
	names_free(model->names);
	for (size_t i = 0; i < model->namespaces_count; i++) {
		free(model->namespaces[i].name);
		labels_clear(&model->namespaces[i].labels);
	}
	for (size_t i = 0; i < model->workloads_count; i++)
		model_workload_clear(&model->workloads[i]);
	for (size_t i = 0; i < model->nodes_count; i++)
		model_node_clear(&model->nodes[i]);
	free(model->nodes);
	free(model->namespaces);
	free(model->workloads);
	free(model->host_addresses);
	free(model->addresses);
	free(model);
}

void model_node_clear(struct model_node *node)
{
	free(node->name);
	labels_clear(&node->labels);
	free(node->addresses);
	*node = (struct model_node){0};
}

/* The first name at or behind the one that is looked for. */
static size_t namespace_bound(const struct model *model, const char *name)
{
	size_t low = 0, high = model->namespaces_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(model->namespaces[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct model_namespace *model_find_namespace(const struct model *model, const char *name)
{
	size_t index = namespace_bound(model, name);

	if (index == model->namespaces_count || strcmp(model->namespaces[index].name, name))
		return NULL;
	return &model->namespaces[index];
}

int model_add_namespace(struct model *model, const char *name, const struct labels *labels)
{
	_cleanup_(labels_clear) struct labels copy = {0};
	_cleanup_free_ char *copied_name = NULL;
	size_t index = namespace_bound(model, name);
	struct model_namespace *there;

	if (labels && labels_copy(labels, &copy) < 0)
		return -ENOMEM;
	if (labels_set(&copy, MODEL_NAMESPACE_LABEL, name) < 0)
		return -ENOMEM;
	if (!model_find_namespace(model, name)) {
		copied_name = strdup(name);
		if (!copied_name || !array_append(model->namespaces, model->namespaces_count))
			return -ENOMEM;
		there = &model->namespaces[index];
		memmove(there + 1, there,
			(model->namespaces_count - 1 - index) * sizeof(*model->namespaces));
		*there = (struct model_namespace){.name = TAKE_PTR(copied_name)};
	}
	there = &model->namespaces[index];
	labels_clear(&there->labels);
	there->labels = copy;
	copy = (struct labels){0};
	return 0;
}

static int compare_workloads(const void *a, const void *b)
{
	const struct model_workload *first = a, *second = b;
	int order = strcmp(first->namespace, second->namespace);

	return order ? order : strcmp(first->name, second->name);
}

static const struct model_workload *find_finished(
	const struct model *model, const char *namespace, const char *name)
{
	const struct model_workload key = {.namespace = (char *)namespace, .name = (char *)name};

	if (!model->finished_count)
		return NULL;
	return bsearch(
		&key, model->workloads, model->finished_count, sizeof(key), compare_workloads);
}

struct model *model_reference(struct model *model)
{
	model->references++;
	return model;
}

static int remember_name(struct model *model, const char *namespace, const char *name)
{
	_cleanup_free_ struct model_name *entry = calloc(1, sizeof(*entry));
	_cleanup_free_ char *text = NULL;
	struct model_name *there;

	if (!entry || asprintf(&text, "%s/%s", namespace, name) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	HASH_FIND_STR(model->names, text, there);
	if (there || find_finished(model, namespace, name))
		return -EEXIST;
	entry->text = text;
	HASH_ADD_KEYPTR(hh, model->names, entry->text, strlen(entry->text), entry);
	if (!HASH_ADDED(entry))
		return -ENOMEM;
	TAKE_PTR(text);
	TAKE_PTR(entry);
	return 0;
}

int model_add_workload(
	struct model *model, const char *namespace, const char *name, struct model_workload **ret)
{
	_cleanup_free_ char *own_namespace = strdup(namespace);
	_cleanup_free_ char *own_name = strdup(name);
	_cleanup_free_ unsigned int *references = malloc(sizeof(*references));
	struct model_workload *workload;
	int r;

	if (!own_namespace || !own_name || !references)
		return -ENOMEM;
	r = remember_name(model, namespace, name);
	if (r < 0)
		return r;
	workload = array_append(model->workloads, model->workloads_count);
	if (!workload)
		return -ENOMEM;
	workload->namespace = TAKE_PTR(own_namespace);
	workload->name = TAKE_PTR(own_name);
	workload->references = TAKE_PTR(references);
	*workload->references = 1;
	*ret = workload;
	return 0;
}

static int add_address(struct address **addresses, size_t *count, const struct address *address)
{
	struct address *slot = array_append(*addresses, *count);

	if (!slot)
		return -ENOMEM;
	*slot = *address;
	return 0;
}

int model_workload_add_address(struct model_workload *workload, const struct address *address)
{
	return add_address(&workload->addresses, &workload->addresses_count, address);
}

int model_add_host_address(struct model *model, const struct address *address)
{
	return add_address(&model->host_addresses, &model->host_addresses_count, address);
}

static struct model_node *find_node(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->nodes_count; i++)
		if (!strcmp(model->nodes[i].name, name))
			return &model->nodes[i];
	return NULL;
}

int model_add_node(
	struct model *model, const char *name, const struct labels *labels, struct model_node **ret)
{
	__attribute__((cleanup(model_node_clear))) struct model_node added = {0};
	struct model_node *node = find_node(model, name);

	added.name = strdup(name);
	if (!added.name || labels_copy(labels, &added.labels) < 0)
		return -ENOMEM;
	if (node)
		model_node_clear(node);
	else
		node = array_append(model->nodes, model->nodes_count);
	if (!node)
		return -ENOMEM;
	*node = added;
	added = (struct model_node){0};
	*ret = node;
	return 0;
}

int model_node_add_address(struct model_node *node, const struct address *address)
{
	return add_address(&node->addresses, &node->addresses_count, address);
}

int model_workload_add_port(
	struct model_workload *workload, const char *name, uint8_t protocol, uint16_t port)
{
	_cleanup_free_ char *own_name = strdup(name);
	struct model_port *slot;

	if (!own_name)
		return -ENOMEM;
	slot = array_append(workload->ports, workload->ports_count);
	if (!slot)
		return -ENOMEM;
	*slot = (struct model_port){TAKE_PTR(own_name), port, protocol};
	return 0;
}

static int compare_addresses(const void *a, const void *b)
{
	return address_compare(a, b);
}

static void sort_addresses(struct address *addresses, size_t *count)
{
	size_t kept = 0;

	if (!*count)
		return;
	qsort(addresses, *count, sizeof(*addresses), compare_addresses);
	for (size_t i = 0; i < *count; i++)
		if (!kept || !address_equal(&addresses[kept - 1], &addresses[i]))
			addresses[kept++] = addresses[i];
	*count = kept;
}

static int compare_owners(const void *a, const void *b)
{
	const struct model_address *first = a, *second = b;

	return address_compare(&first->address, &second->address);
}

static int index_addresses(struct model *model)
{
	model->addresses_count = 0;
	for (size_t i = 0; i < model->workloads_count; i++) {
		const struct model_workload *workload = &model->workloads[i];

		for (size_t k = 0; !workload->host_network && k < workload->addresses_count; k++) {
			struct model_address *slot =
				array_append(model->addresses, model->addresses_count);

			if (!slot)
				return -ENOMEM;
			*slot = (struct model_address){workload->addresses[k], i};
		}
	}
	if (model->addresses_count)
		qsort(model->addresses, model->addresses_count, sizeof(*model->addresses),
			compare_owners);
	return 0;
}

static int sort_workloads(struct model *model)
{
	if (model->workloads_count)
		qsort(model->workloads, model->workloads_count, sizeof(*model->workloads),
			compare_workloads);
	return index_addresses(model);
}

/* A few new ones beside many. */
static int insert_workloads(struct model *model)
{
	size_t count = model->workloads_count;

	for (model->workloads_count = model->finished_count; model->workloads_count < count;) {
		model->workloads_count++;
		if (model_insert_last(model) < 0) {
			model->workloads_count = count;
			return -ENOMEM;
		}
	}
	return 0;
}

static int check_addresses(const struct model *model, struct error *error)
{
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 1; i < model->addresses_count; i++) {
		const struct model_address *address = &model->addresses[i];
		const struct model_workload *first = &model->workloads[address[-1].workload];
		const struct model_workload *second = &model->workloads[address->workload];

		if (address_equal(&address[-1].address, &address->address))
			return error_set(error, -EADDRINUSE,
				"%s/%s and %s/%s both have the address %s", first->namespace,
				first->name, second->namespace, second->name,
				address_format(&address->address, text));
	}
	return 0;
}

int model_finish(struct model *model, struct error *error)
{
	size_t added = model->workloads_count - model->finished_count;

	for (size_t i = model->finished_count; i < model->workloads_count; i++) {
		struct model_workload *workload = &model->workloads[i];

		sort_addresses(workload->addresses, &workload->addresses_count);
		if (!model_find_namespace(model, workload->namespace) &&
			model_add_namespace(model, workload->namespace, NULL) < 0)
			return error_nomem(error);
	}
	sort_addresses(model->host_addresses, &model->host_addresses_count);
	if ((model->finished_count && added <= INSERTED_MAX ? insert_workloads(model)
							    : sort_workloads(model)) < 0)
		return error_nomem(error);
	model->finished_count = model->workloads_count;
	names_free(model->names);
	model->names = NULL;
	return check_addresses(model, error);
}

const struct model_workload *model_find_workload(
	const struct model *model, const char *namespace, const char *name)
{
	return find_finished(model, namespace, name);
}

const struct model_workload *model_find_address(
	const struct model *model, const struct address *address)
{
	const struct model_address key = {.address = *address};
	const struct model_address *found;

	if (!model->addresses_count)
		return NULL;
	found = bsearch(
		&key, model->addresses, model->addresses_count, sizeof(key), compare_owners);
	return found ? &model->workloads[found->workload] : NULL;
}
