/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/tcp_sockets.h"

#include "base/cleanup.h"
#include "xdp/segd_tcp.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(struct segd_tcp_bpf *, segd_tcp_bpf__destroy)

/* Of our own: what the library keeps of programs besides is not needed once they are attached. */
static int attach(const struct bpf_program *program, int *ret_link, struct error *error)
{
	int link = bpf_raw_tracepoint_open(NULL, bpf_program__fd(program));

	if (link < 0)
		return error_errno(error, link, "attach %s", bpf_program__name(program));
	*ret_link = link;
	return 0;
}

static int open_programs(
	struct tcp_sockets *sockets, const struct objects *objects, struct error *error)
{
	_cleanup_(segd_tcp_bpf__destroyp) struct segd_tcp_bpf *skeleton = segd_tcp_bpf__open();
	int r;

	if (!skeleton)
		return error_errno(error, -errno, "read the BPF programs");
	r = bpf_map__reuse_fd(skeleton->maps.connections, objects->maps.connections);
	if (r < 0)
		return error_errno(error, r, "use table connections again");
	r = segd_tcp_bpf__load(skeleton);
	if (r < 0)
		return error_errno(error, r, "load the BPF programs that ask sockets");
	r = attach(skeleton->progs.segd_tcp_state, &sockets->links[0], error);
	return r < 0 ? r : attach(skeleton->progs.segd_tcp_retransmit, &sockets->links[1], error);
}

void tcp_sockets_open(struct tcp_sockets *sockets, const struct objects *objects)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (open_programs(sockets, objects, &error) == 0)
		return;
	tcp_sockets_close(sockets);
	sockets->missing = strdup(error_message(&error));
}

void tcp_sockets_close(struct tcp_sockets *sockets)
{
	for (size_t i = 0; i < ARRAY_SIZE(sockets->links); i++)
		closep(&sockets->links[i]);
	free(sockets->missing);
	*sockets = (struct tcp_sockets)TCP_SOCKETS_INIT;
}
