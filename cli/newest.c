/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "newest.h"

#include "text.h"

struct newest newest_make(size_t limit)
{
	return (struct newest){.records = must(json_array()), .limit = limit};
}

static void trim(struct newest *newest)
{
	size_t count = json_array_size(newest->records);
	json_t *kept;

	if (!newest->limit || count <= newest->limit)
		return;
	kept = must(json_array());
	for (size_t i = count - newest->limit; i < count; i++)
		json_array_append(kept, json_array_get(newest->records, i));
	json_decref(newest->records);
	newest->records = kept;
}

void newest_add(struct newest *newest, json_t *record)
{
	json_array_append(newest->records, record);
	/* Rarely enough for the cost of a record to stay the same. */
	if (json_array_size(newest->records) / 2 >= newest->limit)
		trim(newest);
}

json_t *newest_take(struct newest *newest)
{
	json_t *records;

	trim(newest);
	records = newest->records;
	newest->records = NULL;
	return records;
}
