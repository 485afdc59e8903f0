/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offline.h"

#include "text.h"

#include <string.h>

enum {
	KEY_POSTURE = 0x300
};

static const struct argp_option offline_options[] = {
	{"posture", KEY_POSTURE, "allow|deny", 0,
		"What holds where no policy selects a pod (default allow)", 1},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct offline_options *offline = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &offline->sources;
		return 0;
	case KEY_POSTURE:
		if (strcmp(argument, "allow") == 0)
			offline->posture = POSTURE_ALLOW;
		else if (strcmp(argument, "deny") == 0)
			offline->posture = POSTURE_DENY;
		else
			usage_error(offline->settings, "--posture is allow or deny, not '%s'",
				argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&sources_argp, 0, NULL, 0}, {0}};

const struct argp offline_argp = {
	.options = offline_options, .parser = parse, .children = children};

static int compile(
	const struct offline_options *options, struct offline *offline, struct error *error)
{
	const struct ir_options ir_options = {.posture = options->posture};
	int code = model_new(&offline->model);

	if (code < 0)
		return error_nomem(error);
	code = documents_to_model(&offline->documents, offline->model, error);
	if (code == 0)
		code = model_finish(offline->model, error);
	if (code == 0)
		code = ir_compile(
			&offline->documents, offline->model, &ir_options, &offline->ir, error);
	return code;
}

int offline_load(
	const struct settings *settings, const struct offline_options *options, struct offline *ret)
{
	_cleanup_offline_ struct offline offline = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	int code =
		sources_load(settings, &options->sources, "nothing was judged", &offline.documents);

	if (code != EXIT_YES)
		return code;
	if (compile(options, &offline, &error) < 0)
		return report(settings, &error);
	*ret = offline;
	offline = (struct offline){0};
	return EXIT_YES;
}

void offline_clear(struct offline *offline)
{
	ir_free(offline->ir);
	model_free(offline->model);
	documents_clear(&offline->documents);
}

void offline_find(const struct settings *settings, const struct offline *offline, const char *name,
	struct offline_end *ret)
{
	const char *slash = strchr(name, '/');
	_cleanup_free_ char *namespace = NULL;
	struct offline_end end = {.name = name};

	if (address_parse(name, &end.address) == 0) {
		end.workload = model_find_address(offline->model, &end.address);
	} else {
		namespace = slash ? must(strndup(name, (size_t)(slash - name)))
				  : text_format("%s", MODEL_NAMESPACE_DEFAULT);
		end.workload =
			model_find_workload(offline->model, namespace, slash ? slash + 1 : name);
		if (!end.workload)
			usage_error(settings,
				"the files hold no Pod '%s' in namespace '%s', and it is no IP address",
				slash ? slash + 1 : name, namespace);
	}
	end.full_name = end.workload
				? text_format("%s/%s", end.workload->namespace, end.workload->name)
				: text_format("%s", name);
	*ret = end;
}

const struct address *offline_address(const struct offline_end *end, bool ipv4)
{
	if (!end->workload)
		return address_is_ipv4(&end->address) == ipv4 ? &end->address : NULL;
	for (size_t i = 0; i < end->workload->addresses_count; i++)
		if (address_is_ipv4(&end->workload->addresses[i]) == ipv4)
			return &end->workload->addresses[i];
	return NULL;
}
