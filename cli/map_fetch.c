/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map_fetch.h"

#include "base/clock.h"
#include "flow/timestamp.h"
#include "map.h"
#include "map_diff.h"
#include "text.h"
#include "url.h"

#include <string.h>

#define MINUTE_NS  (60 * NS_PER_SECOND)
#define DEFAULT_NS (1440 * MINUTE_NS) /* of an interval that nobody gave: a day */

struct interval {
	uint64_t since_ns;
	uint64_t until_ns;
};

static uint64_t parse_moment(const struct map_request *request, const char *text, uint64_t now_ns)
{
	uint64_t time_ns;

	if (timestamp_parse(text, now_ns, &time_ns) < 0)
		usage_error(request->filter->settings,
			"--diff \"%s\": expected SINCE or SINCE..UNTIL, such as 2d..1d or "
			"2026-11-20T00:00:00Z",
			text);
	return time_ns;
}

/* The past is known by the minute, so two intervals that meet do so at a whole one. */
static uint64_t whole_minute(uint64_t time_ns)
{
	return time_ns / MINUTE_NS * MINUTE_NS;
}

static struct interval interval_after(const struct map_request *request, uint64_t now_ns)
{
	const struct filter *filter = request->filter;
	struct interval after = {.since_ns = now_ns - DEFAULT_NS, .until_ns = now_ns};

	/* Both were checked when they were given. */
	if (filter->until)
		timestamp_parse(filter->until, now_ns, &after.until_ns);
	if (filter->since)
		timestamp_parse(filter->since, now_ns, &after.since_ns);
	else if (filter->until)
		after.since_ns = after.until_ns - DEFAULT_NS;
	after.since_ns = whole_minute(after.since_ns);
	return after;
}

static struct interval interval_before(
	const struct map_request *request, const struct interval *after, uint64_t now_ns)
{
	struct interval before = {
		.since_ns = whole_minute(after->since_ns - (after->until_ns - after->since_ns)),
		.until_ns = after->since_ns};
	const char *dots = request->with ? strstr(request->with, "..") : NULL;
	_cleanup_free_ char *since = NULL;

	if (!request->with)
		return before;
	since = dots ? must(strndup(request->with, (size_t)(dots - request->with)))
		     : text_format("%s", request->with);
	before.since_ns = parse_moment(request, since, now_ns);
	if (dots)
		before.until_ns = parse_moment(request, dots + 2, now_ns);
	return before;
}

static int fetch(struct client *client, const struct map_request *request, const char *url,
	json_t **ret, struct error *error)
{
	json_t *map, *grouped;
	int code = client_get(client, url, &map, error);

	if (code < 0)
		return code;
	if (request->group) {
		grouped = map_group(map, request->group);
		json_decref(map);
		map = grouped;
	}
	*ret = map;
	return 0;
}

static int fetch_interval(struct client *client, const struct map_request *request,
	const struct interval *interval, json_t **ret, struct error *error)
{
	_cleanup_free_ char *url = text_format("%s", request->filter->url_of_any_time);
	char since[TIMESTAMP_LENGTH + 1], until[TIMESTAMP_LENGTH + 1];

	url_query(&url, "since", timestamp_format(interval->since_ns, since));
	url_query(&url, "until", timestamp_format(interval->until_ns, until));
	return fetch(client, request, url, ret, error);
}

static json_t *interval_to_json(const struct interval *interval)
{
	char since[TIMESTAMP_LENGTH + 1], until[TIMESTAMP_LENGTH + 1];

	return json_pack("{s:s, s:s}", "since", timestamp_format(interval->since_ns, since),
		"until", timestamp_format(interval->until_ns, until));
}

static int fetch_diff(
	struct client *client, const struct map_request *request, json_t **ret, struct error *error)
{
	uint64_t now_ns = timestamp_now_ns();
	struct interval after = interval_after(request, now_ns);
	struct interval before = interval_before(request, &after, now_ns);
	_cleanup_json_ json_t *map_before = NULL, *map_after = NULL;
	json_t *diff;
	int code;

	if (after.since_ns >= after.until_ns)
		usage_error(request->filter->settings, "--since is not before --until");
	if (before.since_ns >= before.until_ns)
		usage_error(request->filter->settings,
			"--diff compares with an interval that ends before it begins");
	code = fetch_interval(client, request, &before, &map_before, error);
	if (code == 0)
		code = fetch_interval(client, request, &after, &map_after, error);
	if (code < 0)
		return code;
	diff = map_diff(map_before, map_after);
	json_object_set_new(json_object_get(diff, "diff"), "before", interval_to_json(&before));
	json_object_set_new(json_object_get(diff, "diff"), "after", interval_to_json(&after));
	*ret = diff;
	return 0;
}

int map_fetch(
	struct client *client, const struct map_request *request, json_t **ret, struct error *error)
{
	if (request->diff)
		return fetch_diff(client, request, ret, error);
	return fetch(client, request, request->filter->url, ret, error);
}
