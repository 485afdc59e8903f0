// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/store_spans.h"

struct cover {
	const int64_t *horizons;
	struct store_span *spans;
	size_t count;
};

static int64_t round_down(int64_t time, enum store_level level)
{
	return time - time % store_level_seconds[level];
}

static int64_t round_up(int64_t time, enum store_level level)
{
	return round_down(time + store_level_seconds[level] - 1, level);
}

static void add(struct cover *cover, enum store_level level, int64_t first, int64_t end)
{
	if (first < end)
		cover->spans[cover->count++] =
			(struct store_span){.level = level, .first = first, .end = end};
}

/* Whole steps of this level, and finer ones before and behind them where those exist. */
static void fill(struct cover *cover, enum store_level level, int64_t since, int64_t until)
{
	int64_t first = round_up(since, level), end = round_down(until, level);
	enum store_level finer = level + 1;

	if (finer == STORE_LEVELS) {
		add(cover, level, round_down(since, level), round_up(until, level));
		return;
	}
	if (first > end && round_down(since, level) >= cover->horizons[finer]) {
		fill(cover, finer, since, until);
		return;
	}
	/* Finer steps of a time are all there or all gone: horizons lie on coarser steps. */
	if (first != since && round_down(since, level) < cover->horizons[finer])
		first = round_down(since, level);
	if (end != until && end < cover->horizons[finer])
		end = round_up(until, level);
	if (since < first)
		fill(cover, finer, since, first);
	add(cover, level, first, end);
	if (end < until)
		fill(cover, finer, end, until);
}

size_t store_spans(int64_t since, int64_t until, const int64_t horizons[static STORE_LEVELS],
	struct store_span spans[static STORE_SPANS_MAX])
{
	struct cover cover = {.horizons = horizons, .spans = spans};

	if (since < horizons[STORE_DAY])
		since = horizons[STORE_DAY];
	if (since < until)
		fill(&cover, STORE_DAY, since, until);
	return cover.count;
}
