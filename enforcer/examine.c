/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "examine.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/dataplane.h"
#include "doctor/doctor.h"
#include "json.h"
#include "workload/source.h"
#include "workload_store.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RUNTIME_PATIENCE_NS (3 * NS_PER_SECOND)
#define RUNTIME_POLL_USEC   50000

/* Who runs here, asked of the runtimes once. */
struct census {
	sd_event *event;
	struct registry *registry;
	struct workload_source *docker;
	struct workload_source *file;
	bool docker_answered;
};

static void census_clear(struct census *census)
{
	if (census->docker)
		docker_source_ops.close(census->docker);
	if (census->file)
		netns_source_ops.close(census->file);
	if (census->registry)
		registry_free(census->registry);
	sd_event_unref(census->event);
}

static void on_change(void *userdata)
{
	(void)userdata;
}

static void on_bridge(const char *source, const char *bridge, bool present, void *userdata)
{
	(void)source;
	(void)bridge;
	(void)present;
	(void)userdata;
}

static void on_health(const char *source, bool healthy, const char *message, void *userdata)
{
	struct census *census = userdata;

	(void)healthy;
	(void)message;
	if (!strcmp(source, docker_source_ops.name))
		census->docker_answered = true;
}

static int ask_docker(struct census *census, const struct options *options,
	const struct workload_source_callbacks *callbacks, struct error *error)
{
	uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + RUNTIME_PATIENCE_NS;
	int r = docker_source_ops.open(options->docker_socket, census->registry, callbacks,
		census->event, &census->docker, error);

	while (r >= 0 && !census->docker_answered && clock_ns(CLOCK_MONOTONIC) < until_ns)
		r = sd_event_run(census->event, RUNTIME_POLL_USEC);
	return r < 0 ? error_errno(error, r, "ask Docker for its containers") : 0;
}

static int take_census(struct census *census, const struct options *options, struct error *error)
{
	const struct workload_source_callbacks callbacks = {
		.health = on_health,
		.bridge = on_bridge,
		.userdata = census,
	};
	int r = sd_event_new(&census->event);

	if (r >= 0)
		r = registry_new(census->event, on_change, NULL, &census->registry);
	if (r < 0)
		return error_errno(error, r, "make the registry of workloads");
	/* What an agent knew last; one that was never here has left nothing. */
	(void)workload_store_load(options->state_directory, census->registry, NULL);
	if (options->workloads_file) {
		r = netns_source_ops.open(options->workloads_file, census->registry, &callbacks,
			census->event, &census->file, error);
		if (r < 0)
			return r;
	}
	return options->docker_socket ? ask_docker(census, options, &callbacks, error) : 0;
}

static const char *text(const json_t *finding, const char *key)
{
	const char *value = json_string_value(json_object_get(finding, key));

	return value ? value : "";
}

static void print_text(const json_t *report)
{
	const json_t *finding;
	size_t i;

	json_array_foreach (json_object_get(report, "findings"), i, finding) {
		printf("%-8s %s: %s\n", text(finding, "level"), text(finding, "area"),
			text(finding, "what"));
		if (*text(finding, "advice"))
			printf("         -> %s\n", text(finding, "advice"));
	}
}

static int be_quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static const char *likely_plane(const struct options *options)
{
	if (strcmp(options->dataplane, "auto") != 0)
		return options->dataplane;
	return bpf_dataplane_ops.unavailable() && !nft_dataplane_ops.unavailable()
		       ? nft_dataplane_ops.name
		       : bpf_dataplane_ops.name;
}

int examine_node(const struct options *options, bool *ret_healthy, struct error *error)
{
	_cleanup_(census_clear) struct census census = {0};
	_cleanup_findings_ struct findings findings = {0};
	_cleanup_json_ json_t *report = NULL;
	int r = take_census(&census, options, error);

	if (r < 0)
		return r;
	libbpf_set_print(be_quiet);
	const struct doctor_view view = {
		.dataplane = likely_plane(options),
		.pin_directory = options->pin_directory,
		.log_directory = options->log_directory,
		.docker_socket = options->docker_socket,
		.workloads = census.registry,
	};

	if (findings_init(&findings) == 0 && doctor_examine(&view, &findings) == 0)
		report = findings_to_json(&findings);
	if (!report)
		return error_nomem(error);
	if (options->doctor_json)
		json_dumpf(report, stdout, JSON_INDENT(2));
	else
		print_text(report);
	if (options->doctor_json)
		putchar('\n');
	*ret_healthy = json_is_true(json_object_get(report, "healthy"));
	return 0;
}
