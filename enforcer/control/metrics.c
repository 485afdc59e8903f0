/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/metrics.h"

#include "base/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct metrics {
	FILE *page;
	char *text;
	size_t size;
	char *family;
	bool failed;
};

static const char *const type_names[] = {
	[METRICS_COUNTER] = "counter",
	[METRICS_GAUGE] = "gauge",
	[METRICS_HISTOGRAM] = "histogram",
};

int metrics_new(struct metrics **ret)
{
	_cleanup_(metrics_freep) struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		return -ENOMEM;
	metrics->page = open_memstream(&metrics->text, &metrics->size);
	if (!metrics->page)
		return -errno;
	*ret = TAKE_PTR(metrics);
	return 0;
}

void metrics_free(struct metrics *metrics)
{
	if (!metrics)
		return;
	if (metrics->page)
		fclose(metrics->page);
	free(metrics->text);
	free(metrics->family);
	free(metrics);
}

/* The format has three escapes; a quote needs one only inside quotes. */
static void print_escaped(FILE *page, const char *text, bool quoted)
{
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\\\", page);
		else if (*text == '\n')
			fputs("\\n", page);
		else if (*text == '"' && quoted)
			fputs("\\\"", page);
		else
			fputc(*text, page);
	}
}

void metrics_family(
	struct metrics *metrics, const char *name, enum metrics_type type, const char *help)
{
	free(metrics->family);
	if (asprintf(&metrics->family, "%s", name) < 0) {
		metrics->family = NULL;
		metrics->failed = true;
		return;
	}
	fprintf(metrics->page, "# HELP %s ", name);
	print_escaped(metrics->page, help, false);
	fprintf(metrics->page, "\n# TYPE %s %s\n", name, type_names[type]);
}

static void begin_sample(struct metrics *metrics, const struct metrics_label *labels)
{
	fputs(metrics->family ? metrics->family : "", metrics->page);
	if (!labels || !labels->name)
		return;
	for (const struct metrics_label *label = labels; label->name; label++) {
		fprintf(metrics->page, "%c%s=\"", label == labels ? '{' : ',', label->name);
		print_escaped(metrics->page, label->value, true);
		fputc('"', metrics->page);
	}
	fputc('}', metrics->page);
}

void metrics_sample(struct metrics *metrics, const struct metrics_label *labels, uint64_t value)
{
	begin_sample(metrics, labels);
	fprintf(metrics->page, " %" PRIu64 "\n", value);
}

void metrics_sample_double(
	struct metrics *metrics, const struct metrics_label *labels, double value)
{
	begin_sample(metrics, labels);
	fprintf(metrics->page, " %.17g\n", value);
}

void metrics_sample_histogram(struct metrics *metrics, const double *bounds, const uint64_t *counts,
	size_t bounds_count, double sum)
{
	const char *family = metrics->family ? metrics->family : "";
	uint64_t total = 0;

	for (size_t i = 0; i < bounds_count; i++) {
		total += counts[i];
		fprintf(metrics->page, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", family, bounds[i],
			total);
	}
	total += counts[bounds_count];
	fprintf(metrics->page,
		"%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.9g\n%s_count %" PRIu64 "\n", family,
		total, family, sum, family, total);
}

const char *metrics_text(struct metrics *metrics)
{
	if (metrics->failed || fflush(metrics->page) || ferror(metrics->page))
		return NULL;
	return metrics->text;
}
