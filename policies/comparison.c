/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/comparison.h"

#include "base/cleanup.h"
#include "policies/comparison_steps.h"

#include <errno.h>
#include <string.h>

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {
		[OUTCOME_REFUSED] = "refused",
		[OUTCOME_AUDITED] = "audited",
		[OUTCOME_ALLOWED] = "allowed",
	};

	return names[outcome];
}

static void compare_clear(struct compare *compare)
{
	for (size_t i = 0; i < compare->parties_count; i++)
		party_clear(&compare->parties[i]);
	for (size_t i = 0; i < compare->meeting_spans_count; i++)
		free(compare->meeting_spans[i].items);
	for (size_t i = 0; i < compare->contents_count; i++)
		free(compare->contents[i].ranges);
	free(compare->parties);
	free(compare->meeting_spans);
	free(compare->contents);
	free(compare->cells);
	intern_clear(&compare->meetings);
	intern_clear(&compare->content_keys);
}

/* What of the parties is for others to see. */
static int hand_out_parties(struct compare *compare, struct comparison *comparison)
{
	comparison->parties = calloc(compare->parties_count, sizeof(*comparison->parties));
	if (!comparison->parties)
		return -ENOMEM;
	for (size_t i = 0; i < compare->parties_count; i++) {
		comparison->parties[i] = compare->parties[i].public;
		compare->parties[i].public = (struct comparison_party){0};
	}
	comparison->parties_count = compare->parties_count;
	return 0;
}

int compare(const struct model *model, const struct ir *before, const struct ir *after,
	struct comparison *ret)
{
	_cleanup_(compare_clear) struct compare compare = {
		.model = model, .ir = {[BEFORE] = before, [AFTER] = after}};
	_cleanup_(comparison_clear) struct comparison comparison = {0};
	int r;

	if (before->subjects_count != model->workloads_count ||
		after->subjects_count != model->workloads_count)
		return -EINVAL;
	r = compare_parties(&compare);
	if (r == 0)
		r = compare_pairs(&compare);
	if (r == 0)
		r = compare_rows(&compare, &comparison);
	if (r == 0)
		r = hand_out_parties(&compare, &comparison);
	if (r < 0)
		return r;
	memcpy(comparison.pairs, compare.pairs, sizeof(comparison.pairs));
	*ret = comparison;
	comparison = (struct comparison){0};
	return 0;
}

void comparison_clear(struct comparison *comparison)
{
	for (size_t i = 0; i < comparison->parties_count; i++) {
		free(comparison->parties[i].workloads);
		free(comparison->parties[i].prefixes);
	}
	for (size_t i = 0; i < comparison->rows_count; i++) {
		free(comparison->rows[i].from);
		free(comparison->rows[i].to);
		free(comparison->rows[i].ranges);
	}
	free(comparison->parties);
	free(comparison->rows);
	*comparison = (struct comparison){0};
}
