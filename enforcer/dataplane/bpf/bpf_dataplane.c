/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/dataplane.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/bpf/dump.h"
#include "dataplane/bpf/hits.h"
#include "dataplane/bpf/plane.h"
#include "dataplane/bpf/probe.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DIRECTORY "/sys/fs/bpf/segd"
#define TICK_USEC         1000000
#define CLEAN_UP_USEC     20000
/* Denials are told within this, or later where collecting them would take more than a twentieth of
 * a CPU. */
#define COLLECT_USEC  100000
#define COLLECT_SHARE 20

struct bpf_dataplane_overrides bpf_dataplane_overrides;

static int be_quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static int arm(struct dataplane *dataplane, sd_event_source **source, uint64_t usec,
	sd_event_time_handler_t handler)
{
	int r;

	if (!*source)
		return sd_event_add_time_relative(
			dataplane->event, source, CLOCK_MONOTONIC, usec, 0, handler, dataplane);
	r = sd_event_source_set_time_relative(*source, usec);
	return r < 0 ? r : sd_event_source_set_enabled(*source, SD_EVENT_ONESHOT);
}

static int collect_denials(struct dataplane *dataplane, struct error *error)
{
	uint64_t start_ns = clock_ns(CLOCK_MONOTONIC);
	int r = denials_collect(&dataplane->denials, error);

	dataplane->collect_cost_ns = clock_ns(CLOCK_MONOTONIC) - start_ns;
	return r;
}

/* What a timer does has no caller to tell, and would fail again in a second: told once. */
static void tell(struct dataplane *dataplane, int r, const struct error *error)
{
	if (r < 0 && !dataplane->ticking_fails)
		dataplane->callbacks.trouble(
			error_message(error), false, dataplane->callbacks.userdata);
	dataplane->ticking_fails = r < 0;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct dataplane *dataplane = userdata;
	_cleanup_error_ struct error error = ERROR_INIT;
	int r, denials;

	(void)source;
	(void)usec;
	report_now(&dataplane->report);
	samples_drain(&dataplane->samples);
	r = sweep_step(&dataplane->sweep, &error);
	denials = collect_denials(dataplane, r < 0 ? NULL : &error);
	tell(dataplane, r < 0 ? r : denials, &error);
	return arm(dataplane, &dataplane->tick, TICK_USEC, on_tick);
}

static int on_collect(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct dataplane *dataplane = userdata;
	_cleanup_error_ struct error error = ERROR_INIT;

	(void)source;
	(void)usec;
	tell(dataplane, collect_denials(dataplane, &error), &error);
	return 0;
}

/* Hints while one is due change nothing: they are told together. */
static void on_denied(void *userdata)
{
	struct dataplane *dataplane = userdata;
	uint64_t usec = dataplane->collect_cost_ns * COLLECT_SHARE / 1000;
	int enabled = SD_EVENT_OFF;

	if (dataplane->collect)
		sd_event_source_get_enabled(dataplane->collect, &enabled);
	/* Where there is no memory for a timer, the next tick collects. */
	if (enabled == SD_EVENT_OFF)
		arm(dataplane, &dataplane->collect, usec > COLLECT_USEC ? usec : COLLECT_USEC,
			on_collect);
}

static int on_clean_up(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct dataplane *dataplane = userdata;

	(void)source;
	(void)usec;
	generations_collect(&dataplane->generations);
	return 0;
}

static void dataplane_free(struct dataplane *dataplane)
{
	sd_event_source_disable_unref(dataplane->tick);
	sd_event_source_disable_unref(dataplane->collect);
	sd_event_source_disable_unref(dataplane->clean_up);
	hook_watch_close(&dataplane->watch);
	events_close(&dataplane->events);
	samples_close(&dataplane->samples);
	tcp_sockets_close(&dataplane->tcp_sockets);
	sweep_clear(&dataplane->sweep);
	denials_close(&dataplane->denials);
	generations_clear(&dataplane->generations);
	interfaces_clear(&dataplane->interfaces);
	objects_close(&dataplane->objects);
	pins_close(&dataplane->pins);
	sd_event_unref(dataplane->event);
	free(dataplane);
}

DEFINE_CLEANUP(struct dataplane *, dataplane_free)

/* Everything that only needs memory, so that what follows can take addresses. */
static struct dataplane *dataplane_new(const struct dataplane_options *options,
	const struct dataplane_callbacks *callbacks, sd_event *event)
{
	struct dataplane *dataplane = calloc(1, sizeof(*dataplane));

	if (!dataplane)
		return NULL;
	dataplane->callbacks = *callbacks;
	dataplane->event = sd_event_ref(event);
	dataplane->pins = (struct pins)PINS_INIT;
	dataplane->objects = (struct objects)OBJECTS_INIT;
	dataplane->tcp_sockets = (struct tcp_sockets)TCP_SOCKETS_INIT;
	dataplane->denials.reported = (struct reported)REPORTED_INIT;
	dataplane->report = (struct report){.callbacks = &dataplane->callbacks};
	dataplane->interfaces = (struct interfaces){
		.pins = &dataplane->pins,
		.objects = &dataplane->objects,
		.preferred = options->clsact || bpf_dataplane_overrides.force_clsact
				     ? &clsact_mechanism
				     : &tcx_mechanism,
	};
	dataplane->generations.objects = &dataplane->objects;
	dataplane->generations.interfaces = &dataplane->interfaces;
	dataplane->generations.adoption_ns = options->adoption_ns;
	dataplane->samples.report = &dataplane->report;
	dataplane->events = (struct events){
		.report = &dataplane->report,
		.samples = &dataplane->samples,
		.denied = on_denied,
		.userdata = dataplane,
	};
	return dataplane;
}

_Static_assert(DATAPLANE_ETHERTYPES == ABI_ETHERTYPES, "they are copied one by one");

static int open_plane(const struct dataplane_options *options,
	const struct dataplane_callbacks *callbacks, sd_event *event, struct dataplane **ret,
	struct error *error)
{
	_cleanup_(dataplane_freep) struct dataplane *dataplane = NULL;
	const uint32_t abi_version = bpf_dataplane_overrides.abi_version;
	int r;

	libbpf_set_print(be_quiet);
	dataplane = dataplane_new(options, callbacks, event);
	if (!dataplane)
		return error_nomem(error);
	r = pins_open(&dataplane->pins,
		options->pin_directory ? options->pin_directory : DEFAULT_DIRECTORY, error);
	if (r < 0)
		return r;
	r = objects_open(&dataplane->objects, &dataplane->pins,
		abi_version ? abi_version : ABI_VERSION, options, error);
	if (r < 0)
		return r;
	r = generations_adopt(&dataplane->generations, error);
	if (r < 0)
		return r;
	sweep_init(
		&dataplane->sweep, &dataplane->objects, &dataplane->interfaces, &dataplane->report);
	r = denials_open(&dataplane->denials, &dataplane->objects, &dataplane->pins,
		&dataplane->report, error);
	if (r < 0)
		return r;
	r = interfaces_adopt(&dataplane->interfaces, error);
	if (r < 0)
		return r;
	r = samples_open(&dataplane->samples, &dataplane->objects, error);
	if (r < 0)
		return r;
	r = events_open(&dataplane->events, dataplane->objects.maps.events, event, error);
	if (r < 0)
		return r;
	if (options->tcp_statistics)
		tcp_sockets_open(&dataplane->tcp_sockets, &dataplane->objects);
	r = hook_watch_open(
		&dataplane->watch, &dataplane->interfaces, &dataplane->callbacks, event, error);
	if (r < 0)
		return r;
	r = arm(dataplane, &dataplane->tick, TICK_USEC, on_tick);
	if (r < 0)
		return error_errno(error, r, "set a timer");
	*ret = TAKE_PTR(dataplane);
	return 0;
}

static int apply(
	struct dataplane *dataplane, const struct dataplane_state *state, struct error *error)
{
	int r;

	hook_watch_hear(&dataplane->watch);
	r = generations_apply(&dataplane->generations, state, error);
	/* If no timer can be had, the next apply cleans up. */
	if (dataplane->generations.uncollected)
		arm(dataplane, &dataplane->clean_up, CLEAN_UP_USEC, on_clean_up);
	if (r < 0 || dataplane->tidy)
		return r;
	/* All attached programs use our maps now. */
	r = objects_remove_others(&dataplane->objects, &dataplane->pins, error);
	if (r < 0)
		return r;
	dataplane->tidy = true;
	return 0;
}

static int guard(
	struct dataplane *dataplane, uint32_t ifindex, const char *name, struct error *error)
{
	struct interface *interface = interfaces_find(&dataplane->interfaces, ifindex);
	struct attachment attachment = {.ifindex = ifindex, .workload = -1};
	bool known = interface && interface->known;
	int r;

	/* The kernel tells of it as of a new one. */
	if (interface)
		interface->whole = false;

	snprintf(attachment.name, sizeof(attachment.name), "%s", name);
	r = interfaces_ensure(&dataplane->interfaces, &attachment, &interface, error);
	if (r < 0)
		return r;
	if (!known)
		interface->waiting = true;
	return 0;
}

static int collect(struct dataplane *dataplane, struct error *error)
{
	int r;

	r = events_drain(&dataplane->events, error);
	if (r < 0)
		return r;
	r = sweep_collect(&dataplane->sweep, error);
	return r < 0 ? r : collect_denials(dataplane, error);
}

/* What cannot be removed is left: there is no one to tell, and it would still enforce. */
static void remove_all(struct dataplane *dataplane)
{
	struct interface *interface, *next;

	HASH_ITER (hh, dataplane->interfaces.items, interface, next) {
		interfaces_drop(&dataplane->interfaces, interface, NULL);
	}
	objects_remove_others(&dataplane->objects, &dataplane->pins, NULL);
	pins_remove(&dataplane->pins, dataplane->objects.part, NULL);
	pins_remove(&dataplane->pins, tcx_mechanism.part, NULL);
	pins_remove(&dataplane->pins, clsact_mechanism.part, NULL);
	rmdir(dataplane->pins.directory);
}

static int hits(struct dataplane *dataplane,
	bool (*visit)(uint32_t rule, uint64_t hits, void *userdata), void *userdata,
	struct error *error)
{
	return hits_visit(&dataplane->objects, visit, userdata, error);
}

static void close_plane(struct dataplane *dataplane, bool detach)
{
	if (!dataplane)
		return;
	events_drain(&dataplane->events, NULL);
	collect_denials(dataplane, NULL);
	if (detach)
		remove_all(dataplane);
	dataplane_free(dataplane);
}

const struct dataplane_ops bpf_dataplane_ops = {
	.name = "ebpf",
	.reaches_inside = true,
	.unavailable = probe_unavailable,
	.open = open_plane,
	.apply = apply,
	.guard = guard,
	.collect = collect,
	.hits = hits,
	.describe = bpf_dataplane_describe,
	.dump = bpf_dataplane_dump,
	.close = close_plane,
};
