/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/docker_labels.h"

#include "base/cleanup.h"
#include "base/utf8.h"
#include "workload/docker_parse.h"
#include "workload/named_port.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The longest qualified name: 253 of the prefix, the slash, 63 of the name. */
#define KEY_MAX_BYTES 317

char *docker_label_text(const char *text)
{
	char *copy = strndup(text, utf8_length(text, DOCKER_LABEL_VALUE_MAX_BYTES));

	for (char *c = copy; c && *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return copy;
}

static bool is_usable_key(const char *key)
{
	if (key[0] == '\0' || strnlen(key, KEY_MAX_BYTES + 1) > KEY_MAX_BYTES)
		return false;
	for (; *key; key++)
		if (iscntrl((unsigned char)*key))
			return false;
	return true;
}

static int set_label(struct labels *labels, const char *key, const char *value)
{
	_cleanup_free_ char *text = docker_label_text(value);

	return text ? labels_set(labels, key, text) : -ENOMEM;
}

int docker_parse_labels(const json_t *object, struct labels *ret, struct error *error)
{
	_cleanup_(labels_clear) struct labels labels = {NULL, 0};
	const char *key;
	json_t *value;

	if (json_object_size(object) > DOCKER_LABELS_MAX)
		return error_set(error, -EBADMSG, "has %zu labels, at most %d are taken",
			json_object_size(object), DOCKER_LABELS_MAX);
	json_object_foreach ((json_t *)object, key, value) {
		if (!json_is_string(value))
			return error_set(error, -EBADMSG, "a label's value is no string");
		if (is_usable_key(key) && set_label(&labels, key, json_string_value(value)) < 0)
			return error_nomem(error);
	}
	*ret = labels;
	labels = (struct labels){NULL, 0};
	return 0;
}

/* --- ports --------------------------------------------------------------------------------------
 */

/* One "name=protocol/number". */
static int add_port(struct workload *workload, char *item, char **problem)
{
	char *value = strchr(item, '=');

	if (!value) {
		*problem = strdup("no \"name=protocol/number\"");
		return *problem ? 0 : -ENOMEM;
	}
	*value++ = '\0';
	return named_port_add(workload, item, value, problem);
}

int docker_parse_ports(struct workload *workload, char **problem)
{
	const char *label = labels_get(&workload->labels, DOCKER_PORTS_LABEL);
	_cleanup_free_ char *text = docker_label_text(label ? label : "");
	char *rest = text, *item;

	if (!text)
		return -ENOMEM;
	while ((item = strsep(&rest, ","))) {
		_cleanup_free_ char *wrong = NULL;

		item += strspn(item, " ");
		if (item[0] == '\0')
			continue;
		if (add_port(workload, item, &wrong) < 0)
			return -ENOMEM;
		if (wrong && !*problem &&
			asprintf(problem, "label " DOCKER_PORTS_LABEL ": \"%s\": %s", item, wrong) <
				0) {
			*problem = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}
