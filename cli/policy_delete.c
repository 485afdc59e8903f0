/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy delete: takes policies from the agent, by name or as files list them. */
#include "client.h"
#include "command.h"
#include "object.h"
#include "record.h"
#include "sources.h"
#include "text.h"
#include "url.h"

#include <ctype.h>
#include <string.h>

struct arguments {
	struct object object;
	struct sources sources;
};

static const struct argp_option options[] = {
	{"filename", 'f', "PATH", 0, "Delete what this file or directory holds, or -", 0},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &arguments->object;
		return 0;
	case 'f':
		sources_add(&arguments->sources, argument);
		return 0;
	case ARGP_KEY_ARG:
		/* After -f words are more paths, as a shell's pattern makes them. */
		if (!arguments->sources.count)
			return ARGP_ERR_UNKNOWN;
		sources_add(&arguments->sources, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&object_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.args_doc = "KIND NAME\n-f PATH…",
	.doc = "Takes policies from the agent. Exit status 1: the agent did not have one of them.",
};

/* Nothing is printed but what happened; a policy that is not there does not keep the others. */
static int delete_object(const struct settings *settings, struct client *client,
	enum document_kind kind, const char *namespace, const char *name)
{
	_cleanup_free_ char *url = text_format("/v1/policies");
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *body = NULL;
	const char *kind_name = document_kind_name(kind);
	struct client_reply reply;

	url_segment(&url, kind_name);
	url_segment(&url, *namespace ? namespace : "-");
	url_segment(&url, name);
	if (client_call(client, "DELETE", url, NULL, &reply, &error) < 0)
		return report(settings, &error);
	body = reply.body;
	if (client_reply_check(&reply, &error) < 0)
		return report(settings, &error);
	for (; *kind_name; kind_name++)
		putchar(tolower((unsigned char)*kind_name));
	printf(" %s%s%s deleted\n", namespace, *namespace ? "/" : "", name);
	return EXIT_YES;
}

static int delete_files(const struct settings *settings, const struct arguments *arguments)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	_cleanup_documents_ struct document_list list = {0};
	int code = sources_load(settings, &arguments->sources, "nothing was deleted", &list);

	if (code != EXIT_YES)
		return code;
	for (size_t i = 0; i < list.count; i++) {
		const struct document *document = list.items[i];
		int result;

		if (!document_is_applied(document))
			continue;
		result = delete_object(
			settings, client, document->kind, document->namespace, document->name);
		if (result == EXIT_UNREACHABLE)
			return result;
		code = code ? code : result;
	}
	return code;
}

static bool has_policy(const json_t *answer, const char *namespace, const char *name)
{
	const json_t *policy;
	size_t i;

	json_array_foreach (json_object_get(answer, "policies"), i, policy) {
		if (strcmp(field_text(policy, "kind"), "SegmentPolicy") == 0 &&
			strcmp(field_text(policy, "namespace"), namespace) == 0 &&
			strcmp(field_text(policy, "name"), name) == 0)
			return true;
	}
	return false;
}

/* A SegmentPolicy of the admin or baseline tier may be of no namespace, which nobody can say by -n:
 * it is meant where the default namespace has none of that name. */
static const char *namespace_of(struct client *client, const struct object *object)
{
	_cleanup_json_ json_t *answer = NULL;

	if (!object_kind_is_namespaced(object->kind))
		return "";
	if (object->namespace)
		return object->namespace;
	if (object->kind == DOCUMENT_SEGMENT_POLICY &&
		client_get(client, "/v1/policies", &answer, NULL) == 0 &&
		!has_policy(answer, "default", object->name) &&
		has_policy(answer, "", object->name))
		return "";
	return "default";
}

static int delete_named(const struct settings *settings, const struct object *object)
{
	_cleanup_client_ struct client *client = client_new(settings->socket_path);

	if (!object->name)
		usage_error(settings, "say what to delete: KIND NAME, or -f PATH");
	return delete_object(
		settings, client, object->kind, namespace_of(client, object), object->name);
}

int policy_delete_run(struct settings *settings, int argc, char **argv)
{
	struct arguments arguments = {.object.settings = settings};
	int code;

	settings_parse(settings, &argp, 0, argc, argv, &arguments);
	if (arguments.sources.count && object_is_set(&arguments.object))
		usage_error(settings, "either KIND NAME or -f PATH");
	code = arguments.sources.count ? delete_files(settings, &arguments)
				       : delete_named(settings, &arguments.object);
	object_clear(&arguments.object);
	sources_clear(&arguments.sources);
	return code;
}
