// SPDX-License-Identifier: GPL-2.0-or-later
#include "alert_outputs.h"

#include "base/cleanup.h"
#include "flow/log.h"
#include "journal.h"
#include "json.h"
#include "syslog_socket.h"
#include "webhook.h"

#include <errno.h>
#include <string.h>

#define LOG_FILE_BYTES  (16ULL << 20)
#define LOG_TOTAL_BYTES (128ULL << 20)
#define SYSLOG_AUTHPRIV 10 /* RFC 5424, 6.2.1: security messages */

struct alert_outputs {
	const struct options *options;
	const struct detect_settings *settings;
	struct name *node;
	struct flow_log *log;
	struct webhook *webhook;      /* NULL: none is set */
	struct syslog_socket *syslog; /* likewise */
};

static int open_log(struct alert_outputs *outputs, sd_event *event, struct error *error)
{
	const struct flow_log_options options = {
		.directory = outputs->options->log_directory,
		.name = "alerts",
		.file_bytes = LOG_FILE_BYTES,
		.total_bytes = LOG_TOTAL_BYTES,
		.node = outputs->node,
	};

	return flow_log_new(&options, event, &outputs->log) < 0 ? error_nomem(error) : 0;
}

int alert_outputs_new(const struct options *options, const struct detect_settings *settings,
	sd_event *event, struct alert_outputs **ret, struct error *error)
{
	_cleanup_(alert_outputs_freep) struct alert_outputs *outputs = calloc(1, sizeof(*outputs));
	int r;

	if (!outputs)
		return error_nomem(error);
	outputs->options = options;
	outputs->settings = settings;
	outputs->node = name_new(NULL, json_string(options->node));
	if (!outputs->node)
		return error_nomem(error);
	r = open_log(outputs, event, error);
	if (r == 0 && settings->webhook_url)
		r = webhook_new(settings->webhook_url, event, &outputs->webhook, error);
	if (r == 0 && settings->syslog_socket)
		r = syslog_socket_new(settings->syslog_socket, event, &outputs->syslog, error);
	if (r < 0)
		return error_context(error, r, "open the outputs of alerts");
	*ret = TAKE_PTR(outputs);
	return 0;
}

void alert_outputs_free(struct alert_outputs *outputs)
{
	if (!outputs)
		return;
	flow_log_free(outputs->log);
	webhook_free(outputs->webhook);
	syslog_socket_free(outputs->syslog);
	name_release(outputs->node);
	free(outputs);
}

/* "high: shop/web tried 12 ports of shop/db in 4 s (T1046, alert 0123456789ab)"; NULL: out of
 * memory. */
static char *sentence_of(const struct alert *alert)
{
	char *text;

	return asprintf(&text, "%s: %s (%s, alert %s)", severity_name(alert->severity),
		       alert->sentence, alert->technique, alert->id) < 0
		       ? NULL
		       : text;
}

/* With "text", which is what chats show of a message, and with the node. */
static char *webhook_body(const struct alert_outputs *outputs, const char *line, const char *text)
{
	_cleanup_json_ json_t *json = json_loads(line, 0, NULL);

	if (!json)
		return NULL;
	json_object_set_new(json, "text", json_string(text));
	json_object_set_new(json, "node", json_string(outputs->options->node));
	return json_dumps(json, JSON_COMPACT);
}

static char *syslog_message(
	const struct alert_outputs *outputs, const struct alert *alert, const char *text)
{
	/* notice, warning, error, critical (RFC 5424, 6.2.1) */
	static const unsigned int levels[SEVERITY_COUNT] = {5, 4, 3, 2};
	const struct syslog_parameter parameters[] = {
		{"id", alert->id},
		{"detector", alert->detector},
		{"severity", severity_name(alert->severity)},
		{"technique", alert->technique},
		{"actor", alert->actor.id},
		{"target", alert->target.id},
		{"incident", alert->incident ? alert->incident->id : ""},
		{NULL, NULL},
	};

	return syslog_format(SYSLOG_AUTHPRIV * 8 + levels[alert->severity], alert->last_ns,
		outputs->options->node, "ALERT", parameters, text);
}

void alert_outputs_tell(struct alert_outputs *outputs, const struct alert *alert,
	enum alert_news news, const char *line)
{
	_cleanup_free_ char *text = NULL;

	if (alert->severity < outputs->settings->severity)
		return;
	flow_log_add(outputs->log, line, strlen(line));
	/* That it goes on is for who looks, not for who is called. */
	text = news == ALERT_GOES_ON ? NULL : sentence_of(alert);
	if (!text)
		return;
	journal(alert->severity >= SEVERITY_MEDIUM ? JOURNAL_WARNING : JOURNAL_NOTICE, "%s", text);
	if (outputs->webhook)
		webhook_post(outputs->webhook, webhook_body(outputs, line, text));
	if (outputs->syslog)
		syslog_socket_send(outputs->syslog, syslog_message(outputs, alert, text));
}

json_t *alert_outputs_describe(const struct alert_outputs *outputs)
{
	return json_pack("{s:o, s:o?, s:o?}", "log", flow_log_describe(outputs->log), "webhook",
		outputs->webhook ? webhook_describe(outputs->webhook) : NULL, "syslog",
		outputs->syslog ? syslog_socket_describe(outputs->syslog) : NULL);
}
