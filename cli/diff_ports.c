/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "diff_names.h"

#include "policies/ports.h"
#include "text.h"

#include <netinet/in.h>

static const uint8_t protocols[] = {IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6,
	IPPROTO_SCTP, COMPARISON_PROTOCOL_OTHER};

static char *name_range(const struct comparison_range *range)
{
	const struct policy_port port = {
		.protocol = range->protocol, .first = range->first, .last = range->last};

	if (range->protocol == COMPARISON_PROTOCOL_OTHER)
		return text_format("other protocols");
	return must(port_format(&port));
}

/* What the ranges leave out of all protocols, which is never more than one range more than they
 * are. */
static struct comparison_range *invert(const struct comparison_row *row, size_t *ret_count)
{
	struct comparison_range *gaps =
		must(calloc(row->ranges_count + ARRAY_SIZE(protocols), sizeof(*gaps)));
	size_t count = 0, next = 0;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		unsigned int at = 0;

		for (; next < row->ranges_count && row->ranges[next].protocol == protocols[i];
			next++) {
			const struct comparison_range *range = &row->ranges[next];

			if (range->first > at)
				gaps[count++] = (struct comparison_range){protocols[i], 0,
					(uint16_t)at, (uint16_t)(range->first - 1)};
			at = range->last + 1u;
		}
		if (at <= UINT16_MAX)
			gaps[count++] = (struct comparison_range){
				protocols[i], 0, (uint16_t)at, UINT16_MAX};
	}
	*ret_count = count;
	return gaps;
}

static void print_ranges(FILE *stream, const struct comparison_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *name = name_range(&ranges[i]);

		fprintf(stream, "%s%s", i ? ", " : "", name);
	}
}

char *diff_name_ports(const struct comparison_row *row)
{
	size_t gaps_count;
	_cleanup_free_ struct comparison_range *gaps = invert(row, &gaps_count);
	char *text = NULL;
	FILE *stream = must(open_memstream(&text, &(size_t){0}));

	if (!gaps_count)
		fputs("all", stream);
	else if (gaps_count < row->ranges_count)
		fputs("all but ", stream);
	if (gaps_count < row->ranges_count)
		print_ranges(stream, gaps, gaps_count);
	else
		print_ranges(stream, row->ranges, row->ranges_count);
	if (row->family != COMPARISON_ALL_FAMILIES)
		fputs(row->family == COMPARISON_IPV4 ? " (IPv4 only)" : " (IPv6 only)", stream);
	fclose(stream);
	return must(text);
}

json_t *diff_list_ports(const struct comparison_row *row)
{
	json_t *list = must(json_array());

	for (size_t i = 0; i < row->ranges_count; i++) {
		_cleanup_free_ char *name = row->ranges[i].protocol == COMPARISON_PROTOCOL_OTHER
						    ? text_format("other")
						    : name_range(&row->ranges[i]);

		json_array_append_new(list, json_string(name));
	}
	return list;
}
