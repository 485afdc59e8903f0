/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registry as what policies and data planes take: a model, and attachments. */
#include "workload/registry.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More are as well added together with all others. */
#define DIFFERENCES_MAX 16

static int fill_workload(struct model_workload *target, const struct workload *workload)
{
	int r = labels_copy(&workload->labels, &target->labels);

	target->host_network = workload->host_network;
	for (size_t i = 0; r == 0 && i < workload->ports_count; i++)
		r = model_workload_add_port(target, workload->ports[i].name,
			workload->ports[i].protocol, workload->ports[i].port);
	for (size_t i = 0; r == 0 && i < workload->interfaces_count; i++) {
		const struct workload_interface *interface = &workload->interfaces[i];

		for (size_t j = 0; r == 0 && j < interface->addresses_count; j++)
			r = model_workload_add_address(target, &interface->addresses[j]);
	}
	return r;
}

static int add_workload(struct model *model, const struct workload *workload, struct error *error)
{
	struct model_workload *target;
	int r = model_add_workload(model, workload->namespace, workload->name, &target);

	if (r == 0)
		r = fill_workload(target, workload);
	return r < 0 ? error_errno(error, r, "add workload %s/%s to the model", workload->namespace,
			       workload->name)
		     : 0;
}

int registry_to_model(const struct registry *registry, struct model *model, struct error *error)
{
	for (size_t i = 0; i < registry_count(registry); i++) {
		int r = add_workload(model, registry_at(registry, i), error);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- a model that follows another --------------------------------------------------------------
 */

static bool is_among(const struct address *addresses, size_t count, const struct address *address)
{
	for (size_t i = 0; i < count; i++)
		if (address_equal(&addresses[i], address))
			return true;
	return false;
}

/* As they would be added: in this order, each once. */
static bool equal_addresses(const struct model_workload *model, const struct workload *workload)
{
	size_t count = 0;

	for (size_t i = 0; i < workload->interfaces_count; i++) {
		const struct workload_interface *interface = &workload->interfaces[i];

		for (size_t j = 0; j < interface->addresses_count; j++) {
			const struct address *address = &interface->addresses[j];

			if (is_among(model->addresses, count, address))
				continue;
			if (count == model->addresses_count ||
				!address_equal(&model->addresses[count++], address))
				return false;
		}
	}
	return count == model->addresses_count;
}

static bool equal_ports(const struct model_workload *model, const struct workload *workload)
{
	if (model->ports_count != workload->ports_count)
		return false;
	for (size_t i = 0; i < model->ports_count; i++)
		if (model->ports[i].port != workload->ports[i].port ||
			model->ports[i].protocol != workload->ports[i].protocol ||
			strcmp(model->ports[i].name, workload->ports[i].name))
			return false;
	return true;
}

static bool is_as(const struct model_workload *model, const struct workload *workload)
{
	return model->host_network == workload->host_network && equal_addresses(model, workload) &&
	       equal_ports(model, workload) && labels_equal(&model->labels, &workload->labels);
}

static int compare_names(const struct model_workload *model, const struct workload *workload)
{
	int order = strcmp(model->namespace, workload->namespace);

	return order ? order : strcmp(model->name, workload->name);
}

/* What is not the same any more: workloads of the model, workloads of the registry, by index. */
struct differences {
	size_t removed[DIFFERENCES_MAX];
	size_t removed_count;
	size_t added[DIFFERENCES_MAX];
	size_t added_count;
};

/* False: too many, or the last workload of a namespace, which goes with it. */
static bool find_differences(
	const struct registry *registry, const struct model *former, struct differences *ret)
{
	size_t i = 0, j = 0, count = registry_count(registry);

	while (i < former->workloads_count || j < count) {
		const struct model_workload *old =
			i < former->workloads_count ? &former->workloads[i] : NULL;
		const struct workload *new = j < count ? registry_at(registry, j) : NULL;
		int order = !old ? 1 : !new ? -1 : compare_names(old, new);
		bool same = !order && is_as(old, new);

		if (!same && (ret->removed_count == DIFFERENCES_MAX ||
				     ret->added_count == DIFFERENCES_MAX))
			return false;
		if (order < 0 && !(new && !strcmp(new->namespace, old->namespace)) &&
			!(j && !strcmp(registry_at(registry, j - 1)->namespace, old->namespace)))
			return false;
		if (order <= 0 && !same)
			ret->removed[ret->removed_count++] = i;
		if (order >= 0 && !same)
			ret->added[ret->added_count++] = j;
		i += order <= 0;
		j += order >= 0;
	}
	return true;
}

int registry_follow_model(const struct registry *registry, const struct model *former,
	struct model **ret, struct error *error)
{
	_cleanup_(model_freep) struct model *model = NULL;
	struct differences differences = {.removed_count = 0};
	int r = 0;

	if (!find_differences(registry, former, &differences))
		return 0;
	if (model_copy(former, &model) < 0)
		return error_nomem(error);
	for (size_t i = 0; !r && i < differences.removed_count; i++) {
		const struct model_workload *workload = &former->workloads[differences.removed[i]];

		r = model_remove_workload(model, workload->namespace, workload->name);
	}
	for (size_t i = 0; !r && i < differences.added_count; i++)
		r = add_workload(model, registry_at(registry, differences.added[i]), error);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(model);
	return 1;
}

/* --- attachments --------------------------------------------------------------------------------
 */

static struct attachment make_attachment(
	const struct workload *workload, const struct workload_interface *interface, int64_t index)
{
	struct attachment attachment = {
		.ifindex = interface->ifindex,
		.inside = interface->inside,
		.netns = interface->netns,
		.addresses = interface->addresses,
		.addresses_count = interface->addresses_count,
		.workload = index,
		.adopt = workload->adopt,
	};

	memcpy(attachment.name, interface->name, sizeof(attachment.name));
	memcpy(attachment.mac, interface->mac, sizeof(attachment.mac));
	return attachment;
}

static int compare_attachments(const void *a, const void *b)
{
	const struct attachment *left = a, *right = b;

	return left->ifindex < right->ifindex ? -1 : left->ifindex > right->ifindex;
}

/* The finished model's index of a workload; -1 guards the interface of one that it lacks. Both are
 * in the same order: *place is where the one before was found. */
static int64_t model_index(
	const struct model *model, const struct workload *workload, size_t *place)
{
	int order = -1;

	while (*place < model->workloads_count &&
		(order = compare_names(&model->workloads[*place], workload)) < 0)
		++*place;
	return order ? -1 : (int64_t)*place;
}

static size_t count_interfaces(const struct registry *registry)
{
	size_t count = 0;

	for (size_t i = 0; i < registry_count(registry); i++)
		count += registry_at(registry, i)->interfaces_count;
	return count;
}

int registry_attachments(const struct registry *registry, const struct model *model,
	struct attachment **ret, size_t *ret_count)
{
	struct attachment *attachments;
	size_t count = 0, place = 0;

	/* One more than none: calloc(0) may be NULL. */
	attachments = calloc(count_interfaces(registry) + 1, sizeof(*attachments));
	if (!attachments)
		return -ENOMEM;
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct workload *workload = registry_at(registry, i);

		for (size_t j = 0; j < workload->interfaces_count; j++) {
			if (!workload->interfaces[j].ifindex || workload->host_network)
				continue;
			attachments[count++] = make_attachment(workload, &workload->interfaces[j],
				model_index(model, workload, &place));
		}
	}
	qsort(attachments, count, sizeof(*attachments), compare_attachments);
	*ret = attachments;
	*ret_count = count;
	return 0;
}
