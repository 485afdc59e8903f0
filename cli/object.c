/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "object.h"

#include "text.h"

#include <string.h>

static const struct argp_option options[] = {
	{"namespace", 'n', "NAME", 0, "Namespace of the object", 0},
	{0},
};

static void replace(char **text, char *replacement)
{
	free(*text);
	*text = replacement;
}

static void add_word(struct object *object, const char *word)
{
	const char *slash = strchr(word, '/');

	switch (object->words++) {
	case 0:
		if (document_kind_parse(word, &object->kind) < 0)
			usage_error(object->settings,
				"'%s' is no kind of document, expected NetworkPolicy, ClusterNetworkPolicy, SegmentPolicy or Namespace",
				word);
		return;
	case 1:
		if (slash)
			replace(&object->namespace, must(strndup(word, (size_t)(slash - word))));
		replace(&object->name, text_format("%s", slash ? slash + 1 : word));
		return;
	default:
		usage_error(object->settings, "unexpected argument '%s'", word);
	}
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct object *object = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		add_word(object, argument);
		return 0;
	case 'n':
		replace(&object->namespace, text_format("%s", argument));
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp object_argp = {.options = options, .parser = parse};

bool object_is_set(const struct object *object)
{
	return object->words || object->namespace;
}

bool object_matches(
	const struct object *object, const char *kind, const char *namespace, const char *name)
{
	if (object->words && strcmp(kind, document_kind_name(object->kind)) != 0)
		return false;
	if (object->namespace && strcmp(namespace, object->namespace) != 0)
		return false;
	return !object->name || strcmp(name, object->name) == 0;
}

void object_clear(struct object *object)
{
	free(object->namespace);
	free(object->name);
}

bool object_kind_is_namespaced(enum document_kind kind)
{
	return kind != DOCUMENT_CLUSTER_NETWORK_POLICY && kind != DOCUMENT_NAMESPACE &&
	       kind != DOCUMENT_NODE;
}
