/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster.h"

#include "json.h"
#include "must.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

void cluster_clear(struct cluster *cluster)
{
	json_decref(cluster->namespaces);
	json_decref(cluster->pods);
	json_decref(cluster->nodes);
	json_decref(cluster->policies);
	*cluster = (struct cluster){0};
}

int cluster_load(
	const struct corpus *corpus, const char *key, struct cluster *ret, struct error *error)
{
	const json_t *found = json_object_get(corpus->clusters, key);
	json_t *namespaces, *pods, *nodes = NULL;
	json_error_t problem;

	if (!found)
		return error_set(error, -EINVAL, "the corpus has no cluster '%s'", key);
	if (json_unpack_ex((json_t *)found, &problem, 0, "{s:o, s:o, s?o}", "namespaces",
		    &namespaces, "pods", &pods, "nodes", &nodes) < 0)
		return error_set(error, -EINVAL, "cluster '%s': %s", key, problem.text);
	if (!json_is_object(namespaces) || !json_is_array(pods) ||
		(nodes && !json_is_object(nodes)))
		return error_set(error, -EINVAL,
			"cluster '%s': namespaces and nodes are objects, pods is an array", key);
	*ret = (struct cluster){
		.namespaces = must(json_copy(namespaces)),
		.pods = must(json_copy(pods)),
		.nodes = must(nodes ? json_copy(nodes) : json_object()),
		.policies = must(json_array()),
	};
	return 0;
}

int cluster_load_step(const struct corpus *corpus, const char *key, const json_t *step,
	struct cluster *ret, struct error *error)
{
	json_t *policies = json_object_get(step, "policies");
	json_t *labels = json_object_get(step, "namespace_labels");
	struct cluster cluster;
	int r;

	if (!json_is_array(policies))
		return error_set(error, -EINVAL, "policies is no array");
	r = cluster_load(corpus, key, &cluster, error);
	if (r < 0)
		return r;
	if (json_array_extend(cluster.policies, policies) < 0 ||
		(labels && json_object_update(cluster.namespaces, labels) < 0)) {
		cluster_clear(&cluster);
		return error_set(error, -EINVAL, "namespace_labels is no object");
	}
	*ret = cluster;
	return 0;
}

/* Finding things by namespace and name; policies keep theirs in metadata, and have a kind. */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

struct key {
	const char *kind; /* "": any */
	const char *namespace;
	const char *name; /* NULL: any */
};

static bool has_key(const json_t *item, const struct key *key)
{
	const json_t *metadata = json_object_get(item, "metadata");

	if (!metadata)
		metadata = item;
	return (!*key->kind || strcmp(text_of(item, "kind"), key->kind) == 0) &&
	       strcmp(text_of(metadata, "namespace"), key->namespace) == 0 &&
	       (!key->name || strcmp(text_of(metadata, "name"), key->name) == 0);
}

/* The list's size where there is none. */
static size_t find(const json_t *list, struct key key)
{
	size_t index = 0;

	while (index < json_array_size(list) && !has_key(json_array_get(list, index), &key))
		index++;
	return index;
}

static struct key key_of(const json_t *action)
{
	return (struct key){
		text_of(action, "kind"), text_of(action, "namespace"), text_of(action, "name")};
}

static int missing(struct error *error, const json_t *action)
{
	return error_set(error, -EINVAL, "%s: there is no %s/%s", text_of(action, "op"),
		text_of(action, "namespace"), text_of(action, "name"));
}

static int remove_from(json_t *list, const json_t *action, struct error *error)
{
	return json_array_remove(list, find(list, key_of(action))) < 0 ? missing(error, action) : 0;
}

/* The actions. */

static int put_policy(struct cluster *cluster, const json_t *action, struct error *error)
{
	json_t *object = json_object_get(action, "object");
	const json_t *metadata = json_object_get(object, "metadata");
	const struct key key = {
		text_of(object, "kind"), text_of(metadata, "namespace"), text_of(metadata, "name")};
	size_t index = find(cluster->policies, key);

	if (!metadata)
		return error_set(
			error, -EINVAL, "%s: the object has no metadata", text_of(action, "op"));
	if (index == json_array_size(cluster->policies))
		return json_array_append(cluster->policies, object) < 0 ? error_nomem(error) : 0;
	return json_array_set(cluster->policies, index, object) < 0 ? error_nomem(error) : 0;
}

static int delete_policy(struct cluster *cluster, const json_t *action, struct error *error)
{
	return remove_from(cluster->policies, action, error);
}

static int put_namespace(struct cluster *cluster, const json_t *action, struct error *error)
{
	json_t *labels = json_object_get(action, "labels");

	if (json_object_set(cluster->namespaces, text_of(action, "name"), labels) < 0)
		return error_set(error, -EINVAL, "%s needs name and labels", text_of(action, "op"));
	return 0;
}

/* All that is in it goes with it. */
static int delete_namespace(struct cluster *cluster, const json_t *action, struct error *error)
{
	const struct key all = {"", text_of(action, "name"), NULL};
	json_t *lists[] = {cluster->pods, cluster->policies};

	if (json_object_del(cluster->namespaces, all.namespace) < 0)
		return error_set(error, -EINVAL, "there is no namespace '%s'", all.namespace);
	for (size_t i = 0; i < 2; i++)
		while (json_array_remove(lists[i], find(lists[i], all)) == 0)
			;
	return 0;
}

static int create_pod(struct cluster *cluster, const json_t *action, struct error *error)
{
	return json_array_append(cluster->pods, (json_t *)action) < 0 ? error_nomem(error) : 0;
}

static int label_pod(struct cluster *cluster, const json_t *action, struct error *error)
{
	size_t index = find(cluster->pods, key_of(action));
	_cleanup_json_ json_t *pod = json_copy(json_array_get(cluster->pods, index));

	if (!pod)
		return missing(error, action);
	if (json_object_set(pod, "labels", json_object_get(action, "labels")) < 0 ||
		json_array_set(cluster->pods, index, pod) < 0)
		return error_set(error, -EINVAL, "%s needs labels", text_of(action, "op"));
	return 0;
}

static int delete_pod(struct cluster *cluster, const json_t *action, struct error *error)
{
	return remove_from(cluster->pods, action, error);
}

static const struct action {
	const char *name;
	int (*apply)(struct cluster *cluster, const json_t *action, struct error *error);
} actions[] = {
	{"create-policy", put_policy},
	{"update-policy", put_policy},
	{"delete-policy", delete_policy},
	{"create-namespace", put_namespace},
	{"set-namespace-labels", put_namespace},
	{"delete-namespace", delete_namespace},
	{"create-pod", create_pod},
	{"set-pod-labels", label_pod},
	{"delete-pod", delete_pod},
};

int cluster_apply(struct cluster *cluster, const json_t *action, struct error *error)
{
	const char *name = text_of(action, "op");

	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return actions[i].apply(cluster, action, error);
	return error_set(error, -EINVAL, "unknown action '%s'", name);
}
