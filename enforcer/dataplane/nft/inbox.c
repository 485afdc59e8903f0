/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Of the longest event of conntrack several times over; no power of two, for then all messages
 * would want the same few lines of the processor's cache. */
#define SLOT_BYTES (2048 + 64)

struct inbox {
	struct mmsghdr headers[INBOX_SIZE];
	struct iovec parts[INBOX_SIZE];
	_Alignas(struct nlmsghdr) char slots[INBOX_SIZE][SLOT_BYTES];
};

struct inbox *inbox_new(void)
{
	struct inbox *inbox = calloc(1, sizeof(*inbox));

	for (size_t i = 0; inbox && i < INBOX_SIZE; i++) {
		inbox->parts[i] = (struct iovec){inbox->slots[i], SLOT_BYTES};
		inbox->headers[i].msg_hdr.msg_iov = &inbox->parts[i];
		inbox->headers[i].msg_hdr.msg_iovlen = 1;
	}
	return inbox;
}

void inbox_free(struct inbox *inbox)
{
	free(inbox);
}

static int read_slot(const struct inbox *inbox, size_t i, mnl_cb_t callback, void *userdata)
{
	if (inbox->headers[i].msg_hdr.msg_flags & MSG_TRUNC)
		return -ENOBUFS;
	return mnl_cb_run(inbox->slots[i], inbox->headers[i].msg_len, 0, 0, callback, userdata) < 0
		       ? -errno
		       : 0;
}

int inbox_receive(struct inbox *inbox, struct mnl_socket *socket, mnl_cb_t callback, void *userdata)
{
	int count =
		recvmmsg(mnl_socket_get_fd(socket), inbox->headers, INBOX_SIZE, MSG_DONTWAIT, NULL);
	int result = 0;

	if (count < 0)
		return -errno;
	for (size_t i = 0; i < (size_t)count; i++) {
		int r = read_slot(inbox, i, callback, userdata);

		/* What was lost is more than what could not be read. */
		if (r == -ENOBUFS || !result)
			result = r;
	}
	return !result && count < INBOX_SIZE ? 1 : result;
}
