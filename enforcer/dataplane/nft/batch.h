/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One nftables transaction: messages that the kernel takes all together or not at all.
 *
 *	message = batch_message(batch, NFT_MSG_NEWCHAIN, NFPROTO_INET, NLM_F_CREATE, "chain %s", x);
 *	if (!message)
 *		return -ENOMEM;
 *	nftnl_chain_nlmsg_build_payload(message, chain);
 *	batch_message_done(batch);
 *
 * Whatever the kernel refuses is named by the words that were given with its message.
 */
#pragma once

#include "base/error.h"

/* Before linux/netfilter.h, which everybody here needs too and which declares the same. */
#include <netinet/in.h>

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch;

/* A message must not exceed it, and no attribute 64 KiB. */
#define BATCH_MESSAGE_MAX ((size_t)(72 << 10))

int batch_new(struct batch **ret);
void batch_free(struct batch *batch);

/* The family of messages that are begun with BATCH_FAMILY; NFPROTO_INET unless told. */
#define BATCH_FAMILY UINT16_MAX
void batch_set_family(struct batch *batch, uint16_t family);

/* The table that chains, sets and rules are written to; LAYOUT_TABLE unless told. Borrowed. */
void batch_set_table(struct batch *batch, const char *table);
const char *batch_table(const struct batch *batch);

/* What is declared in such a batch is there already, perhaps with other contents: chains lose their
 * rules and sets their elements before new ones come. */
void batch_set_rewriting(struct batch *batch, bool rewriting);
bool batch_is_rewriting(const struct batch *batch);

/* Words for what was refused, instead of the description that was given with the message. offset:
 * of the mistake in the message, 0: the kernel did not say. False: leaves it at the description. */
typedef bool (*batch_explain_fn)(
	const struct nlmsghdr *message, size_t offset, char *text, size_t size, void *userdata);
void batch_set_explain(struct batch *batch, batch_explain_fn explain, void *userdata);

/* Transactions that this process has carried through. Each raises the kernel's generation of the
 * ruleset by one. */
uint32_t batch_commits(void);

/* Starts a message. Valid until batch_message_done(). NULL: out of memory. */
struct nlmsghdr *batch_message(struct batch *batch, uint16_t type, uint16_t family, uint16_t flags,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
void batch_message_done(struct batch *batch);

/* Messages between begin and end; how many bytes will be sent. */
size_t batch_count(const struct batch *batch);
size_t batch_bytes(const struct batch *batch);

/*
 * Sends everything in one system call and waits for the kernel's word. An empty batch is 0 without
 * a call. echo (may be NULL) is called for notifications of messages that carry NLM_F_ECHO; a
 * negative return value of it is passed on. On failure nothing has changed in the kernel.
 */
int batch_send(struct batch *batch, struct mnl_socket *socket, mnl_cb_t echo, void *userdata,
	struct error *error);

static inline void batch_freep(struct batch **batch)
{
	batch_free(*batch);
}
