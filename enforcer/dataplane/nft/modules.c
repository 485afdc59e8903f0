/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/modules.h"

#include "base/cleanup.h"

#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const char *const modules[] = {"br_netfilter", "nf_conntrack"};

/* Whoever asks for an interface that does not exist makes the kernel run modprobe for a module of
 * that name (dev_load() in net/core/dev_ioctl.c). So the administrator's modprobe and its
 * configuration hold, and the agent starts no process. */
void modules_load(void)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(modules); i++) {
		struct ifreq request = {0};

		snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", modules[i]);
		(void)ioctl(fd, SIOCGIFFLAGS, &request);
	}
}
