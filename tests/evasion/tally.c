/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tally.h"

#include "base/cleanup.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = {
#define X(symbol, name, sentence) name,
	REASONS(X)
#undef X
};

int tally_reason(const char *name, size_t length)
{
	for (int i = 0; i < REASON_COUNT; i++)
		if (strlen(names[i]) == length && !strncmp(names[i], name, length))
			return i;
	return -1;
}

const char *tally_name(int reason)
{
	return names[reason];
}

static size_t collect(char *bytes, size_t size, size_t count, void *userdata)
{
	return fwrite(bytes, size, count, userdata) * size;
}

static json_t *ask(const char *socket, const char *what, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	json_t *answer = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	CURL *curl = curl_easy_init();
	char url[64];

	snprintf(url, sizeof(url), "http://segd/v1/%s", what);
	if (curl && stream) {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
		curl_easy_setopt(curl, CURLOPT_URL, url);
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, stream);
		(void)curl_easy_perform(curl);
	}
	curl_easy_cleanup(curl);
	if (stream && !fclose(stream))
		answer = json_loadb(text, size, 0, NULL);
	if (!answer)
		(void)error_set(error, -EIO, "%s: no answer that can be read", url);
	return answer;
}

int tally_read(const char *socket, struct tally *ret, struct error *error)
{
	json_t *status = ask(socket, "status", error);
	json_t *denied = status ? ask(socket, "denied", error) : NULL;
	struct tally tally = {0};
	const char *name;
	json_t *value;
	size_t i;
	int r = denied ? 0 : -EIO;

	json_object_foreach (
		json_object_get(json_object_get(status, "plane"), "counters"), name, value) {
		int reason = tally_reason(name, strlen(name));

		if (reason >= 0)
			tally.counters[reason] =
				(uint64_t)json_integer_value(json_object_get(value, "packets"));
	}
	json_array_foreach (json_object_get(denied, "denied"), i, value) {
		name = json_string_value(json_object_get(value, "reason"));
		if (name && tally_reason(name, strlen(name)) >= 0)
			tally.listed[tally_reason(name, strlen(name))] +=
				(uint64_t)json_integer_value(json_object_get(value, "packets"));
	}
	json_decref(status);
	json_decref(denied);
	if (!r)
		*ret = tally;
	return r;
}
