/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/batch.h"

#include "base/cleanup.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/watch.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RECEIVE_BYTES   ((size_t)(64 << 10))
#define EXPLANATION_MAX 640
/* From here on the kernel's announcements cost more than asking afterwards who was there. */
#define LARGE_BYTES ((size_t)(256 << 10))

struct batch {
	char *data;
	size_t used;
	size_t size;
	char **descriptions; /* of message i, whose sequence number is i + 1 */
	size_t count;
	size_t descriptions_size;
	uint16_t family;
	const char *table;
	bool rewriting;
	batch_explain_fn explain;
	void *explain_userdata;
};

static uint32_t commits;

static int reserve(struct batch *batch)
{
	size_t size = batch->size ? batch->size : 2 * BATCH_MESSAGE_MAX;
	char *data;

	while (size < batch->used + BATCH_MESSAGE_MAX)
		size *= 2;
	if (size == batch->size)
		return 0;
	data = realloc(batch->data, size);
	if (!data)
		return -ENOMEM;
	batch->data = data;
	batch->size = size;
	return 0;
}

int batch_new(struct batch **ret)
{
	_cleanup_(batch_freep) struct batch *batch = calloc(1, sizeof(*batch));

	if (!batch || reserve(batch) < 0)
		return -ENOMEM;
	batch->family = NFPROTO_INET;
	batch->table = LAYOUT_TABLE;
	batch->used = MNL_ALIGN(nftnl_batch_begin(batch->data, 0)->nlmsg_len);
	*ret = TAKE_PTR(batch);
	return 0;
}

void batch_set_family(struct batch *batch, uint16_t family)
{
	batch->family = family;
}

void batch_set_table(struct batch *batch, const char *table)
{
	batch->table = table;
}

const char *batch_table(const struct batch *batch)
{
	return batch->table;
}

void batch_set_rewriting(struct batch *batch, bool rewriting)
{
	batch->rewriting = rewriting;
}

bool batch_is_rewriting(const struct batch *batch)
{
	return batch->rewriting;
}

void batch_set_explain(struct batch *batch, batch_explain_fn explain, void *userdata)
{
	batch->explain = explain;
	batch->explain_userdata = userdata;
}

uint32_t batch_commits(void)
{
	return commits;
}

void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	for (size_t i = 0; i < batch->count; i++)
		free(batch->descriptions[i]);
	free(batch->descriptions);
	free(batch->data);
	free(batch);
}

static int describe(struct batch *batch, const char *format, va_list arguments)
{
	char *text;

	if (batch->count == batch->descriptions_size) {
		size_t size = batch->descriptions_size ? 2 * batch->descriptions_size : 64;
		char **descriptions =
			reallocarray(batch->descriptions, size, sizeof(*descriptions));

		if (!descriptions)
			return -ENOMEM;
		batch->descriptions = descriptions;
		batch->descriptions_size = size;
	}
	if (vasprintf(&text, format, arguments) < 0)
		return -ENOMEM;
	batch->descriptions[batch->count++] = text;
	return 0;
}

struct nlmsghdr *batch_message(struct batch *batch, uint16_t type, uint16_t family, uint16_t flags,
	const char *format, ...)
{
	va_list arguments;
	int r;

	if (reserve(batch) < 0)
		return NULL;
	va_start(arguments, format);
	r = describe(batch, format, arguments);
	va_end(arguments);
	if (r < 0)
		return NULL;
	if (family == BATCH_FAMILY)
		family = batch->family;
	return nftnl_nlmsg_build_hdr(
		batch->data + batch->used, type, family, flags, (uint32_t)batch->count);
}

void batch_message_done(struct batch *batch)
{
	const struct nlmsghdr *message = (void *)(batch->data + batch->used);

	batch->used += MNL_ALIGN(message->nlmsg_len);
}

size_t batch_count(const struct batch *batch)
{
	return batch->count;
}

size_t batch_bytes(const struct batch *batch)
{
	return batch->used;
}

static struct nlmsghdr *find_message(const struct batch *batch, uint32_t sequence)
{
	struct nlmsghdr *message = (void *)batch->data;
	int left = (int)batch->used;

	while (mnl_nlmsg_ok(message, left) && message->nlmsg_seq != sequence)
		message = mnl_nlmsg_next(message, &left);
	return mnl_nlmsg_ok(message, left) ? message : NULL;
}

/* The kernel answers messages in order and repeats nothing behind the last one's answer. */
static void request_last_ack(struct batch *batch)
{
	struct nlmsghdr *message = find_message(batch, (uint32_t)batch->count);

	if (message)
		message->nlmsg_flags |= NLM_F_ACK;
}

static const char *description(const struct batch *batch, uint32_t sequence)
{
	return sequence && sequence <= batch->count ? batch->descriptions[sequence - 1]
						    : "transaction";
}

struct extended {
	uint32_t offset;
	const char *text; /* the kernel's own words, or NULL */
};

static int read_extended(const struct nlattr *attribute, void *userdata)
{
	struct extended *extended = userdata;

	switch (mnl_attr_get_type(attribute)) {
	case NLMSGERR_ATTR_OFFS:
		extended->offset = mnl_attr_get_u32(attribute);
		break;
	case NLMSGERR_ATTR_MSG:
		extended->text = mnl_attr_get_str(attribute);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

/* NETLINK_EXT_ACK, Documentation/userspace-api/netlink/intro.rst of Linux. NETLINK_CAP_ACK is set,
 * so attributes follow at once. */
static int take_refusal(
	const struct batch *batch, const struct nlmsghdr *answer, struct error *error)
{
	const struct nlmsgerr *refusal = mnl_nlmsg_get_payload(answer);
	const struct nlmsghdr *message = find_message(batch, answer->nlmsg_seq);
	struct extended extended = {0};
	char text[EXPLANATION_MAX];
	const char *words = description(batch, answer->nlmsg_seq);

	if (answer->nlmsg_flags & NLM_F_ACK_TLVS)
		mnl_attr_parse(answer, sizeof(*refusal), read_extended, &extended);
	if (batch->explain && message &&
		batch->explain(
			message, extended.offset, text, sizeof(text), batch->explain_userdata))
		words = text;
	return error_errno(error, refusal->error, "nftables refused %s%s%s", words,
		extended.text ? ": " : "", extended.text ? extended.text : "");
}

/* 1: that was the last answer; 0: more to come. Keeps the first refusal in *failure. */
static int take_answer(const struct batch *batch, const struct nlmsghdr *message, int *failure,
	struct error *error)
{
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(message);

	if (answer->error && !*failure)
		*failure = take_refusal(batch, message, error);
	return message->nlmsg_seq == batch->count || !message->nlmsg_seq;
}

static int take_answers(const struct batch *batch, const char *buffer, ssize_t length,
	mnl_cb_t echo, void *userdata, int *failure, struct error *error)
{
	const struct nlmsghdr *message = (const void *)buffer;
	int left = (int)length, done = 0;

	while (mnl_nlmsg_ok(message, left)) {
		if (message->nlmsg_type == NLMSG_ERROR) {
			done |= take_answer(batch, message, failure, error);
		} else if (echo && !*failure && message->nlmsg_type >= NLMSG_MIN_TYPE) {
			int r = echo(message, userdata);

			if (r < 0)
				*failure = error_errno(error, r, "read notification");
		}
		message = mnl_nlmsg_next(message, &left);
	}
	return done;
}

static int receive(const struct batch *batch, struct mnl_socket *socket, mnl_cb_t echo,
	void *userdata, struct error *error)
{
	_cleanup_free_ char *buffer = malloc(RECEIVE_BYTES);
	int failure = 0, done = 0;

	if (!buffer)
		return error_nomem(error);
	while (!done) {
		ssize_t length = mnl_socket_recvfrom(socket, buffer, RECEIVE_BYTES);

		if (length < 0 && errno == EINTR)
			continue;
		/* Answers were lost: whatever came first says more than that. */
		if (length < 0)
			return failure ? failure
				       : error_errno(error, -errno, "receive nftables' answer");
		done = take_answers(batch, buffer, length, echo, userdata, &failure, error);
	}
	return failure;
}

/* The kernel works through the whole transaction before this returns. */
static int send_quietly(const struct batch *batch, struct mnl_socket *socket)
{
	bool large = batch->used >= LARGE_BYTES;
	int r;

	if (large)
		watch_pause();
	r = mnl_socket_sendto(socket, batch->data, batch->used) < 0 ? -errno : 0;
	if (large)
		watch_resume();
	return r;
}

int batch_send(struct batch *batch, struct mnl_socket *socket, mnl_cb_t echo, void *userdata,
	struct error *error)
{
	int descriptor = mnl_socket_get_fd(socket), bytes, r;

	if (!batch->count)
		return 0;
	if (reserve(batch) < 0)
		return error_nomem(error);
	request_last_ack(batch);
	batch->used += MNL_ALIGN(
		nftnl_batch_end(batch->data + batch->used, (uint32_t)batch->count + 1)->nlmsg_len);
	/* The kernel doubles it; netlink wants the whole message within it. */
	bytes = (int)batch->used + 4096;
	(void)setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	r = send_quietly(batch, socket);
	if (r < 0)
		return error_errno(error, r, "send %zu nftables messages (%zu bytes)", batch->count,
			batch->used);
	r = receive(batch, socket, echo, userdata, error);
	commits += !r;
	return r;
}
