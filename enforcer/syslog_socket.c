// SPDX-License-Identifier: GPL-2.0-or-later
#include "syslog_socket.h"

#include "base/cleanup.h"
#include "flow/timestamp.h"
#include "outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_USEC 1000000ULL
/* RFC 5612 keeps this number for examples: we have none of our own. */
#define STRUCTURED_ID "segd@32473"

struct syslog_socket {
	struct sockaddr_un address;
	int fd;
	sd_event_source *timer;
	struct outbox outbox;
	char *current; /* waits to be tried again; NULL: none */
	uint64_t sent;
	uint64_t failures;
	int error; /* negative errno of the last attempt */
};

DEFINE_CLEANUP(struct syslog_socket *, syslog_socket_free)

/* --- format -------------------------------------------------------------------------------------
 */

/* RFC 5424, 6.3.3: '"', '\' and ']' are escaped. */
static void write_value(FILE *stream, const char *value)
{
	for (; *value; value++) {
		if (strchr("\"\\]", *value))
			fputc('\\', stream);
		fputc((unsigned char)*value < ' ' ? ' ' : *value, stream);
	}
}

char *syslog_format(unsigned int priority, uint64_t time_ns, const char *host,
	const char *message_id, const struct syslog_parameter *parameters, const char *text)
{
	char time[TIMESTAMP_LENGTH + 1], *message = NULL;
	size_t size;
	FILE *stream = open_memstream(&message, &size);

	if (!stream)
		return NULL;
	fprintf(stream, "<%u>1 %s %.255s segd %d %.32s [" STRUCTURED_ID, priority,
		timestamp_format(time_ns, time), *host ? host : "-", (int)getpid(), message_id);
	for (; parameters->name; parameters++) {
		fprintf(stream, " %.32s=\"", parameters->name);
		write_value(stream, parameters->value);
		fputc('"', stream);
	}
	/* The byte order mark says that it is UTF-8 (6.4). */
	fprintf(stream, "] \xEF\xBB\xBF%s", text);
	if (fclose(stream)) {
		free(message);
		return NULL;
	}
	return message;
}

/* --- sending ------------------------------------------------------------------------------------
 */

/* Until it does not take more. */
static void send_all(struct syslog_socket *syslog)
{
	while (syslog->current || (syslog->current = outbox_take(&syslog->outbox))) {
		if (sendto(syslog->fd, syslog->current, strlen(syslog->current), MSG_DONTWAIT,
			    (const struct sockaddr *)&syslog->address,
			    sizeof(syslog->address)) < 0) {
			syslog->error = -errno;
			syslog->failures++;
			sd_event_source_set_time_relative(syslog->timer, RETRY_USEC);
			sd_event_source_set_enabled(syslog->timer, SD_EVENT_ONESHOT);
			return;
		}
		free(syslog->current);
		syslog->current = NULL;
		syslog->error = 0;
		syslog->sent++;
	}
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	send_all(userdata);
	return 0;
}

void syslog_socket_send(struct syslog_socket *syslog, char *message)
{
	outbox_add(&syslog->outbox, message);
	if (!syslog->current)
		send_all(syslog);
}

/* --- life ---------------------------------------------------------------------------------------
 */

int syslog_socket_new(
	const char *path, sd_event *event, struct syslog_socket **ret, struct error *error)
{
	_cleanup_(syslog_socket_freep) struct syslog_socket *syslog = calloc(1, sizeof(*syslog));
	int r;

	if (!syslog)
		return error_nomem(error);
	syslog->fd = -1;
	syslog->address.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(syslog->address.sun_path))
		return error_set(error, -ENAMETOOLONG, "%s is too long for a socket", path);
	strcpy(syslog->address.sun_path, path);
	syslog->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (syslog->fd < 0)
		return error_errno(error, -errno, "open a socket for syslog");
	r = sd_event_add_time_relative(
		event, &syslog->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, syslog);
	if (r >= 0)
		r = sd_event_source_set_enabled(syslog->timer, SD_EVENT_OFF);
	if (r < 0)
		return error_errno(error, r, "add a timer to the event loop");
	*ret = TAKE_PTR(syslog);
	return 0;
}

void syslog_socket_free(struct syslog_socket *syslog)
{
	if (!syslog)
		return;
	sd_event_source_disable_unref(syslog->timer);
	closep(&syslog->fd);
	outbox_clear(&syslog->outbox);
	free(syslog->current);
	free(syslog);
}

json_t *syslog_socket_describe(const struct syslog_socket *syslog)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:s?}", "waiting",
		(json_int_t)syslog->outbox.count + (syslog->current != NULL), "sent",
		(json_int_t)syslog->sent, "failures", (json_int_t)syslog->failures, "dropped",
		(json_int_t)syslog->outbox.dropped, "error",
		syslog->error ? strerror(-syslog->error) : NULL);
}
