/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "diff_names.h"

#include "text.h"

#include <string.h>

#define NAMES_MAX 3 /* more workloads than these are told by what they have in common */

/* A growing list with commas. */
struct words {
	FILE *stream;
	char *text;
	bool begun;
};

static void words_open(struct words *words)
{
	words->stream = must(open_memstream(&words->text, &(size_t){0}));
}

static char *words_close(struct words *words)
{
	fclose(words->stream);
	return must(words->text);
}

/* Takes word. */
static void words_add(struct words *words, char *word)
{
	fprintf(words->stream, "%s%s", words->begun ? ", " : "", word);
	words->begun = true;
	free(word);
}

/* Workloads of the set, marked by their index in the model. */
static bool *mark_workloads(
	const struct model *model, const struct comparison *comparison, const uint64_t *set)
{
	bool *marks = must(calloc(model->workloads_count + 1, sizeof(*marks)));

	for (size_t i = 0; i < comparison->parties_count; i++)
		for (size_t k = 0; bitset_has(set, i) && k < comparison->parties[i].workloads_count;
			k++)
			marks[comparison->parties[i].workloads[k]] = true;
	return marks;
}

/* One namespace's workloads stand side by side in the model. */
struct span {
	const struct model *model;
	const bool *marks;
	size_t first, end;
	size_t marked; /* of them */
};

/* The label that these have, and no other of the namespace. */
static const struct label *find_label(const struct span *span)
{
	const struct model_workload *workloads = span->model->workloads, *one;
	size_t index = span->first;

	while (!span->marks[index])
		index++;
	one = &workloads[index];
	for (size_t i = 0; i < one->labels.count; i++) {
		const struct label *label = &one->labels.items[i];
		bool same = true;

		for (size_t k = span->first; same && k < span->end; k++) {
			const char *value = labels_get(&workloads[k].labels, label->key);

			same = workloads[k].host_network ||
			       span->marks[k] == (value && !strcmp(value, label->value));
		}
		if (same)
			return label;
	}
	return NULL;
}

static void add_names(const struct span *span, size_t maximum, struct words *words)
{
	size_t named = 0;

	for (size_t i = span->first; i < span->end && named < maximum; i++)
		if (span->marks[i] && ++named)
			words_add(words, text_format("%s/%s", span->model->workloads[i].namespace,
						 span->model->workloads[i].name));
	if (named < span->marked)
		words_add(words, text_format("and %zu more in %s", span->marked - named,
					 span->model->workloads[span->first].namespace));
}

static void add_namespace(const struct span *span, bool whole, struct words *words)
{
	const char *name = span->model->workloads[span->first].namespace;
	const struct label *label = NULL;
	size_t subjects = 0;

	for (size_t i = span->first; i < span->end; i++)
		subjects += !span->model->workloads[i].host_network;
	if (!whole && span->marked == subjects && span->marked > 1)
		words_add(words, text_format("%s: all (%zu)", name, span->marked));
	else if (!whole && span->marked > 1 && (label = find_label(span)))
		words_add(words, text_format("%s: %s=%s (%zu)", name, label->key, label->value,
					 span->marked));
	else
		add_names(
			span, whole || span->marked <= NAMES_MAX ? SIZE_MAX : NAMES_MAX - 1, words);
}

/* What workloads of several namespaces have in common, if they are all that have it. */
static bool add_everywhere(const struct model *model, const bool *marks, struct words *words)
{
	struct span span = {.model = model, .marks = marks, .end = model->workloads_count};
	const struct label *label;
	const char *namespace = NULL;
	bool several = false;

	for (size_t i = 0; i < span.end; i++) {
		if (!marks[i])
			continue;
		several |= namespace && strcmp(namespace, model->workloads[i].namespace) != 0;
		namespace = model->workloads[i].namespace;
		span.marked++;
	}
	label = several && span.marked > NAMES_MAX ? find_label(&span) : NULL;
	if (label)
		words_add(words, text_format("%s=%s everywhere (%zu)", label->key, label->value,
					 span.marked));
	return label;
}

static void add_workloads(
	const struct model *model, const bool *marks, bool whole, struct words *words)
{
	if (!whole && add_everywhere(model, marks, words))
		return;
	for (size_t first = 0, end; first < model->workloads_count; first = end) {
		struct span span = {.model = model, .marks = marks, .first = first};

		for (end = first;
			end < model->workloads_count &&
			!strcmp(model->workloads[end].namespace, model->workloads[first].namespace);
			end++)
			span.marked += marks[end];
		span.end = end;
		if (span.marked)
			add_namespace(&span, whole, words);
	}
}

static void add_world(const struct comparison *comparison, const uint64_t *set, struct words *words)
{
	char text[PREFIX_TEXT_MAX];
	size_t parts = 0, taken = 0;

	for (size_t i = 0; i < comparison->parties_count; i++) {
		parts += comparison->parties[i].prefixes_count > 0;
		taken += bitset_has(set, i) && comparison->parties[i].prefixes_count > 0;
	}
	if (taken && taken == parts) {
		words_add(words, text_format("world"));
		return;
	}
	for (size_t i = 0; i < comparison->parties_count; i++) {
		const struct comparison_party *party = &comparison->parties[i];
		bool rest = false;

		for (size_t k = 0; bitset_has(set, i) && k < party->prefixes_count; k++) {
			const struct prefix *prefix = &party->prefixes[k];
			bool root = prefix->length == (prefix_is_ipv4(prefix) ? 96 : 0);

			if (!root)
				words_add(words, text_format("%s", prefix_format(prefix, text)));
			else if (!rest)
				words_add(words, text_format("rest of the world"));
			rest |= root;
		}
	}
}

static bool is_everyone(const struct comparison *comparison, const uint64_t *set)
{
	size_t i = 0;

	while (i < comparison->parties_count && bitset_has(set, i))
		i++;
	return i == comparison->parties_count && i > 1;
}

char *diff_name_parties(const struct model *model, const struct comparison *comparison,
	const uint64_t *set, bool whole)
{
	_cleanup_free_ bool *marks = mark_workloads(model, comparison, set);
	struct words words = {0};

	if (!whole && is_everyone(comparison, set))
		return text_format("everyone");
	words_open(&words);
	add_workloads(model, marks, whole, &words);
	for (size_t i = 0; i < comparison->parties_count; i++)
		if (bitset_has(set, i) && comparison->parties[i].host)
			words_add(&words, text_format("host"));
	add_world(comparison, set, &words);
	return words_close(&words);
}

json_t *diff_list_parties(
	const struct model *model, const struct comparison *comparison, const uint64_t *set)
{
	_cleanup_free_ bool *marks = mark_workloads(model, comparison, set);
	json_t *list = must(json_array());
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < model->workloads_count; i++)
		if (marks[i])
			json_array_append_new(
				list, json_sprintf("%s/%s", model->workloads[i].namespace,
					      model->workloads[i].name));
	for (size_t i = 0; i < comparison->parties_count; i++) {
		const struct comparison_party *party = &comparison->parties[i];

		if (!bitset_has(set, i))
			continue;
		if (party->host)
			json_array_append_new(list, json_string("host"));
		for (size_t k = 0; k < party->prefixes_count; k++)
			json_array_append_new(
				list, json_string(prefix_format(&party->prefixes[k], text)));
	}
	return list;
}
