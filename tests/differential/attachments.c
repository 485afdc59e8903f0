// SPDX-License-Identifier: GPL-2.0-or-later
#include "attachments.h"

#include <stdlib.h>
#include <string.h>

static int compare_interfaces(const void *a, const void *b)
{
	const struct attachment *first = a, *second = b;

	return (first->ifindex > second->ifindex) - (first->ifindex < second->ifindex);
}

size_t attachments_list(const struct network *network, const struct scenario *scenario,
	struct attachment attachments[static PLACE_WORKLOADS])
{
	size_t count = 0;

	for (unsigned int place = 0; place < PLACE_WORKLOADS; place++) {
		const struct netns_interface *interface = network->interfaces[place];
		struct attachment *attachment = &attachments[count];
		const struct model_workload *workload;

		if (scenario->subjects[place] < 0)
			continue;
		workload = &scenario->model->workloads[scenario->subjects[place]];
		*attachment = (struct attachment){
			.ifindex = interface->peer,
			.addresses = workload->addresses,
			.addresses_count = workload->addresses_count,
			.workload = scenario->subjects[place],
		};
		memcpy(attachment->name, interface->peer_name, sizeof(attachment->name));
		memcpy(attachment->mac, interface->mac, sizeof(attachment->mac));
		count++;
	}
	qsort(attachments, count, sizeof(*attachments), compare_interfaces);
	return count;
}
