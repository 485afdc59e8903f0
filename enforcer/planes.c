/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "planes.h"

#include "base/cleanup.h"
#include "early.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* With names and protocols alone at stake, they may not cost more than a few percent of a CPU. */
#define SAMPLES_A_SECOND             1000
#define SAMPLED_CONNECTIONS_A_SECOND 100

static const struct dataplane_ops *const planes[] = {&bpf_dataplane_ops, &nft_dataplane_ops};

static struct dataplane_options plane_options(const struct options *options)
{
	struct dataplane_options result = {
		.pin_directory = options->pin_directory,
		.adoption_ns = options->adoption_ns,
		.nflog_group = options->nflog_group,
		.clsact = options->clsact,
		.fast_path = options->fast_path,
		.lock_mark = options->lock_mark,
		.share = options->share,
		.tcp_statistics = !options->no_tcp_statistics,
		.samples = options->no_observe ? 0 : SAMPLES_A_SECOND,
		.sampled_connections = options->detect_protocols ? SAMPLED_CONNECTIONS_A_SECOND : 0,
	};

	memcpy(result.ethertypes, options->ethertypes, sizeof(result.ethertypes));
	return result;
}

static struct host_options host_options(const struct options *options)
{
	return (struct host_options){
		.failsafe = options->failsafe,
		.nflog_group = (uint16_t)(options->nflog_group + 1),
		.adoption_ns = options->adoption_ns,
	};
}

static int choose(const char *wanted, const struct dataplane_ops **ret, struct error *error)
{
	const char *why = "no data plane";

	for (size_t i = 0; i < ARRAY_SIZE(planes); i++) {
		if (strcmp(wanted, "auto") && strcmp(wanted, planes[i]->name))
			continue;
		why = planes[i]->unavailable();
		if (!why) {
			*ret = planes[i];
			return 0;
		}
	}
	return error_set(error, -EOPNOTSUPP, "--dataplane=%s: %s", wanted, why);
}

/* Before the data plane: programs that leave the mark away must not come under a lock that asks for
 * it. */
static int open_lock(
	struct agent *agent, const struct dataplane_callbacks *callbacks, struct error *error)
{
	uint32_t mark = agent->options->lock_mark;

	if (mark && agent->plane_ops != &bpf_dataplane_ops) {
		callbacks->trouble("--second-lock guards the ebpf data plane only: there is none",
			false, callbacks->userdata);
		mark = 0;
	}
	return second_lock_open(mark, callbacks, agent->event, &agent->lock, error);
}

int planes_open(
	struct agent *agent, const struct dataplane_callbacks *callbacks, struct error *error)
{
	const struct dataplane_options options = plane_options(agent->options);
	const struct host_options of_host = host_options(agent->options);
	int r;

	r = choose(agent->options->dataplane, &agent->plane_ops, error);
	if (r < 0)
		return r;
	r = open_lock(agent, callbacks, error);
	if (r < 0)
		return r;
	r = agent->plane_ops->open(&options, callbacks, agent->event, &agent->plane, error);
	if (r < 0)
		return error_context(error, r, "open the %s data plane", agent->plane_ops->name);
	return host_open(&of_host, callbacks, agent->event, &agent->host, error);
}

/* --- removal ------------------------------------------------------------------------------------
 */

static void ignore_flow(const struct flow_event *event, void *userdata)
{
	(void)event;
	(void)userdata;
}

static void ignore_trouble(const char *message, bool repaired, void *userdata)
{
	(void)message;
	(void)repaired;
	(void)userdata;
}

static int remove_plane(
	const struct dataplane_ops *plane_ops, const struct options *options, struct error *error)
{
	const struct dataplane_options of_plane = plane_options(options);
	const struct dataplane_callbacks callbacks = {
		.flow = ignore_flow,
		.trouble = ignore_trouble,
	};
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	struct dataplane *plane;
	int r;

	if (plane_ops->unavailable())
		return 0;
	r = sd_event_new(&event);
	if (r < 0)
		return error_errno(error, r, "make an event loop");
	r = plane_ops->open(&of_plane, &callbacks, event, &plane, error);
	if (r < 0)
		return error_context(error, r, "remove the %s data plane", plane_ops->name);
	plane_ops->close(plane, true);
	return 0;
}

static int remove_host(const struct options *options, struct error *error)
{
	const struct host_options of_host = host_options(options);
	const struct dataplane_callbacks callbacks = {
		.flow = ignore_flow,
		.trouble = ignore_trouble,
	};
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	struct host *host;
	int r;

	if (nft_dataplane_ops.unavailable())
		return 0;
	r = sd_event_new(&event);
	if (r < 0)
		return error_errno(error, r, "make an event loop");
	r = host_open(&of_host, &callbacks, event, &host, error);
	if (r < 0)
		return r;
	host_close(host, true);
	return 0;
}

int planes_remove(const struct options *options, struct error *error)
{
	int removed = early_remove(options, error);

	if (!removed)
		removed = second_lock_remove(error);
	if (removed < 0)
		return removed;
	for (size_t i = 0; i < ARRAY_SIZE(planes); i++) {
		int r;

		if (strcmp(options->dataplane, "auto") &&
			strcmp(options->dataplane, planes[i]->name))
			continue;
		r = remove_plane(planes[i], options, error);
		if (r < 0)
			return r;
	}
	return remove_host(options, error);
}

/* --- the change from one to the other ------------------------------------------------------------
 */

static int read_former(const char *path, char name[static 16])
{
	_cleanup_file_ FILE *file = fopen(path, "re");

	name[0] = '\0';
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	if (fgets(name, 16, file))
		name[strcspn(name, "\n")] = '\0';
	return 0;
}

static int write_current(const char *path, const char *name)
{
	_cleanup_file_ FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	return fprintf(file, "%s\n", name) < 0 || fflush(file) ? -EIO : 0;
}

int planes_retire_former(struct agent *agent, struct error *error)
{
	const char *directory = agent->options->state_directory;
	_cleanup_free_ char *path = NULL;
	char former[16];
	int r;

	if (asprintf(&path, "%s/dataplane", directory) < 0)
		return error_nomem(error);
	r = read_former(path, former);
	if (r < 0)
		return error_errno(error, r, "read %s", path);
	if (!strcmp(former, agent->plane_ops->name))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(planes); i++) {
		if (strcmp(planes[i]->name, former))
			continue;
		r = remove_plane(planes[i], agent->options, error);
		if (r < 0)
			return r;
	}
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return error_errno(error, -errno, "make state directory %s", directory);
	r = write_current(path, agent->plane_ops->name);
	return r < 0 ? error_errno(error, r, "write %s", path) : 0;
}
