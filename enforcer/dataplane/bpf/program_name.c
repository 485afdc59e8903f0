/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/program_name.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <string.h>

static bool get_name(uint32_t id, char name[static BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return false;
	memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	return true;
}

bool program_has_name(uint32_t id, const char *name)
{
	char own[BPF_OBJ_NAME_LEN];

	return get_name(id, own) && strcmp(own, name) == 0;
}

bool program_is_early(uint32_t id)
{
	char own[BPF_OBJ_NAME_LEN];

	return get_name(id, own) && (!strcmp(own, "early_tc") || !strcmp(own, "early_leave"));
}
