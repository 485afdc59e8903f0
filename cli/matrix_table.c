/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "matrix_table.h"

#include "output.h"
#include "table.h"
#include "text.h"

/* Columns are numbered, because names of pods would not fit above marks; the rows are the key. */
#define CELL_WIDTH      5 /* number, blanks */
#define NAME_WIDTH_MAX  32
#define COLUMNS_MAX     64
#define COLUMNS_DEFAULT 12

struct mark {
	const char *symbol;
	enum table_color color;
};

static struct mark allowed_mark(void)
{
	return (struct mark){text_is_utf8() ? "✓" : ".", TABLE_GOOD};
}

static struct mark denied_mark(void)
{
	return (struct mark){text_is_utf8() ? "✗" : "X", TABLE_BAD};
}

/* Both families in one mark. */
static struct mark judge(const struct offline *offline, const struct probe *probe,
	const struct offline_end *from, const struct offline_end *to)
{
	bool allowed[2] = {false, false}, denied = false, unresolved = false;

	if (!offline_is_judged(from, to))
		return (struct mark){" ", TABLE_PLAIN};
	for (int ipv4 = 0; ipv4 < 2; ipv4++) {
		struct probe_result result;

		if (!probe_judge(probe, offline, from, to, ipv4, &result))
			continue;
		unresolved |= result.unresolved;
		allowed[ipv4] = !result.unresolved && result.evaluation.verdict == VERDICT_ALLOW;
		denied |= !result.unresolved && !allowed[ipv4];
	}
	if (unresolved)
		return (struct mark){"?", TABLE_WARNING};
	if (denied && (allowed[0] || allowed[1]))
		return (struct mark){allowed[1] ? "4" : "6", TABLE_WARNING};
	if (denied)
		return denied_mark();
	if (allowed[0] || allowed[1])
		return allowed_mark();
	return (struct mark){" ", TABLE_PLAIN};
}

/* Columns first to last, of the whole matrix. */
static void print_block(const struct settings *settings, const struct offline *offline,
	const struct probe *probe, const struct offline_end *ends, size_t ends_count, size_t first,
	size_t last)
{
	struct table_column columns[COLUMNS_MAX + 3] = {{"FROM", TABLE_RIGHT}, {"", TABLE_SHRINK}};
	char *numbers[COLUMNS_MAX];
	struct table *table;

	for (size_t j = first; j < last; j++) {
		numbers[j - first] = text_format("%zu", j + 1);
		columns[j - first + 2] = (struct table_column){numbers[j - first], 0};
	}
	table = table_new(settings, columns);
	for (size_t i = 0; i < ends_count; i++) {
		table_row(table);
		table_cell(table, TABLE_PLAIN, text_format("%zu", i + 1));
		table_cell_text(table, TABLE_PLAIN, ends[i].full_name);
		for (size_t j = first; j < last; j++) {
			struct mark mark = judge(offline, probe, &ends[i], &ends[j]);

			table_cell_text(table, mark.color, mark.symbol);
		}
	}
	table_print(table);
	table_free(table);
	for (size_t j = first; j < last; j++)
		free(numbers[j - first]);
}

void matrix_table_print(const struct settings *settings, const struct offline *offline,
	const struct probe *probe, const struct offline_end *ends, size_t ends_count)
{
	size_t across = settings->width > NAME_WIDTH_MAX + 4 * CELL_WIDTH
				? (settings->width - NAME_WIDTH_MAX) / CELL_WIDTH
				: COLUMNS_DEFAULT;
	_cleanup_free_ char *heading =
		text_format("%s/%s, rows connect to columns", probe->protocol_name, probe->port);

	if (across > COLUMNS_MAX || !settings->width)
		across = COLUMNS_MAX;
	output_heading(settings, heading);
	for (size_t first = 0; first < ends_count; first += across) {
		size_t last = first + across < ends_count ? first + across : ends_count;

		print_block(settings, offline, probe, ends, ends_count, first, last);
	}
}

void matrix_table_legend(void)
{
	printf("\n%s allowed   %s denied   4 or 6: only by IPv4 or IPv6   ? no port of this name\n",
		allowed_mark().symbol, denied_mark().symbol);
}
