// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenario.h"

#include "base/cleanup.h"
#include "place.h"
#include "pods_text.h"
#include "policies_text.h"

#include <errno.h>
#include <string.h>

static int write_text(struct scenario *scenario, struct error *error)
{
	_cleanup_file_ FILE *stream = open_memstream(&scenario->text, &scenario->text_size);

	if (!stream)
		return error_nomem(error);
	pods_text_write(stream, scenario->seed, &scenario->dice);
	policies_text_write(stream, &scenario->dice);
	return ferror(stream) ? error_nomem(error) : 0;
}

static int refuse(const struct diagnostics *diagnostics, struct error *error)
{
	const struct diagnostic *first = diagnostics->count ? diagnostics->items : NULL;

	for (size_t i = 0; i < diagnostics->count; i++)
		if (diagnostics->items[i].severity == DIAGNOSTIC_ERROR) {
			first = &diagnostics->items[i];
			break;
		}
	return error_set(error, -EINVAL, "the parser refuses line %u: %s",
		first ? first->location.line : 0, first ? first->message : "out of memory");
}

static int parse(struct scenario *scenario, struct error *error)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	int r = documents_parse(&scenario->documents, "random.yaml", scenario->text,
		scenario->text_size, &diagnostics);

	if (r < 0)
		r = refuse(&diagnostics, error);
	diagnostics_clear(&diagnostics);
	return r;
}

static int add_host_addresses(struct model *model)
{
	static const char *const loopback[] = {"127.0.0.1", "::1"};
	struct place node = place_describe(PLACE_NODE);
	struct address address;
	int r = 0;

	for (size_t i = 0; !r && i < node.addresses_count; i++)
		r = model_add_host_address(model, &node.addresses[i]);
	for (size_t i = 0; !r && i < ARRAY_SIZE(loopback); i++) {
		r = address_parse(loopback[i], &address);
		if (!r)
			r = model_add_host_address(model, &address);
	}
	return r;
}

static int build_model(struct scenario *scenario, struct error *error)
{
	int r = model_new(&scenario->model);

	if (r < 0)
		return error_nomem(error);
	r = documents_to_model(&scenario->documents, scenario->model, error);
	if (r < 0)
		return r;
	if (add_host_addresses(scenario->model) < 0)
		return error_nomem(error);
	/* No document says so: for the agent it is who reports a workload. */
	for (size_t i = 0; i < scenario->model->workloads_count; i++)
		if (!strcmp(scenario->model->workloads[i].name, PODS_REMOTE_NAME))
			scenario->model->workloads[i].remote = true;
	return model_finish(scenario->model, error);
}

static void find_subjects(struct scenario *scenario)
{
	for (unsigned int i = 0; i < PLACES; i++) {
		struct place place = place_describe(i);

		scenario->subjects[i] = -1;
		for (size_t k = 0; k < scenario->model->workloads_count; k++)
			if (!strcmp(scenario->model->workloads[k].name, place.name))
				scenario->subjects[i] = (int64_t)k;
	}
}

int scenario_new(uint64_t seed, struct scenario **ret, struct error *error)
{
	_cleanup_(scenario_freep) struct scenario *scenario = calloc(1, sizeof(*scenario));
	int r;

	if (!scenario)
		return error_nomem(error);
	scenario->seed = seed;
	scenario->dice = dice_new(seed);
	scenario->options.posture = (enum posture)dice_below(&scenario->dice, POSTURE_AUDIT + 1);
	scenario->options.restrict_node = dice_one_in(&scenario->dice, 3);
	r = write_text(scenario, error);
	if (!r)
		r = parse(scenario, error);
	if (!r)
		r = build_model(scenario, error);
	if (!r)
		r = ir_compile(&scenario->documents, scenario->model, &scenario->options,
			&scenario->ir, error);
	if (r < 0)
		return r;
	find_subjects(scenario);
	*ret = TAKE_PTR(scenario);
	return 0;
}

void scenario_free(struct scenario *scenario)
{
	if (!scenario)
		return;
	ir_free(scenario->ir);
	model_free(scenario->model);
	documents_clear(&scenario->documents);
	free(scenario->text);
	free(scenario);
}

void scenario_print(const struct scenario *scenario, FILE *stream)
{
	static const char *const postures[] = {
		[POSTURE_ALLOW] = "allow",
		[POSTURE_DENY] = "deny",
		[POSTURE_AUDIT] = "audit",
	};

	fprintf(stream, "# default posture %s, the node is %srestricted\n%s",
		postures[scenario->options.posture], scenario->options.restrict_node ? "" : "not ",
		scenario->text);
}
