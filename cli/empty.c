/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "empty.h"

#include "clock.h"
#include "output.h"
#include "record.h"
#include "text.h"

/* Without a time it is what the agent saw since it was started. */
static char *since_start(const struct settings *settings, const json_t *status)
{
	const char *started = field_text(status, "started");
	_cleanup_free_ char *time = NULL;

	if (!*started)
		return text_format("%s", "");
	time = clock_format_moment(settings, started);
	return text_format(" since the agent started at %s", time);
}

void empty_print(struct client *client, const struct filter *filter, const char *what)
{
	_cleanup_free_ char *time = filter_time(filter), *policies = NULL, *workloads = NULL;
	_cleanup_json_ json_t *status = NULL;

	if (filter->narrowed) {
		printf("no %s match these filters%s\n", what, time);
		return;
	}
	if (!client || client_get(client, "/v1/status", &status, NULL) < 0) {
		printf("no %s%s\n", what, time);
		return;
	}
	if (!*time) {
		free(time);
		time = since_start(filter->settings, status);
	}
	policies = output_plural(
		field_number(status, "policies"), "policy enforces", "policies enforce");
	workloads = output_plural(field_number(status, "workloads"), "workload", "workloads");
	if (field_number(status, "policies") == 0)
		printf("no %s%s; no policy selects any of %s\n", what, time, workloads);
	else
		printf("no %s%s; %s %s\n", what, time, policies, workloads);
}
