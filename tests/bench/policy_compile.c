// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What it costs to compile policies, from parsed documents to the rule IR, and to follow single
 * changes of the workloads. Times are of the processor: all happens on one core.
 *
 *   policy_compile [WORKLOADS [LABEL-SETS [POLICIES]]]
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "policies/ir.h"
#include "policies/model.h"

#include <malloc.h>
#include <string.h>

#define CHANGES        300
#define POLICY_CHANGES 20

struct setting {
	unsigned int workloads;
	unsigned int label_sets;
	unsigned int policies;
};

struct world {
	struct document_list documents;
	struct model *model;
	struct ir_compiler *compiler;
	struct ir *ir;
};

static const struct ir_options options = {.posture = POSTURE_ALLOW};

static void must(int r, const char *what, const struct error *error)
{
	if (r >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, error ? error_message(error) : strerror(-r));
	exit(1);
}

static void print_policies(FILE *stream, const struct setting *setting)
{
	for (unsigned int i = 0; i < setting->policies; i++)
		fprintf(stream,
			"---\napiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: p%u}\n"
			"spec:\n  subject: app=a%u\n  ingress: [{from: [{workloads: 'app in "
			"(a%u,a%u)'}], ports: [tcp/%u]}, {from: [{cidr: 192.0.%u.0/24}], ports: "
			"[tcp/443]}]\n  egress: [{to: [{workloads: app=a%u}]}, {to: [{entity: "
			"world}], ports: [tcp/443]}]\n",
			i, i % setting->label_sets, (i + 1) % setting->label_sets,
			(i * 7) % setting->label_sets, 1000 + i, i % 40,
			(i + 3) % setting->label_sets);
}

static void parse(struct world *world, const struct setting *setting)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_free_ char *text = NULL;
	char *printed = NULL;
	size_t size;
	FILE *stream = open_memstream(&printed, &size);

	must(stream ? 0 : -1, "memory", NULL);
	print_policies(stream, setting);
	fclose(stream);
	text = printed;
	must(documents_parse(&world->documents, "bench", text, size, &diagnostics), "parse", NULL);
}

static void add_workload(struct model *model, unsigned int number, unsigned int label_set)
{
	struct model_workload *workload;
	struct address address;
	char name[32], app[32], text[ADDRESS_TEXT_MAX];

	snprintf(name, sizeof(name), "w%u", number);
	snprintf(app, sizeof(app), "a%u", label_set);
	snprintf(text, sizeof(text), "10.%u.%u.%u", number >> 16 & 255, number >> 8 & 255,
		number & 255);
	must(address_parse(text, &address), "address", NULL);
	must(model_add_workload(model, MODEL_NAMESPACE_DEFAULT, name, &workload), "add", NULL);
	must(labels_set(&workload->labels, "app", app), "label", NULL);
	must(labels_set(&workload->labels, "env", "prod"), "label", NULL);
	must(labels_set(&workload->labels, "instance", name), "label", NULL);
	must(model_workload_add_address(workload, &address), "address", NULL);
}

static void remove_workload(struct model *model, unsigned int number)
{
	char name[32];

	snprintf(name, sizeof(name), "w%u", number);
	must(model_remove_workload(model, MODEL_NAMESPACE_DEFAULT, name), "remove", NULL);
}

static void print_ms(const char *what, uint64_t duration_ns)
{
	printf("%-44s %10.3f ms\n", what, (double)duration_ns / 1e6);
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void build(struct world *world, const struct setting *setting)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	uint64_t start_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID), modelled_ns, end_ns;
	size_t before = 0, alone = 0;

	must(model_new(&world->model), "model", NULL);
	for (unsigned int i = 0; i < setting->workloads; i++)
		add_workload(world->model, i, i % setting->label_sets);
	must(model_finish(world->model, &error), "model", &error);
	modelled_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	before = heap_bytes();
	must(ir_compile(&world->documents, world->model, &options, &world->ir, &error), "compile",
		&error);
	end_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	alone = heap_bytes() - before;
	print_ms("model from workloads", modelled_ns - start_ns);
	print_ms("compile", end_ns - modelled_ns);
	printf("%-44s %10.2f MiB\n", "compiled form", (double)alone / (1 << 20));
	printf("%-44s %10zu classes, %zu prefixes, %zu peer tables, %zu port tables\n", "",
		world->ir->classes_count, world->ir->prefixes_count, world->ir->peer_tables_count,
		world->ir->port_tables_count);
	ir_free(world->ir);
	must(ir_compiler_new(&world->compiler), "compiler", NULL);
	before = heap_bytes();
	must(ir_compiler_update(world->compiler, &world->documents, world->model, &options,
		     &world->ir, &error),
		"compile", &error);
	printf("%-44s %10.2f MiB\n", "… with what the compiler keeps for changes",
		(double)(heap_bytes() - before) / (1 << 20));
}

static void follow(struct world *world, struct model *changed)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct ir *ir;

	must(model_finish(changed, &error), "model", &error);
	must(ir_compiler_update(world->compiler, &world->documents, changed, &options, &ir, &error),
		"follow", &error);
	ir_free(world->ir);
	model_free(world->model);
	world->ir = ir;
	world->model = changed;
}

static int compare_durations(const void *a, const void *b)
{
	const uint64_t *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

enum kind {
	ADDED,
	RELABELLED,
	REMOVED,
	NEW_LABELS,
	KINDS
};

static void change(
	struct model *model, const struct setting *setting, enum kind kind, unsigned int i)
{
	unsigned int number = i * 31 % setting->workloads;

	if (kind == ADDED)
		add_workload(model, setting->workloads + i, i % setting->label_sets);
	else if (kind == REMOVED)
		remove_workload(model, setting->workloads + i);
	else
		remove_workload(model, number);
	if (kind == RELABELLED)
		add_workload(model, number, (number + 1) % setting->label_sets);
	else if (kind == NEW_LABELS)
		add_workload(model, number, setting->label_sets + i);
}

static void measure_changes(struct world *world, const struct setting *setting, enum kind kind)
{
	static const char *const names[KINDS] = {"one workload added", "one relabelled",
		"one removed", "one given labels that nobody had"};
	uint64_t durations[CHANGES];

	for (unsigned int i = 0; i < CHANGES; i++) {
		uint64_t start_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		struct model *changed;

		must(model_copy(world->model, &changed), "copy", NULL);
		change(changed, setting, kind, i);
		follow(world, changed);
		durations[i] = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start_ns;
	}
	qsort(durations, CHANGES, sizeof(*durations), compare_durations);
	printf("%-44s %10.3f ms median, %.3f ms p99, %.3f ms worst\n", names[kind],
		(double)durations[CHANGES / 2] / 1e6, (double)durations[CHANGES * 99 / 100] / 1e6,
		(double)durations[CHANGES - 1] / 1e6);
}

/* The last policy goes and comes back. */
static void measure_policy(struct world *world)
{
	uint64_t durations[POLICY_CHANGES];
	size_t all = world->documents.count;

	for (unsigned int i = 0; i < POLICY_CHANGES; i++) {
		uint64_t start_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

		world->documents.count = all - (i % 2 == 0);
		follow(world, model_reference(world->model));
		durations[i] = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start_ns;
	}
	world->documents.count = all;
	qsort(durations, POLICY_CHANGES, sizeof(*durations), compare_durations);
	print_ms("one policy added or removed (median)", durations[POLICY_CHANGES / 2]);
}

int main(int argc, char **argv)
{
	struct setting setting = {10000, 500, 1000};
	unsigned int *const numbers[] = {
		&setting.workloads, &setting.label_sets, &setting.policies};
	struct world world = {0};

	for (int i = 1; i < argc && i <= 3; i++)
		*numbers[i - 1] = (unsigned int)strtoul(argv[i], NULL, 10);
	printf("%u workloads with %u label sets, %u policies\n", setting.workloads,
		setting.label_sets, setting.policies);
	parse(&world, &setting);
	build(&world, &setting);
	for (int kind = 0; kind < KINDS; kind++)
		measure_changes(&world, &setting, (enum kind)kind);
	measure_policy(&world);
	ir_free(world.ir);
	ir_compiler_free(world.compiler);
	model_free(world.model);
	documents_clear(&world.documents);
	return 0;
}
