/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interfaces that the policy in force knows. */
#pragma once

#include "dataplane/attachment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attached {
	uint32_t ifindex;
	char name[16];
	bool guard; /* its workload is not known */
};

struct attached_list {
	struct attached *items; /* by ifindex */
	size_t count;
};

/* attachments: by ifindex. 0 or -ENOMEM. */
int attached_copy(const struct attachment *attachments, size_t count, struct attached_list *ret);
const struct attached *attached_find(const struct attached_list *list, uint32_t ifindex);
/* Addresses of attachments that the list does not have, and that may have connections from before.
 * *ret: to be freed. -ENOMEM. */
int attached_newcomers(const struct attached_list *list, const struct attachment *attachments,
	size_t count, struct address **ret, size_t *ret_count);
void attached_clear(struct attached_list *list);
