/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "troubles.h"

#include "base/clock.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

static size_t find(const struct troubles *troubles, const char *message)
{
	size_t i = 0;

	while (i < troubles->count && strcmp(troubles->items[i].message, message) != 0)
		i++;
	return i;
}

/* Takes the place of the oldest where there is no other. */
static bool append(struct troubles *troubles, const char *message)
{
	char *copy = strdup(message);

	if (!copy)
		return false;
	if (troubles->count == TROUBLES_MAX)
		free(troubles->items[--troubles->count].message);
	troubles->items[troubles->count++] = (struct trouble){.message = copy};
	return true;
}

void troubles_add(struct troubles *troubles, const char *message, bool repaired)
{
	size_t index = find(troubles, message);
	struct trouble trouble;

	if (index == troubles->count) {
		if (!append(troubles, message))
			return;
		index = troubles->count - 1;
	}
	trouble = troubles->items[index];
	trouble.repaired = repaired;
	trouble.last_ns = clock_ns(CLOCK_REALTIME);
	trouble.count++;
	memmove(&troubles->items[1], &troubles->items[0], index * sizeof(trouble));
	troubles->items[0] = trouble;
}

bool troubles_know(const struct troubles *troubles, const char *message)
{
	return find(troubles, message) < troubles->count;
}

json_t *troubles_to_json(const struct troubles *troubles)
{
	json_t *array = json_array();

	for (size_t i = 0; i < troubles->count; i++) {
		const struct trouble *trouble = &troubles->items[i];

		json_array_append_new(array,
			json_pack("{s:o, s:s, s:b, s:I}", "time", json_from_time(trouble->last_ns),
				"message", trouble->message, "repaired", trouble->repaired, "count",
				(json_int_t)trouble->count));
	}
	return array;
}

void troubles_clear(struct troubles *troubles)
{
	for (size_t i = 0; i < troubles->count; i++)
		free(troubles->items[i].message);
	troubles->count = 0;
}
