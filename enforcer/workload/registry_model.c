/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registry as what policies and data planes take: a model, and attachments. */
#include "workload/registry.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

int registry_to_model(const struct registry *registry, struct model *model, struct error *error)
{
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct workload *workload = registry_at(registry, i);
		struct model_workload *target;
		int r;

		r = model_add_workload(model, workload->namespace, workload->name, &target);
		if (r == 0)
			r = fill_workload(target, workload);
		if (r < 0)
			return error_errno(error, r, "add workload %s/%s to the model",
				workload->namespace, workload->name);
	}
	return 0;
}

static int fill_attachment(struct attachment *attachment, const struct workload *workload,
	const struct workload_interface *interface)
{
	attachment->ifindex = interface->ifindex;
	memcpy(attachment->name, interface->name, sizeof(attachment->name));
	memcpy(attachment->mac, interface->mac, sizeof(attachment->mac));
	attachment->adopt = workload->adopt;
	attachment->inside = interface->inside;
	if (interface->netns) {
		attachment->netns = strdup(interface->netns);
		if (!attachment->netns)
			return -ENOMEM;
	}
	if (interface->addresses_count == 0)
		return 0;
	attachment->addresses = calloc(interface->addresses_count, sizeof(struct address));
	if (!attachment->addresses)
		return -ENOMEM;
	memcpy(attachment->addresses, interface->addresses,
		interface->addresses_count * sizeof(struct address));
	attachment->addresses_count = interface->addresses_count;
	return 0;
}

static int compare_attachments(const void *a, const void *b)
{
	const struct attachment *left = a, *right = b;

	return left->ifindex < right->ifindex ? -1 : left->ifindex > right->ifindex;
}

/* The finished model's index of a workload; -1 guards the interface of one that it lacks. */
static int64_t model_index(const struct model *model, const struct workload *workload)
{
	const struct model_workload *found =
		model_find_workload(model, workload->namespace, workload->name);

	return found ? found - model->workloads : -1;
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
	size_t count = 0;

	/* One more than none: calloc(0) may be NULL. */
	attachments = calloc(count_interfaces(registry) + 1, sizeof(*attachments));
	if (!attachments)
		return -ENOMEM;
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct workload *workload = registry_at(registry, i);

		for (size_t j = 0; j < workload->interfaces_count; j++) {
			if (!workload->interfaces[j].ifindex || workload->host_network)
				continue;
			attachments[count].workload = model_index(model, workload);
			if (fill_attachment(&attachments[count++], workload,
				    &workload->interfaces[j]) < 0) {
				attachments_free(attachments, count);
				return -ENOMEM;
			}
		}
	}
	qsort(attachments, count, sizeof(*attachments), compare_attachments);
	*ret = attachments;
	*ret_count = count;
	return 0;
}

void attachment_clear(struct attachment *attachment)
{
	free(attachment->addresses);
	free(attachment->netns);
}

void attachments_free(struct attachment *attachments, size_t count)
{
	for (size_t i = 0; i < count; i++)
		attachment_clear(&attachments[i]);
	free(attachments);
}
