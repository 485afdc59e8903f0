/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "quarantine_store.h"

#include "base/cleanup.h"
#include "json.h"
#include "policy_store.h"

#include <errno.h>
#include <string.h>

#define STORE_VERSION 1
#define STORE_NAME    "quarantine.json"
#define STORE_NEXT    "quarantine.json.next"

static int decode(json_t *json, struct quarantine *quarantine, struct error *error)
{
	const char *id = json_string_value(json_object_get(json, "id"));
	const char *namespace, *name, *reason, *user, *origin;
	json_int_t uid, since_ns, until_ns;
	json_t *allow;
	int r;

	if (json_unpack(json, "{s:s, s:s, s:s, s:o, s:s, s:I, s:s, s:I, s:I}", "namespace",
		    &namespace, "name", &name, "reason", &reason, "allow", &allow, "user", &user,
		    "uid", &uid, "origin", &origin, "since_ns", &since_ns, "until_ns",
		    &until_ns) < 0 ||
		quarantine_origin_parse(origin, &quarantine->origin) < 0)
		return error_set(error, -EBADMSG, "a quarantine is damaged");
	r = quarantine_document_new(namespace, name, reason, allow, &quarantine->document, error);
	if (r < 0)
		return error_context(error, r, "%s/%s", namespace, name);
	quarantine->uid = (uint32_t)uid;
	quarantine->since_ns = (uint64_t)since_ns;
	quarantine->until_ns = (uint64_t)until_ns;
	quarantine->user = strdup(user);
	quarantine->id = id ? strdup(id) : NULL;
	return quarantine->user && (!id || quarantine->id) ? 0 : error_nomem(error);
}

static int decode_all(json_t *root, struct quarantine_list *list, struct error *error)
{
	json_t *quarantines = json_object_get(root, "quarantines"), *json;
	size_t i;

	if (json_integer_value(json_object_get(root, "version")) != STORE_VERSION ||
		!json_is_array(quarantines))
		return error_set(
			error, -EBADMSG, "not a store of quarantines of version %d", STORE_VERSION);
	json_array_foreach (quarantines, i, json) {
		_cleanup_quarantine_ struct quarantine quarantine = {0};
		int r = decode(json, &quarantine, error);

		if (r < 0)
			return r;
		r = quarantine_list_put(list, &quarantine);
		if (r < 0)
			return error_errno(error, r, "take quarantine %zu", i);
	}
	return 0;
}

int quarantine_store_load(const char *directory, struct quarantine_list *ret, struct error *error)
{
	_cleanup_quarantine_list_ struct quarantine_list list = {0};
	_cleanup_free_ char *path = NULL;
	_cleanup_json_ json_t *root = NULL;
	json_error_t problem;
	int r;

	if (asprintf(&path, "%s/" STORE_NAME, directory) < 0) {
		path = NULL;
		return error_nomem(error);
	}
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	root = json_load_file(path, 0, &problem);
	if (!root)
		r = error_set(error, -EBADMSG, "line %d: %s", problem.line, problem.text);
	else
		r = decode_all(root, &list, error);
	if (r < 0)
		return error_context(error, r, "read quarantines from %s", path);
	*ret = list;
	list = (struct quarantine_list){0};
	return 0;
}

static json_t *encode(const struct quarantine *quarantine)
{
	const struct document *document = quarantine->document;

	return json_pack("{s:s, s:s, s:s, s:o, s:s?, s:s, s:I, s:s, s:I, s:I}", "namespace",
		document->namespace, "name", document->name, "reason", document->reason, "allow",
		quarantine_allow(quarantine), "id", quarantine->id, "user", quarantine->user, "uid",
		(json_int_t)quarantine->uid, "origin", quarantine_origin_name(quarantine->origin),
		"since_ns", (json_int_t)quarantine->since_ns, "until_ns",
		(json_int_t)quarantine->until_ns);
}

static json_t *encode_all(const struct quarantine_list *list)
{
	_cleanup_json_ json_t *quarantines = json_array();

	for (size_t i = 0; i < list->count; i++) {
		if (json_array_append_new(quarantines, encode(&list->items[i])) < 0)
			return NULL;
	}
	return json_pack("{s:i, s:O}", "version", STORE_VERSION, "quarantines", quarantines);
}

int quarantine_store_save(
	const char *directory, const struct quarantine_list *list, struct error *error)
{
	_cleanup_json_ json_t *root = encode_all(list);
	_cleanup_free_ char *next = NULL;
	int r;

	if (!root || asprintf(&next, "%s/" STORE_NEXT, directory) < 0) {
		next = NULL;
		return error_nomem(error);
	}
	r = policy_store_write(directory, next, root, error);
	if (r == 0)
		r = policy_store_replace(directory, STORE_NEXT, STORE_NAME, error);
	return r < 0 ? error_context(error, r, "store quarantines") : 0;
}
