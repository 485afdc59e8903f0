/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/comparison_steps.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

/* The parties that one party shares a change with: of a source, or (turned) of a destination. */
struct line {
	uint32_t content;
	uint32_t party;
	uint64_t *others;
};

struct lines {
	struct line *items;
	size_t count;
	size_t words; /* of a bitset */
	bool turned;
};

static void lines_clear(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i].others);
	free(lines->items);
}

static int collect_lines(const struct compare *compare, struct lines *lines)
{
	_cleanup_(intern_clear) struct intern keys = {0};

	for (size_t i = 0; i < compare->cells_count; i++) {
		const struct cell *cell = &compare->cells[i];
		uint32_t party = lines->turned ? cell->to : cell->from;
		uint32_t other = lines->turned ? cell->from : cell->to;
		const uint32_t key[] = {cell->content, party};
		uint32_t number;
		int r = intern(&keys, key, sizeof(key), &number);

		if (r < 0)
			return r;
		if (r > 0) {
			struct line *line = array_append(lines->items, lines->count);

			if (!line)
				return -ENOMEM;
			*line = (struct line){cell->content, party, NULL};
			line->others = calloc(lines->words, sizeof(*line->others));
			if (!line->others)
				return -ENOMEM;
		}
		bitset_set(lines->items[number].others, other);
	}
	return 0;
}

/* Numbers what a row of these others would be. */
static int number_row(
	struct intern *keys, const struct lines *lines, const struct line *line, uint32_t *ret)
{
	size_t size = lines->words * sizeof(*line->others);
	_cleanup_free_ uint64_t *key = malloc(sizeof(*key) + size);

	if (!key)
		return -ENOMEM;
	key[0] = line->content;
	memcpy(key + 1, line->others, size);
	return intern(keys, key, sizeof(*key) + size, ret);
}

/* How many lines have these others. */
static int count_line(
	struct intern *keys, uint32_t **counts, const struct lines *lines, const struct line *line)
{
	size_t count = keys->count;
	uint32_t number;
	int r = number_row(keys, lines, line, &number);

	if (r < 0 || (r > 0 && !array_append(*counts, count)))
		return -ENOMEM;
	(*counts)[number]++;
	return 0;
}

/* A single workload reaches itself in any case, so it may count itself among the others: it does
 * where that makes it equal to more lines. */
static int settle_self(const struct compare *compare, struct lines *lines)
{
	_cleanup_(intern_clear) struct intern keys = {0};
	_cleanup_free_ uint32_t *counts = NULL;
	uint32_t without, with;

	for (int self = 0; self < 2; self++)
		for (size_t i = 0; i < lines->count; i++) {
			struct line *line = &lines->items[i];
			bool single = compare->parties[line->party].public.workloads_count == 1;

			if (self && (!single || bitset_has(line->others, line->party)))
				continue;
			if (self)
				bitset_set(line->others, line->party);
			if (count_line(&keys, &counts, lines, line) < 0)
				return -ENOMEM;
			if (self)
				bitset_unset(line->others, line->party);
		}
	for (size_t i = 0; i < lines->count; i++) {
		struct line *line = &lines->items[i];

		if (compare->parties[line->party].public.workloads_count != 1 ||
			bitset_has(line->others, line->party))
			continue;
		if (number_row(&keys, lines, line, &without) < 0)
			return -ENOMEM;
		bitset_set(line->others, line->party);
		if (number_row(&keys, lines, line, &with) < 0)
			return -ENOMEM;
		if (counts[with] <= counts[without])
			bitset_unset(line->others, line->party);
	}
	return 0;
}

static void rows_free(struct comparison_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rows[i].from);
		free(rows[i].to);
		free(rows[i].ranges);
	}
	free(rows);
}

static int new_row(const struct compare *compare, const struct lines *lines,
	const struct line *line, struct comparison_row *row)
{
	const struct comparison_row *content = &compare->contents[line->content];
	size_t ranges_size = content->ranges_count * sizeof(*content->ranges);

	*row = *content;
	row->from = calloc(lines->words, sizeof(*row->from));
	row->to = calloc(lines->words, sizeof(*row->to));
	row->ranges = malloc(ranges_size);
	if (!row->from || !row->to || !row->ranges)
		return -ENOMEM;
	memcpy(row->ranges, content->ranges, ranges_size);
	memcpy(lines->turned ? row->from : row->to, line->others,
		lines->words * sizeof(*line->others));
	return 0;
}

static int join_lines(const struct compare *compare, const struct lines *lines,
	struct comparison_row **rows, size_t *count)
{
	_cleanup_(intern_clear) struct intern keys = {0};

	for (size_t i = 0; i < lines->count; i++) {
		const struct line *line = &lines->items[i];
		uint32_t number;
		int r = number_row(&keys, lines, line, &number);

		if (r < 0)
			return r;
		if (r > 0) {
			struct comparison_row *row = array_append(*rows, *count);

			if (!row || new_row(compare, lines, line, row) < 0)
				return -ENOMEM;
		}
		bitset_set(lines->turned ? (*rows)[number].to : (*rows)[number].from, line->party);
	}
	return 0;
}

static int make_rows(
	const struct compare *compare, bool turned, struct comparison_row **ret, size_t *ret_count)
{
	_cleanup_(lines_clear) struct lines lines = {
		.words = bitset_words(compare->parties_count), .turned = turned};
	struct comparison_row *rows = NULL;
	size_t count = 0;
	int r = collect_lines(compare, &lines);

	if (r == 0)
		r = settle_self(compare, &lines);
	if (r == 0)
		r = join_lines(compare, &lines, &rows, &count);
	if (r < 0) {
		rows_free(rows, count);
		return r;
	}
	*ret = rows;
	*ret_count = count;
	return 0;
}

static size_t first_party(const uint64_t *set)
{
	size_t bit = 0;

	while (!bitset_has(set, bit))
		bit++;
	return bit;
}

/* What opens comes first, then by who is concerned. */
static int compare_by_outcome(const void *a, const void *b)
{
	const struct comparison_row *first = a, *second = b;
	size_t from[] = {first_party(first->from), first_party(second->from)};
	size_t to[] = {first_party(first->to), first_party(second->to)};

	if (first->after != second->after)
		return first->after > second->after ? -1 : 1;
	if (from[0] != from[1])
		return from[0] < from[1] ? -1 : 1;
	if (to[0] != to[1])
		return to[0] < to[1] ? -1 : 1;
	return (first->ranges[0].protocol > second->ranges[0].protocol) -
	       (first->ranges[0].protocol < second->ranges[0].protocol);
}

/* Joined by sources and by destinations, whichever is shorter to read. */
int compare_rows(const struct compare *compare, struct comparison *comparison)
{
	struct comparison_row *rows[2] = {NULL, NULL};
	size_t counts[2] = {0, 0}, best;
	int r = make_rows(compare, false, &rows[0], &counts[0]);

	if (r == 0)
		r = make_rows(compare, true, &rows[1], &counts[1]);
	best = r == 0 && counts[1] < counts[0];
	rows_free(rows[!best], counts[!best]);
	if (r < 0) {
		rows_free(rows[best], counts[best]);
		return r;
	}
	comparison->rows = rows[best];
	comparison->rows_count = counts[best];
	if (counts[best])
		qsort(comparison->rows, counts[best], sizeof(*comparison->rows),
			compare_by_outcome);
	return 0;
}
