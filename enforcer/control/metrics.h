/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds a page of metrics in the Prometheus text format, version 0.0.4. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics;

enum metrics_type {
	METRICS_COUNTER,
	METRICS_GAUGE,
	METRICS_HISTOGRAM
};

struct metrics_label {
	const char *name;
	const char *value;
};

int metrics_new(struct metrics **ret);
void metrics_free(struct metrics *metrics);

/* Begins a family; its samples follow. By convention a counter's name ends in "_total". */
void metrics_family(
	struct metrics *metrics, const char *name, enum metrics_type type, const char *help);
/* A sample of the current family. labels end with one whose name is NULL; NULL: no labels. */
void metrics_sample(struct metrics *metrics, const struct metrics_label *labels, uint64_t value);
void metrics_sample_double(
	struct metrics *metrics, const struct metrics_label *labels, double value);

/* The samples of a family METRICS_HISTOGRAM, without labels: bounds ascending, one count for each
 * and one for what is above the last, not cumulative. */
void metrics_sample_histogram(struct metrics *metrics, const double *bounds, const uint64_t *counts,
	size_t bounds_count, double sum);

/* The page so far, valid until the next call on metrics. NULL: out of memory. */
const char *metrics_text(struct metrics *metrics);

/* For a compound literal of labels: METRICS_LABELS({"reason", "revoked"}, {"hook", "ingress"}). */
#define METRICS_LABELS(...) ((const struct metrics_label[]){__VA_ARGS__, {NULL, NULL}})

static inline void metrics_freep(struct metrics **metrics)
{
	metrics_free(*metrics);
}
