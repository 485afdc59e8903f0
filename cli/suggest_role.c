/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "suggest_role.h"

#include "policies/quarantine.h"
#include "text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_MAX   8 /* of a workload that are tried */
#define SELECTOR_MAX 3 /* labels in a selector; more than that says too much */

/* Those that say what a workload does, the best first. */
static const char *const telling[] = {"app", "app.kubernetes.io/name",
	"app.kubernetes.io/component", "com.docker.compose.service", "k8s-app", "component", "role",
	"service", "name", "tier", "env", "environment"};

/* Those that say which one of many it is, who made it or when. */
static const char *const passing[] = {"pod-template-hash", "controller-revision-hash",
	"pod-template-generation", "version", "release", "chart", "heritage", "build", "revision",
	"app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart",
	"statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index",
	"batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid",
	"job-name", "maintainer", QUARANTINE_LABEL};

/* Whole families of them. */
static const char *const passing_prefixes[] = {"com.docker.compose.", "com.docker.",
	"org.opencontainers.", "io.podman.", "io.buildah.", "desktop.docker.io/",
	"org.label-schema."};

static bool is_one_of(const char *key, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static bool is_passing(const char *key)
{
	if (is_one_of(key, telling, ARRAY_SIZE(telling)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(passing_prefixes); i++)
		if (strncmp(key, passing_prefixes[i], strlen(passing_prefixes[i])) == 0)
			return true;
	return is_one_of(key, passing, ARRAY_SIZE(passing));
}

/* "7f9c4d5b6c", "3f0e…": digits and letters of a hash, and long enough to be one. */
static bool is_hash(const char *value)
{
	size_t digits = 0, length = strlen(value);

	for (const char *c = value; *c; c++) {
		if (!isxdigit((unsigned char)*c))
			return false;
		digits += isdigit((unsigned char)*c) != 0;
	}
	return length >= 8 && digits > 0;
}

static size_t rank_of(const struct label *label)
{
	size_t rank = 0;

	while (rank < ARRAY_SIZE(telling) && strcmp(telling[rank], label->key) != 0)
		rank++;
	return rank;
}

/* A label that repeats the workload's own name is only this one's, unless its key says otherwise.
 */
static bool is_usable(const struct label *label, const char *name)
{
	bool is_own = strcmp(label->value, name) == 0 && rank_of(label) == ARRAY_SIZE(telling);

	return *label->value && !is_own && !is_passing(label->key) && !is_hash(label->value) &&
	       !label_key_problem(label->key) && !label_value_problem(label->value);
}

struct candidate {
	const struct label *label;
};

static int compare_candidates(const void *left, const void *right)
{
	const struct label *a = ((const struct candidate *)left)->label;
	const struct label *b = ((const struct candidate *)right)->label;
	size_t rank_a = rank_of(a), rank_b = rank_of(b);

	return rank_a != rank_b ? (rank_a > rank_b) - (rank_a < rank_b) : strcmp(a->key, b->key);
}

/* Best first; those beyond the maximum are the least telling ones. */
static size_t usable_labels(
	const struct model_workload *workload, const struct label *ret[LABELS_MAX])
{
	const struct labels *labels = &workload->labels;
	_cleanup_free_ struct candidate *all = must(calloc(labels->count + 1, sizeof(*all)));
	size_t count = 0;

	for (size_t i = 0; i < labels->count; i++)
		if (is_usable(&labels->items[i], workload->name))
			all[count++].label = &labels->items[i];
	qsort(all, count, sizeof(*all), compare_candidates);
	if (count > LABELS_MAX)
		count = LABELS_MAX;
	for (size_t i = 0; i < count; i++)
		ret[i] = all[i].label;
	return count;
}

struct choice {
	const struct model *model;
	const char *namespace;
	const struct label *labels[LABELS_MAX];
	size_t count;
	size_t wanted; /* how many workloads all labels together take */
};

/* Workloads of the namespace that have the labels whose bits are set. */
static size_t taken_by(const struct choice *choice, unsigned int bits)
{
	size_t taken = 0;

	for (size_t i = 0; i < choice->model->workloads_count; i++) {
		const struct model_workload *workload = &choice->model->workloads[i];
		bool has_all = strcmp(workload->namespace, choice->namespace) == 0;

		for (size_t k = 0; has_all && k < choice->count; k++) {
			const char *value = labels_get(&workload->labels, choice->labels[k]->key);

			if (bits & 1u << k)
				has_all = value && strcmp(value, choice->labels[k]->value) == 0;
		}
		taken += has_all;
	}
	return taken;
}

/* Combinations in the order of their numbers: those of better labels come first. 0: there is no
 * combination of so few. */
static unsigned int fewest(const struct choice *choice)
{
	for (int size = 1; size <= SELECTOR_MAX; size++)
		for (unsigned int bits = 1; bits < 1u << choice->count; bits++)
			if (__builtin_popcount(bits) == size &&
				taken_by(choice, bits) == choice->wanted)
				return bits;
	return 0;
}

/* "app=web,env=prod", or of the values alone "web-prod". */
static char *format_chosen(const struct choice *choice, unsigned int bits, bool values)
{
	char *text = NULL;
	FILE *stream = must(open_memstream(&text, &(size_t){0}));
	bool first = true;

	for (size_t i = 0; i < choice->count; i++) {
		if (!(bits & 1u << i))
			continue;
		if (values)
			fprintf(stream, "%s%s", first ? "" : "-", choice->labels[i]->value);
		else
			fprintf(stream, "%s%s=%s", first ? "" : ",", choice->labels[i]->key,
				choice->labels[i]->value);
		first = false;
	}
	fclose(stream);
	return must(text);
}

/* Names of documents are lower case letters, digits and dashes. */
static char *to_word(const char *text)
{
	char *word = text_format("%.40s", text), *end = word;

	for (const char *c = word; *c; c++)
		if (isalnum((unsigned char)*c))
			*end++ = (char)tolower((unsigned char)*c);
		else if (end > word && end[-1] != '-')
			*end++ = '-';
	while (end > word && end[-1] == '-')
		end--;
	*end = '\0';
	return word;
}

static void find_labels(
	const struct model *model, const struct model_workload *workload, struct suggest_role *role)
{
	struct choice choice = {.model = model, .namespace = workload->namespace};
	_cleanup_free_ char *values = NULL;
	unsigned int all, bits;

	/* It becomes part of a policy's text, and it is whoever started the container who chose it.
	 */
	if (!label_value_problem(workload->namespace))
		choice.count = usable_labels(workload, choice.labels);
	role->namespace = text_format("%s", workload->namespace);
	if (!choice.count) {
		role->word = to_word(workload->name);
		return;
	}
	all = (1u << choice.count) - 1;
	choice.wanted = taken_by(&choice, all);
	bits = fewest(&choice);
	bits = bits ? bits : all;
	role->selector = format_chosen(&choice, bits, false);
	values = format_chosen(&choice, bits, true);
	role->word = to_word(values);
}

void suggest_role_find(const struct model *model, const struct model_workload *workload, bool host,
	const struct address *address, struct suggest_role *ret)
{
	struct suggest_role role = {.host = host, .address = *address};

	if (workload)
		find_labels(model, workload, &role);
	else
		role.word = text_format(host ? "host" : "outside");
	*ret = role;
}

void suggest_role_clear(struct suggest_role *role)
{
	free(role->namespace);
	free(role->selector);
	free(role->word);
}

/* A comma ends an item of a YAML list. */
static char *quoted(const char *selector)
{
	const char *quote = strchr(selector, ',') ? "\"" : "";

	return text_format("%s%s%s", quote, selector, quote);
}

char *suggest_role_subject(const struct suggest_role *role)
{
	return quoted(role->host ? "entity:host" : role->selector);
}

char *suggest_role_peer(const struct suggest_role *role, const char *namespace)
{
	char text[PREFIX_TEXT_MAX];
	struct prefix prefix = {.address = role->address, .length = 128};

	if (role->host)
		return text_format("{entity: host}");
	if (role->selector) {
		_cleanup_free_ char *selector = quoted(role->selector);

		if (strcmp(role->namespace, namespace) == 0)
			return text_format("{workloads: %s}", selector);
		return text_format("{workloads: %s, namespaces: " MODEL_NAMESPACE_LABEL "=%s}",
			selector, role->namespace);
	}
	prefix_format(&prefix, text);
	return text_format(strchr(text, ':') ? "{cidr: \"%s\"}" : "{cidr: %s}", text);
}
