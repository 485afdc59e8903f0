/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/watch.h"

#include "base/cleanup.h"
#include "dataplane/nft/batch.h"
#include "dataplane/nft/layout.h"
#include "dataplane/nft/netlink.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <utlist.h>

#define READS_PER_WAKE 256
#define REQUEST_BYTES  256

/* The first attribute of whatever is in a table names the table (NFTA_CHAIN_TABLE etc.). */
#define TABLE_ATTRIBUTE NFTA_TABLE_NAME

struct watch {
	struct watch_scope scope;
	watch_fn callback;
	void *userdata;
	struct mnl_socket *socket; /* for questions */
	struct mnl_socket *events;
	sd_event_source *source;
	sd_event_source *doubt;   /* enabled where not everything was listened to */
	struct intrusion pending; /* of the transaction whose announcements are coming in */
	uint32_t generation;      /* from which on transactions are counted */
	uint32_t own;             /* batch_commits() at that generation */
	uint32_t others;          /* transactions of somebody else that were heard of since */
	uint64_t overruns;
	bool foreign; /* somebody else made a transaction since this was last false */
	struct watch *prev, *next;
};

static struct watch *watches; /* of this process */

struct generation {
	uint32_t id;
	uint32_t pid;
	char name[32];
};

static int read_attribute(const struct nlattr *attribute, void *userdata)
{
	struct generation *generation = userdata;

	switch (mnl_attr_get_type(attribute)) {
	case NFTA_GEN_ID:
		generation->id = ntohl(mnl_attr_get_u32(attribute));
		break;
	case NFTA_GEN_PROC_PID:
		generation->pid = ntohl(mnl_attr_get_u32(attribute));
		break;
	case NFTA_GEN_PROC_NAME:
		snprintf(generation->name, sizeof(generation->name), "%s",
			mnl_attr_get_str(attribute));
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int read_generation(const struct nlmsghdr *message, void *userdata)
{
	return mnl_attr_parse(message, sizeof(struct nfgenmsg), read_attribute, userdata);
}

static int ask_generation(struct watch *watch, uint32_t *ret)
{
	struct generation generation = {0};
	char buffer[REQUEST_BYTES];
	int r = netlink_query(watch->socket,
		nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETGEN, AF_UNSPEC, NLM_F_ACK, 0),
		read_generation, &generation);

	if (!r)
		*ret = generation.id;
	return r;
}

static int find_table(const struct nlattr *attribute, void *userdata)
{
	if (mnl_attr_get_type(attribute) != TABLE_ATTRIBUTE)
		return MNL_CB_OK;
	*(const char **)userdata = mnl_attr_get_str(attribute);
	return MNL_CB_STOP;
}

/* Rules and elements of what is ours are written again in place; other things have to go. */
static enum table_damage damage_of(uint16_t type)
{
	switch (type) {
	case NFT_MSG_DELTABLE:
		return TABLE_REMOVED;
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_NEWSET:
	case NFT_MSG_NEWOBJ:
	case NFT_MSG_NEWFLOWTABLE:
		return TABLE_EXTENDED;
	default:
		return TABLE_EDITED;
	}
}

static void take_change(struct watch *watch, const struct nlmsghdr *message)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	struct intrusion *pending = &watch->pending;
	const char *table = "";

	mnl_attr_parse(message, sizeof(*header), find_table, &table);
	if (header->nfgen_family == NFPROTO_NETDEV && !strcmp(table, LAYOUT_TABLE))
		pending->netdev = watch->scope.netdev;
	if (header->nfgen_family != NFPROTO_INET || strcmp(table, watch->scope.table) != 0)
		return;
	if (!pending->inet || damage_of(message->nlmsg_type & 0xff) > pending->damage)
		pending->damage = damage_of(message->nlmsg_type & 0xff);
	pending->inet = true;
}

static void tell(struct watch *watch, const struct generation *generation)
{
	struct intrusion intrusion = watch->pending;

	watch->pending = (struct intrusion){0};
	if (!intrusion.inet && !intrusion.netdev)
		return;
	intrusion.table = watch->scope.table;
	if (generation && generation->pid)
		snprintf(intrusion.who, sizeof(intrusion.who), "%s (pid %u)", generation->name,
			generation->pid);
	else
		snprintf(intrusion.who, sizeof(intrusion.who), WATCH_SOMEBODY);
	watch->callback(&intrusion, watch->userdata);
}

static void end_transaction(struct watch *watch, const struct nlmsghdr *message, bool own)
{
	struct generation generation = {0};

	read_generation(message, &generation);
	/* Not one that was known before its announcement was read. */
	if ((int32_t)(generation.id - watch->generation) > 0)
		watch->others += !own;
	watch->foreign |= !own;
	if (!own)
		tell(watch, &generation);
}

static int read_event(const struct nlmsghdr *message, void *userdata)
{
	bool own = netlink_is_own(message->nlmsg_pid);
	struct watch *watch = userdata;

	if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
		return MNL_CB_OK;
	if ((message->nlmsg_type & 0xff) == NFT_MSG_NEWGEN)
		end_transaction(watch, message, own);
	/* Without a sender: the kernel took away what hung on an interface that is gone. */
	else if (!own && message->nlmsg_pid)
		take_change(watch, message);
	return MNL_CB_OK;
}

/* Reads up to where nothing waits, then lets the generation say whether anybody was missed.
 * Somebody whose transaction ends here may have begun it where announcements were lost. */
static void recover(struct watch *watch)
{
	uint32_t generation = 0, commits = batch_commits();
	bool alone;
	int r;

	watch->foreign = false;
	do
		r = netlink_receive(watch->events, read_event, watch);
	while (!r || r == -ENOBUFS);
	r = ask_generation(watch, &generation);
	alone = !r && !watch->foreign &&
		generation - watch->generation == commits - watch->own + watch->others;
	if (!r) {
		watch->generation = generation;
		watch->own = commits;
		watch->others = 0;
	}
	if (alone)
		return;
	watch->pending = (struct intrusion){
		.inet = true,
		.damage = TABLE_EDITED,
		.netdev = watch->scope.netdev,
		.overrun = true,
	};
	tell(watch, NULL);
}

static int on_event(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct watch *watch = userdata;
	int r = 0;

	(void)source;
	(void)fd;
	(void)events;
	for (unsigned int i = 0; !r && i < READS_PER_WAKE; i++)
		r = netlink_receive(watch->events, read_event, watch);
	if (r == -ENOBUFS) {
		watch->overruns++;
		recover(watch);
	}
	return 0;
}

static int on_doubt(sd_event_source *source, void *userdata)
{
	(void)source;
	recover(userdata);
	return 0;
}

static int add_sources(struct watch *watch, sd_event *event)
{
	int r = sd_event_add_io(
		event, &watch->source, mnl_socket_get_fd(watch->events), EPOLLIN, on_event, watch);

	if (r >= 0)
		r = sd_event_add_defer(event, &watch->doubt, on_doubt, watch);
	if (r >= 0)
		r = sd_event_source_set_enabled(watch->doubt, SD_EVENT_OFF);
	/* Before whatever else waits: nothing is refused while our table is away. */
	if (r >= 0)
		r = sd_event_source_set_priority(watch->source, SD_EVENT_PRIORITY_IMPORTANT);
	if (r >= 0)
		r = sd_event_source_set_priority(watch->doubt, SD_EVENT_PRIORITY_IMPORTANT);
	return r;
}

int watch_open(sd_event *event, const struct watch_scope *scope, watch_fn callback, void *userdata,
	struct watch **ret, struct error *error)
{
	static const int groups[] = {NFNLGRP_NFTABLES, 0};
	_cleanup_(watch_freep) struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return error_nomem(error);
	watch->scope = *scope;
	watch->callback = callback;
	watch->userdata = userdata;
	r = netlink_open(&watch->socket, error);
	if (!r)
		r = netlink_open_events(groups, &watch->events, error);
	if (r < 0)
		return r;
	watch->own = batch_commits();
	r = ask_generation(watch, &watch->generation);
	if (r < 0)
		return error_errno(error, r, "ask for the generation of nftables' ruleset");
	r = add_sources(watch, event);
	if (r < 0)
		return error_errno(error, r, "watch nftables");
	DL_APPEND(watches, watch);
	*ret = TAKE_PTR(watch);
	return 0;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	/* Not listed before watch_open() is through. */
	if (watch->prev)
		DL_DELETE(watches, watch);
	sd_event_source_disable_unref(watch->source);
	sd_event_source_disable_unref(watch->doubt);
	netlink_closep(&watch->events);
	netlink_closep(&watch->socket);
	free(watch);
}

/* Membership cannot be refused to who has been a member, and leaving to nobody. */
static void set_membership(const struct watch *watch, int option)
{
	int group = NFNLGRP_NFTABLES;

	(void)mnl_socket_setsockopt(watch->events, option, &group, sizeof(group));
}

void watch_pause(void)
{
	struct watch *watch;

	DL_FOREACH (watches, watch)
		set_membership(watch, NETLINK_DROP_MEMBERSHIP);
}

void watch_resume(void)
{
	struct watch *watch;

	DL_FOREACH (watches, watch) {
		set_membership(watch, NETLINK_ADD_MEMBERSHIP);
		/* Not here: the answer to an intrusion is a change, and one is being made. */
		(void)sd_event_source_set_enabled(watch->doubt, SD_EVENT_ONESHOT);
	}
}

uint64_t watch_overruns(const struct watch *watch)
{
	return watch->overruns;
}
