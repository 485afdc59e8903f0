/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading a large policy into the kernel by the nft data plane, beside `nft -f` of the very table
 * that came of it, in a network namespace of its own. Policy: one workload hears at each of 100
 * ports from others; half of ELEMENTS are addresses of workloads on other nodes, half of the world.
 *
 *   nft_load ELEMENTS ROUNDS     prints a JSON object a round: milliseconds, and elements listed
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "dataplane/dataplane.h"
#include "policies/document.h"
#include "policies/model.h"

#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORTS   100
#define SUBJECT "10.77.0.2"

struct world {
	struct document_list documents;
	struct model *model;
	struct ir *ir;
};

static void must(int r, const char *what, const struct error *error)
{
	if (r < 0)
		errx(1, "%s: %s", what, error ? error_message(error) : strerror(-r));
}

static void shell(const char *command)
{
	if (system(command) != 0)
		errx(1, "failed: %s", command);
}

/* Neighbouring addresses have different ports, so that no two become one interval. */
static void print_policies(FILE *stream, unsigned int elements)
{
	for (unsigned int port = 0; port < PORTS; port++) {
		fprintf(stream,
			"---\napiVersion: segctl.io/v1\nkind: SegmentPolicy\n"
			"metadata: {name: p%u}\nspec:\n  subject: app=db\n  ingress:\n"
			"  - ports: [tcp/%u]\n    from:\n    - {workloads: set=s%u}\n",
			port, 5000 + port, port);
		for (unsigned int i = port; i < elements / 2; i += PORTS)
			fprintf(stream, "    - {cidr: 20.%u.%u.%u/32}\n", i >> 16, i >> 8 & 255,
				i & 255);
	}
}

static void parse(struct world *world, unsigned int elements)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_free_ char *text = NULL;
	char *printed = NULL;
	size_t size;
	FILE *stream = open_memstream(&printed, &size);

	if (!stream)
		err(1, "memory");
	print_policies(stream, elements);
	fclose(stream);
	text = printed;
	must(documents_parse(&world->documents, "bench", text, size, &diagnostics), "parse", NULL);
}

static struct model_workload *add_workload(
	struct model *model, const char *name, const char *key, const char *label)
{
	struct model_workload *workload;

	must(model_add_workload(model, MODEL_NAMESPACE_DEFAULT, name, &workload), "add", NULL);
	must(labels_set(&workload->labels, key, label), "label", NULL);
	return workload;
}

static void add_address(struct model_workload *workload, const char *text)
{
	struct address address;

	must(address_parse(text, &address), "address", NULL);
	must(model_workload_add_address(workload, &address), "address", NULL);
}

static void add_remote(struct model *model, unsigned int number)
{
	char name[32], set[32], text[ADDRESS_TEXT_MAX];
	struct model_workload *workload;

	snprintf(name, sizeof(name), "remote-%u", number);
	snprintf(set, sizeof(set), "s%u", number % PORTS);
	snprintf(text, sizeof(text), "10.%u.%u.%u", 128 + (number >> 16), number >> 8 & 255,
		number & 255);
	workload = add_workload(model, name, "set", set);
	workload->remote = true;
	add_address(workload, text);
}

static void build(struct world *world, unsigned int elements)
{
	static const struct ir_options options = {.posture = POSTURE_ALLOW};
	_cleanup_error_ struct error error = ERROR_INIT;

	parse(world, elements);
	must(model_new(&world->model), "model", NULL);
	for (unsigned int i = 0; i < elements / 2; i++)
		add_remote(world->model, i);
	add_address(add_workload(world->model, "db", "app", "db"), SUBJECT);
	must(model_finish(world->model, &error), "model", &error);
	must(ir_compile(&world->documents, world->model, &options, &world->ir, &error), "compile",
		&error);
}

static void hear_flow(const struct flow_event *event, void *userdata)
{
	(void)event;
	(void)userdata;
}

static void hear_trouble(const char *message, bool repaired, void *userdata)
{
	(void)repaired;
	(void)userdata;
	warnx("%s", message);
}

static int64_t subject(const struct model *model)
{
	return model_find_workload(model, MODEL_NAMESPACE_DEFAULT, "db") - model->workloads;
}

/* Milliseconds; the table stays. */
static double apply(const struct world *world, sd_event *loop)
{
	static const struct dataplane_options options = {.nflog_group = 86};
	static const struct dataplane_callbacks callbacks = {
		.flow = hear_flow, .trouble = hear_trouble};
	struct address address;
	const struct attachment attachment = {.ifindex = 1,
		.name = "lo",
		.addresses = &address,
		.addresses_count = 1,
		.workload = subject(world->model)};
	const struct dataplane_state state = {.ir = world->ir,
		.model = world->model,
		.attachments = &attachment,
		.attachments_count = 1};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct dataplane *dataplane;
	uint64_t start_ns;
	double ms;

	must(address_parse(SUBJECT, &address), "address", NULL);
	must(nft_dataplane_ops.open(&options, &callbacks, loop, &dataplane, &error), "open",
		&error);
	start_ns = clock_ns(CLOCK_MONOTONIC);
	must(nft_dataplane_ops.apply(dataplane, &state, &error), "apply", &error);
	ms = (double)(clock_ns(CLOCK_MONOTONIC) - start_ns) / 1e6;
	nft_dataplane_ops.close(dataplane, false);
	return ms;
}

static double load_by_nft(const char *path)
{
	_cleanup_free_ char *command = NULL;
	uint64_t start_ns;

	shell("nft delete table inet segd");
	if (asprintf(&command, "nft -f %s", path) < 0)
		err(1, "memory");
	start_ns = clock_ns(CLOCK_MONOTONIC);
	shell(command);
	return (double)(clock_ns(CLOCK_MONOTONIC) - start_ns) / 1e6;
}

static void list_table(const char *path)
{
	_cleanup_free_ char *command = NULL;

	if (asprintf(&command, "nft list table inet segd >%s", path) < 0)
		err(1, "memory");
	shell(command);
}

int main(int argc, char **argv)
{
	unsigned int elements = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 100000;
	unsigned int rounds = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 3;
	char path[] = "/tmp/nft-load-XXXXXX";
	int fd = mkstemp(path);
	struct world world = {0};
	sd_event *loop;

	if (fd < 0 || unshare(CLONE_NEWNET) < 0)
		err(1, "a file and a network namespace");
	close(fd);
	build(&world, elements);
	must(sd_event_new(&loop), "event loop", NULL);
	for (unsigned int round = 0; round < rounds; round++) {
		double ours_ms = apply(&world, loop), peer_ms;

		list_table(path);
		peer_ms = load_by_nft(path);
		printf("{\"elements\": %u, \"ours_ms\": %.1f, \"nft_ms\": %.1f}\n", elements,
			ours_ms, peer_ms);
		fflush(stdout);
		shell("nft delete table inet segd; nft delete table netdev segd 2>/dev/null; "
		      "nft delete table inet segd_gate 2>/dev/null; :");
	}
	unlink(path);
	sd_event_unref(loop);
	ir_free(world.ir);
	model_free(world.model);
	documents_clear(&world.documents);
	return 0;
}
