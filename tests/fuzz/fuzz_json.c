/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any JSON as policy documents, written as jansson writes it: no JSON is a syntax error, and
 * however it is laid out it is taken, or refused, for the same reasons. */
#include "policies/document.h"

#include "base/cleanup.h"

#include <jansson.h>
#include <stdint.h>
#include <string.h>

#define DEPTH_MAX 60   /* what is deeper is refused at a place that the layout decides */
#define KEY_MAX   1000 /* YAML 1.1 has no longer keys without '?' */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool is_out_of_bounds(const json_t *value, unsigned int depth)
{
	const char *key;
	json_t *item;
	size_t i;

	if (depth > DEPTH_MAX)
		return true;
	json_array_foreach (value, i, item)
		if (is_out_of_bounds(item, depth + 1))
			return true;
	json_object_foreach ((json_t *)value, key, item)
		if (strlen(key) > KEY_MAX || is_out_of_bounds(item, depth + 1))
			return true;
	return false;
}

static void parse(const json_t *value, size_t layout, struct document_list *list,
	struct diagnostics *diagnostics)
{
	_cleanup_free_ char *text = json_dumps(value, layout | JSON_ENCODE_ANY);
	int r;

	require(text);
	r = documents_parse(list, "fuzz", text, strlen(text), diagnostics);
	require((r < 0) == (diagnostics->errors > 0));
	for (size_t i = 0; i < diagnostics->count; i++)
		require(strcmp(diagnostics->items[i].code, "syntax"));
}

static void compare(const json_t *value)
{
	_cleanup_(documents_clear) struct document_list wide = {0};
	_cleanup_(documents_clear) struct document_list narrow = {0};
	_cleanup_(diagnostics_clear) struct diagnostics of_wide = DIAGNOSTICS_INIT;
	_cleanup_(diagnostics_clear) struct diagnostics of_narrow = DIAGNOSTICS_INIT;

	parse(value, JSON_INDENT(2), &wide, &of_wide);
	parse(value, JSON_COMPACT, &narrow, &of_narrow);
	require(of_wide.errors == of_narrow.errors && of_wide.count == of_narrow.count);
	require(wide.count == narrow.count);
	for (size_t i = 0; i < wide.count; i++) {
		require(wide.items[i]->kind == narrow.items[i]->kind);
		require(!strcmp(wide.items[i]->namespace, narrow.items[i]->namespace));
		require(!strcmp(wide.items[i]->name, narrow.items[i]->name));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *value = json_loadb((const char *)data, size, 0, NULL);

	if (value && !is_out_of_bounds(value, 0))
		compare(value);
	json_decref(value);
	return 0;
}
