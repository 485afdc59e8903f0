/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/comparison_steps.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>
#include <netinet/in.h>

enum {
	IPV6,
	IPV4,
	FAMILIES
};

struct ranges {
	struct comparison_range *items;
	size_t count;
};

/* One change of one pair: what it is, and where. */
struct change {
	enum outcome before, after;
	uint32_t rule;
	struct ranges ranges[FAMILIES];
};

struct changes {
	struct change *items;
	size_t count;
	bool common[FAMILIES]; /* both ends have addresses of this family */
};

static void changes_clear(struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++)
		for (int family = 0; family < FAMILIES; family++)
			free(changes->items[i].ranges[family].items);
	free(changes->items);
}

static int add_range(struct ranges *ranges, const struct comparison_range *range)
{
	struct comparison_range *slot = array_append(ranges->items, ranges->count);

	if (!slot)
		return -ENOMEM;
	*slot = *range;
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct comparison_range *first = a, *second = b;

	if (first->protocol != second->protocol)
		return first->protocol < second->protocol ? -1 : 1;
	return (first->first > second->first) - (first->first < second->first);
}

/* Sorts, and joins what overlaps or touches. */
static void normalize(struct ranges *ranges)
{
	size_t kept = 0;

	if (ranges->count)
		qsort(ranges->items, ranges->count, sizeof(*ranges->items), compare_ranges);
	for (size_t i = 0; i < ranges->count; i++) {
		const struct comparison_range *item = &ranges->items[i];
		struct comparison_range *last = kept ? &ranges->items[kept - 1] : NULL;

		if (!last || last->protocol != item->protocol || item->first > last->last + 1)
			ranges->items[kept++] = *item;
		else if (item->last > last->last)
			last->last = item->last;
	}
	ranges->count = kept;
}

static uint8_t icmp_of(int family)
{
	return family == IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static bool covers_protocol(const struct ranges *ranges, uint8_t protocol)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (ranges->items[i].protocol == protocol)
			return ranges->items[i].first == 0 && ranges->items[i].last == UINT16_MAX;
	return false;
}

/* Two families at once: each has its own ICMP, the rest must be the same. */
static bool agree(const struct change *change)
{
	const struct ranges *lists = change->ranges;
	size_t i[FAMILIES] = {0, 0};

	for (;;) {
		for (int family = 0; family < FAMILIES; family++)
			while (i[family] < lists[family].count &&
				lists[family].items[i[family]].protocol == icmp_of(family))
				i[family]++;
		if (i[IPV6] == lists[IPV6].count || i[IPV4] == lists[IPV4].count)
			return i[IPV6] == lists[IPV6].count && i[IPV4] == lists[IPV4].count;
		if (memcmp(&lists[IPV6].items[i[IPV6]++], &lists[IPV4].items[i[IPV4]++],
			    sizeof(struct comparison_range)) != 0)
			return false;
	}
}

static struct change *find_change(struct changes *changes, const struct span *span)
{
	struct change *slot;

	for (size_t i = 0; i < changes->count; i++) {
		slot = &changes->items[i];
		if (slot->before == span->before && slot->after == span->after &&
			slot->rule == span->rule)
			return slot;
	}
	slot = array_append(changes->items, changes->count);
	if (slot)
		*slot = (struct change){
			.before = span->before, .after = span->after, .rule = span->rule};
	return slot;
}

static int add_spans(struct changes *changes, const struct spans *spans, int family)
{
	for (size_t i = 0; i < spans->count; i++) {
		const struct span *span = &spans->items[i];
		struct change *change;

		if (span->range.protocol == icmp_of(!family))
			continue;
		change = find_change(changes, span);
		if (!change || add_range(&change->ranges[family], &span->range) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Between all addresses of the two. */
static int collect_changes(struct compare *compare, const struct party *from,
	const struct party *to, struct changes *changes)
{
	for (size_t i = 0; i < from->classes_count; i++)
		for (size_t k = 0; k < to->classes_count; k++) {
			const struct party_class *source = &from->classes[i];
			const struct party_class *destination = &to->classes[k];
			int family = source->ipv4 ? IPV4 : IPV6;
			const struct spans *spans;

			if (source->ipv4 != destination->ipv4)
				continue;
			changes->common[family] = true;
			if (compare_classes(compare, from, source, to, destination, &spans) < 0 ||
				add_spans(changes, spans, family) < 0)
				return -ENOMEM;
		}
	for (size_t i = 0; i < changes->count; i++)
		for (int family = 0; family < FAMILIES; family++)
			normalize(&changes->items[i].ranges[family]);
	return 0;
}

/* Rows that say the same have the same content. */
static int number_content(
	struct compare *compare, const struct comparison_row *content, uint32_t *ret)
{
	const uint32_t head[] = {content->before, content->after, content->family, content->rule};
	size_t ranges_size = content->ranges_count * sizeof(*content->ranges);
	_cleanup_free_ char *key = malloc(sizeof(head) + ranges_size);
	struct comparison_row *slot;
	int r;

	if (!key)
		return -ENOMEM;
	memcpy(key, head, sizeof(head));
	memcpy(key + sizeof(head), content->ranges, ranges_size);
	r = intern(&compare->content_keys, key, sizeof(head) + ranges_size, ret);
	if (r <= 0)
		return r;
	slot = array_append(compare->contents, compare->contents_count);
	if (!slot)
		return -ENOMEM;
	*slot = *content;
	slot->ranges = malloc(ranges_size);
	if (!slot->ranges)
		return -ENOMEM;
	memcpy(slot->ranges, content->ranges, ranges_size);
	return 0;
}

static int add_cell(struct compare *compare, uint32_t from, uint32_t to,
	const struct change *change, enum comparison_family family, struct ranges *ranges)
{
	const struct comparison_row content = {
		.before = change->before,
		.after = change->after,
		.family = family,
		.rule = change->rule,
		.ranges = ranges->items,
		.ranges_count = ranges->count,
	};
	struct cell cell = {.from = from, .to = to}, *slot;

	if (!ranges->count)
		return 0;
	if (number_content(compare, &content, &cell.content) < 0)
		return -ENOMEM;
	slot = array_append(compare->cells, compare->cells_count);
	if (!slot)
		return -ENOMEM;
	*slot = cell;
	return 0;
}

/* "Everything" is everything in either family: where there is only one, the other's ICMP goes with
 * what does not concern it. */
static int complete(struct ranges *ranges, int family)
{
	const struct comparison_range icmp = {icmp_of(!family), 0, 0, UINT16_MAX};
	int r = 0;

	if (covers_protocol(ranges, icmp_of(family)) &&
		covers_protocol(ranges, COMPARISON_PROTOCOL_OTHER))
		r = add_range(ranges, &icmp);
	normalize(ranges);
	return r;
}

static int add_change(struct compare *compare, uint32_t from, uint32_t to,
	const struct changes *changes, struct change *change)
{
	static const enum comparison_family names[] = {
		[IPV4] = COMPARISON_IPV4, [IPV6] = COMPARISON_IPV6};
	bool both = changes->common[IPV4] && changes->common[IPV6];
	struct ranges *lists = change->ranges;
	int r = 0;

	if (both && agree(change)) {
		for (size_t i = 0; r == 0 && i < lists[IPV6].count; i++)
			r = add_range(&lists[IPV4], &lists[IPV6].items[i]);
		normalize(&lists[IPV4]);
		return r < 0 ? r
			     : add_cell(compare, from, to, change, COMPARISON_ALL_FAMILIES,
				       &lists[IPV4]);
	}
	for (int family = 0; r == 0 && family < FAMILIES; family++) {
		r = complete(&lists[family], family);
		if (r == 0)
			r = add_cell(compare, from, to, change,
				both ? names[family] : COMPARISON_ALL_FAMILIES, &lists[family]);
	}
	return r;
}

static void count_pairs(struct compare *compare, const struct party *from, const struct party *to,
	const struct changes *changes)
{
	size_t sources = from->public.workloads_count, destinations = to->public.workloads_count;
	size_t pairs = (sources ? sources : 1) * (destinations ? destinations : 1);
	bool seen[OUTCOME_COUNT] = {false};

	if (from == to)
		pairs -= sources;
	for (size_t i = 0; i < changes->count; i++)
		seen[changes->items[i].after] = true;
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		if (seen[outcome])
			compare->pairs[outcome] += pairs;
}

static int compare_pair(struct compare *compare, uint32_t from, uint32_t to)
{
	_cleanup_(changes_clear) struct changes changes = {0};
	const struct party *source = &compare->parties[from], *destination = &compare->parties[to];
	int r = collect_changes(compare, source, destination, &changes);

	for (size_t i = 0; r == 0 && i < changes.count; i++)
		r = add_change(compare, from, to, &changes, &changes.items[i]);
	if (r == 0)
		count_pairs(compare, source, destination, &changes);
	return r;
}

/* Two ends outside are nobody's business; a workload alone in its party has only itself there. */
static bool is_pair(const struct compare *compare, uint32_t from, uint32_t to)
{
	size_t sources = compare->parties[from].public.workloads_count;
	size_t destinations = compare->parties[to].public.workloads_count;

	return from == to ? sources > 1 : sources || destinations;
}

int compare_pairs(struct compare *compare)
{
	int r = 0;

	for (uint32_t from = 0; r == 0 && from < compare->parties_count; from++)
		for (uint32_t to = 0; r == 0 && to < compare->parties_count; to++)
			if (is_pair(compare, from, to))
				r = compare_pair(compare, from, to);
	return r;
}
