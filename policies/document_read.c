/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/read.h"

#include "base/cleanup.h"
#include "policies/array.h"
#include "policies/expectation.h"
#include "policies/model.h"

#include <errno.h>

#define NAME_MAX_LENGTH      253
#define NAMESPACE_MAX_LENGTH 63

enum {
	API_VERSION,
	KIND,
	METADATA,
	SPEC,
	STATUS,
	ITEMS,
	DOCUMENT_FIELDS
};

/* What may be written down as a document. Ours and List are the exceptions, not the rule. */
static const struct known_kind {
	const char *api_version;
	enum document_kind kind;
	bool namespaced;   /* without a namespace it is in "default" */
	bool cluster_wide; /* it must not have one */
	bool needs_spec;
} known_kinds[] = {
	{"networking.k8s.io/v1", DOCUMENT_NETWORK_POLICY, true, false, true},
	{"policy.networking.k8s.io/v1alpha2", DOCUMENT_CLUSTER_NETWORK_POLICY, false, true, true},
	{"segctl.io/v1", DOCUMENT_SEGMENT_POLICY, false, false, true},
	{"v1", DOCUMENT_POD, true, false, false},
	{"v1", DOCUMENT_NAMESPACE, false, true, false},
	{"v1", DOCUMENT_NODE, false, true, false},
	{"segctl.io/v1", DOCUMENT_POLICY_TEST, true, false, true},
	{"segctl.io/v1", DOCUMENT_QUARANTINE, true, false, true},
};

static bool is_lower_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static const char *name_problem(const char *name, const char *punctuation, size_t maximum)
{
	size_t length = strlen(name);

	if (!length)
		return "is empty";
	if (length > maximum)
		return maximum == NAME_MAX_LENGTH ? "is longer than 253 characters"
						  : "is longer than 63 characters";
	for (size_t i = 0; i < length; i++)
		if (!is_lower_alphanumeric(name[i]) && !strchr(punctuation, name[i]))
			return strchr(punctuation, '.')
				       ? "may hold only lower case letters, digits, '-' and '.'"
				       : "may hold only lower case letters, digits, '-' and '_'";
	if (!is_lower_alphanumeric(name[0]) || strchr("-.", name[length - 1]))
		return "must begin and end with a letter or digit";
	return NULL;
}

static void read_name(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	const char *punctuation, size_t maximum, char **ret)
{
	const char *name, *problem;

	if (!yaml_read_string(reader, node, what, &name))
		return;
	problem = name_problem(name, punctuation, maximum);
	if (problem)
		yaml_reader_error(reader, node, "bad-name", "%s \"%.80s\" %s", what, name, problem);
	else
		string_copy(reader, name, ret);
}

/* '_' is for Compose projects, which are namespaces, too. */
static void read_namespace(struct yaml_reader *reader, yaml_node_t *node, char **ret)
{
	read_name(reader, node, "namespace", "-_", NAMESPACE_MAX_LENGTH, ret);
}

/* What runtimes call a workload goes by no rules of Kubernetes ("My_App"). */
static void read_runtime_name(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, char **ret)
{
	const char *name;

	if (!yaml_read_string(reader, node, what, &name))
		return;
	if (*name && strlen(name) <= NAME_MAX_LENGTH)
		string_copy(reader, name, ret);
	else
		yaml_reader_error(reader, node, "bad-name", "%s \"%.80s\" %s", what, name,
			*name ? "is longer than 253 characters" : "is empty");
}

static void read_metadata(struct yaml_reader *reader, yaml_node_t *node, unsigned int flags,
	struct document *document, struct labels *labels)
{
	enum {
		NAME,
		NAMESPACE,
		LABELS,
		USED
	};
	/* All of ObjectMeta, so that a mistyped "namespace" does not go unnoticed. */
	struct yaml_field fields[] = {
		[NAME] = {.name = "name", .required = true},
		[NAMESPACE] = {.name = "namespace"},
		[LABELS] = {.name = "labels"},
		{.name = "annotations"},
		{.name = "creationTimestamp"},
		{.name = "deletionGracePeriodSeconds"},
		{.name = "deletionTimestamp"},
		{.name = "finalizers"},
		{.name = "generateName"},
		{.name = "generation"},
		{.name = "managedFields"},
		{.name = "ownerReferences"},
		{.name = "resourceVersion"},
		{.name = "selfLink"},
		{.name = "uid"},
	};

	if (!yaml_read_mapping(reader, node, "metadata", fields, ARRAY_SIZE(fields), flags))
		return;
	if (fields[NAME].node && document->kind == DOCUMENT_NAMESPACE)
		read_namespace(reader, fields[NAME].node, &document->name);
	else if (fields[NAME].node && document->kind == DOCUMENT_QUARANTINE)
		read_runtime_name(reader, fields[NAME].node, "name", &document->name);
	else if (fields[NAME].node)
		read_name(
			reader, fields[NAME].node, "name", "-.", NAME_MAX_LENGTH, &document->name);
	if (fields[NAMESPACE].node && document->kind == DOCUMENT_QUARANTINE)
		read_runtime_name(
			reader, fields[NAMESPACE].node, "namespace", &document->namespace);
	else if (fields[NAMESPACE].node)
		read_namespace(reader, fields[NAMESPACE].node, &document->namespace);
	if (fields[LABELS].node)
		labels_read(reader, fields[LABELS].node, "labels", labels);
}

static bool allocate_content(struct document *document)
{
	switch (document->kind) {
	case DOCUMENT_POD:
		document->pod = calloc(1, sizeof(*document->pod));
		return document->pod;
	case DOCUMENT_NAMESPACE:
		document->namespace_labels = calloc(1, sizeof(*document->namespace_labels));
		return document->namespace_labels;
	case DOCUMENT_NODE:
		document->node = calloc(1, sizeof(*document->node));
		return document->node;
	case DOCUMENT_POLICY_TEST:
		document->test = calloc(1, sizeof(*document->test));
		return document->test;
	default:
		document->policy = policy_new();
		return document->policy;
	}
}

static void read_object_metadata(
	struct yaml_reader *reader, yaml_node_t *node, struct document *document)
{
	_cleanup_(labels_clear) struct labels ignored = {0};
	struct labels *labels = &ignored;

	if (document->pod)
		labels = &document->pod->labels;
	else if (document->namespace_labels)
		labels = document->namespace_labels;
	else if (document->node)
		labels = &document->node->labels;
	read_metadata(reader, node, document->policy || document->test ? 0 : YAML_IGNORE_UNKNOWN,
		document, labels);
}

static void read_content(
	struct yaml_reader *reader, const struct yaml_field *fields, struct document *document)
{
	yaml_node_t *spec = fields[SPEC].node;

	switch (document->kind) {
	case DOCUMENT_NETWORK_POLICY:
		if (spec)
			network_policy_read(reader, spec, document);
		break;
	case DOCUMENT_SEGMENT_POLICY:
		if (spec)
			segment_policy_read(reader, spec, document);
		break;
	case DOCUMENT_CLUSTER_NETWORK_POLICY:
		if (spec)
			cluster_network_policy_read(reader, spec, document);
		break;
	case DOCUMENT_POD:
		pod_read(reader, spec, fields[STATUS].node, document);
		break;
	case DOCUMENT_POLICY_TEST:
		if (spec)
			policy_test_read(reader, spec, document);
		break;
	case DOCUMENT_QUARANTINE:
		if (spec)
			quarantine_read(reader, spec, document);
		break;
	case DOCUMENT_NODE:
		node_read(reader, fields[STATUS].node, document);
		break;
	case DOCUMENT_NAMESPACE:
		break;
	}
}

static const struct known_kind *find_kind(struct yaml_reader *reader, struct yaml_field *fields)
{
	const char *names[ARRAY_SIZE(known_kinds) + 1];
	const char *api_version;
	unsigned int kind;

	if (!fields[KIND].node || !fields[API_VERSION].node)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(known_kinds); i++)
		names[i] = document_kind_name(known_kinds[i].kind);
	names[ARRAY_SIZE(known_kinds)] = "List";
	if (!yaml_read_choice(reader, fields[KIND].node, "kind", names, ARRAY_SIZE(names), &kind) ||
		!yaml_read_string(reader, fields[API_VERSION].node, "apiVersion", &api_version))
		return NULL;
	if (kind < ARRAY_SIZE(known_kinds) && !strcmp(known_kinds[kind].api_version, api_version))
		return &known_kinds[kind];
	if (kind < ARRAY_SIZE(known_kinds))
		yaml_reader_error(reader, fields[API_VERSION].node, "unknown-version",
			"apiVersion of a %s must be %s, found %.64s", names[kind],
			known_kinds[kind].api_version, api_version);
	else
		yaml_reader_error(
			reader, fields[KIND].node, "bad-list", "a List must not be in a List");
	return NULL;
}

static void read_document(struct yaml_reader *reader, yaml_node_t *node, struct yaml_field *fields,
	const struct known_kind *known, struct document *document)
{
	document->kind = known->kind;
	document->line = yaml_reader_location(reader, node).line;
	string_copy(reader, reader->file, &document->file);
	if (!allocate_content(document)) {
		reader->out_of_memory = true;
		return;
	}
	if (fields[METADATA].node)
		read_object_metadata(reader, fields[METADATA].node, document);
	else
		yaml_reader_error(
			reader, node, "missing-field", "the document needs the field \"metadata\"");
	if (!fields[SPEC].node && known->needs_spec)
		yaml_reader_error(
			reader, node, "missing-field", "the document needs the field \"spec\"");
	if (document->namespace && known->cluster_wide)
		yaml_reader_error(reader, fields[METADATA].node, "bad-namespace",
			"a %s is in no namespace", document_kind_name(known->kind));
	if (!document->namespace && known->namespaced)
		string_copy(reader, MODEL_NAMESPACE_DEFAULT, &document->namespace);
	read_content(reader, fields, document);
	if (!document->namespace)
		string_copy(reader, "", &document->namespace);
	if (!document->name)
		string_copy(reader, "", &document->name);
}

static bool is_list(const struct yaml_field *fields)
{
	const yaml_node_t *kind = fields[KIND].node;

	return kind && kind->type == YAML_SCALAR_NODE &&
	       !strcmp((const char *)kind->data.scalar.value, "List");
}

static void read_item(struct yaml_reader *reader, yaml_node_t *node, struct yaml_field *fields,
	const struct document_sink *sink)
{
	const struct known_kind *known = find_kind(reader, fields);
	struct document *document, **slot;

	if (!known)
		return;
	document = calloc(1, sizeof(*document));
	slot = document ? array_append(sink->list->items, sink->list->count) : NULL;
	if (!slot) {
		free(document);
		reader->out_of_memory = true;
		return;
	}
	*slot = document_reference(document);
	read_document(reader, node, fields, known, document);
	document->text = sink->text(node, sink->userdata);
	if (!document->text)
		reader->out_of_memory = true;
}

static bool read_fields(
	struct yaml_reader *reader, yaml_node_t *node, struct yaml_field *fields, size_t count)
{
	static const struct yaml_field document_fields[DOCUMENT_FIELDS] = {
		[API_VERSION] = {.name = "apiVersion", .required = true},
		[KIND] = {.name = "kind", .required = true},
		[METADATA] = {.name = "metadata"},
		[SPEC] = {.name = "spec"},
		[STATUS] = {.name = "status"},
		[ITEMS] = {.name = "items"},
	};

	memcpy(fields, document_fields, count * sizeof(*fields));
	return yaml_read_mapping(reader, node, "a document", fields, count, 0);
}

void document_read(struct yaml_reader *reader, yaml_node_t *node, const struct document_sink *sink)
{
	struct yaml_field fields[DOCUMENT_FIELDS];
	const yaml_node_item_t *items;
	size_t count;

	if (!read_fields(reader, node, fields, DOCUMENT_FIELDS))
		return;
	if (!is_list(fields)) {
		if (fields[ITEMS].key)
			yaml_reader_error(reader, fields[ITEMS].key, "unknown-field",
				"items belongs into a List");
		read_item(reader, node, fields, sink);
		return;
	}
	if (!fields[ITEMS].node ||
		!yaml_read_sequence(reader, fields[ITEMS].node, "items", &items, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		yaml_node_t *item = yaml_reader_node(reader, items[i]);

		if (read_fields(reader, item, fields, ITEMS))
			read_item(reader, item, fields, sink);
	}
}
