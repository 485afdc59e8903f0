/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "backlog.h"

#include "base/cleanup.h"

#include <stdlib.h>

#define RECORDS_MAX 64

struct backlog {
	struct engine *engine;
	sd_event_source *source; /* enabled while some wait */
	size_t count;
	struct record records[RECORDS_MAX];
};

DEFINE_CLEANUP(struct backlog *, backlog_free)

static int on_waiting(sd_event_source *source, void *userdata)
{
	(void)source;
	backlog_settle(userdata);
	return 0;
}

int backlog_new(sd_event *event, struct engine *engine, struct backlog **ret, struct error *error)
{
	_cleanup_(backlog_freep) struct backlog *backlog = calloc(1, sizeof(*backlog));
	int r;

	if (!backlog)
		return error_nomem(error);
	backlog->engine = engine;
	r = sd_event_add_defer(event, &backlog->source, on_waiting, backlog);
	if (r >= 0)
		r = sd_event_source_set_priority(backlog->source, SD_EVENT_PRIORITY_IMPORTANT);
	if (r >= 0)
		r = sd_event_source_set_enabled(backlog->source, SD_EVENT_OFF);
	if (r < 0)
		return error_errno(error, r, "wait for flow records");
	*ret = TAKE_PTR(backlog);
	return 0;
}

void backlog_free(struct backlog *backlog)
{
	if (!backlog)
		return;
	backlog_settle(backlog);
	sd_event_source_disable_unref(backlog->source);
	free(backlog);
}

void backlog_settle(struct backlog *backlog)
{
	for (size_t i = 0; i < backlog->count; i++) {
		engine_record(backlog->engine, &backlog->records[i]);
		record_clear(&backlog->records[i]);
	}
	backlog->count = 0;
}

void backlog_add(struct backlog *backlog, const struct record *record)
{
	if (backlog->count == RECORDS_MAX)
		backlog_settle(backlog);
	if (!backlog->count)
		sd_event_source_set_enabled(backlog->source, SD_EVENT_ONESHOT);
	backlog->records[backlog->count++] = record_copy(record);
}
