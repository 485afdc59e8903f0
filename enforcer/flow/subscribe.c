/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/subscribe.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

struct flow_subscription {
	struct subscribers *subscribers;
	struct flow_filter *filter;
	void (*record)(const char *line, size_t length, void *userdata); /* NULL: freed */
	void *userdata;
	struct flow_subscription *prev, *next;
};

int subscribers_add(struct subscribers *subscribers, struct flow_filter *filter,
	void (*record)(const char *line, size_t length, void *userdata), void *userdata,
	struct flow_subscription **ret)
{
	struct flow_subscription *subscription = calloc(1, sizeof(*subscription));

	if (!subscription)
		return -ENOMEM;
	subscription->subscribers = subscribers;
	subscription->filter = filter;
	subscription->record = record;
	subscription->userdata = userdata;
	DL_APPEND(subscribers->first, subscription);
	subscribers->count++;
	*ret = subscription;
	return 0;
}

static void unlink_subscription(struct flow_subscription *subscription)
{
	DL_DELETE(subscription->subscribers->first, subscription);
	flow_filter_free(subscription->filter);
	free(subscription);
}

void flow_subscription_free(struct flow_subscription *subscription)
{
	if (!subscription)
		return;
	subscription->record = NULL;
	subscription->subscribers->count--;
	if (!subscription->subscribers->dispatching)
		unlink_subscription(subscription);
}

static bool wants(const struct flow_subscription *subscription, const struct record *record)
{
	return subscription->record &&
	       filter_matches(subscription->filter, record, record->event.time_ns);
}

bool subscribers_want(const struct subscribers *subscribers, const struct record *record)
{
	const struct flow_subscription *subscription;

	DL_FOREACH (subscribers->first, subscription)
		if (wants(subscription, record))
			return true;
	return false;
}

void subscribers_dispatch(struct subscribers *subscribers, const struct record *record,
	const char *line, size_t length)
{
	struct flow_subscription *subscription, *next;

	subscribers->dispatching++;
	DL_FOREACH (subscribers->first, subscription)
		if (wants(subscription, record))
			subscription->record(line, length, subscription->userdata);
	if (--subscribers->dispatching)
		return;
	DL_FOREACH_SAFE (subscribers->first, subscription, next)
		if (!subscription->record)
			unlink_subscription(subscription);
}

void subscribers_clear(struct subscribers *subscribers)
{
	while (subscribers->first)
		flow_subscription_free(subscribers->first);
}
