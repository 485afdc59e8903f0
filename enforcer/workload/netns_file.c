/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload/netns_file.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "policies/array.h"
#include "policies/read.h"
#include "policies/yaml_file.h"
#include "policies/yaml_reader.h"
#include "workload/named_port.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MAX_BYTES 253

static void spec_clear(struct netns_spec *spec)
{
	for (size_t i = 0; i < spec->ports_count; i++)
		free(spec->ports[i].name);
	free(spec->ports);
	free(spec->addresses);
	labels_clear(&spec->labels);
	free(spec->id);
	free(spec->namespace);
	free(spec->name);
	free(spec->path);
	free(spec->interface);
}

void netns_file_clear(struct netns_file *file)
{
	for (size_t i = 0; i < file->count; i++)
		spec_clear(&file->items[i]);
	free(file->items);
	*file = (struct netns_file){NULL, 0};
}

/* --- fields ------------------------------------------------------------------------------------
 */

static void read_name(struct yaml_reader *reader, yaml_node_t *node, const char *what, char **ret)
{
	const char *text;

	if (!yaml_read_string(reader, node, what, &text))
		return;
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c)) {
			yaml_reader_error(reader, node, "invalid-name",
				"%s may have letters, digits, '.', '_' and '-' only", what);
			return;
		}
	if (text[0] == '\0' || strlen(text) > NAME_MAX_BYTES)
		yaml_reader_error(reader, node, "invalid-name", "%s must have 1 to %d characters",
			what, NAME_MAX_BYTES);
	else
		string_copy(reader, text, ret);
}

static void read_interface(struct yaml_reader *reader, yaml_node_t *node, char **ret)
{
	const char *text;

	if (!yaml_read_string(reader, node, "interface", &text))
		return;
	if (text[0] == '\0' || strlen(text) >= IFNAMSIZ || strchr(text, '/'))
		yaml_reader_error(reader, node, "invalid-name",
			"interface must be the name of a network interface");
	else
		string_copy(reader, text, ret);
}

/* What "ip netns" takes, too: a name in its directory, or a path. */
static void read_netns(struct yaml_reader *reader, yaml_node_t *node, struct netns_spec *spec)
{
	const char *text;

	if (!yaml_read_string(reader, node, "netns", &text))
		return;
	if (text[0] == '\0' || (strchr(text, '/') && text[0] != '/') || strcmp(text, ".") == 0 ||
		strcmp(text, "..") == 0) {
		yaml_reader_error(reader, node, "invalid-name",
			"netns must be a name in " NETNS_DIRECTORY " or an absolute path");
		return;
	}
	if (asprintf(&spec->path, "%s%s", text[0] == '/' ? "" : NETNS_DIRECTORY "/", text) < 0) {
		spec->path = NULL;
		reader->out_of_memory = true;
	}
	if (asprintf(&spec->id, "%s%s%s", text, spec->interface ? ":" : "",
		    spec->interface ? spec->interface : "") < 0) {
		spec->id = NULL;
		reader->out_of_memory = true;
	}
}

static void read_port(
	struct yaml_reader *reader, const yaml_node_pair_t *pair, struct netns_spec *spec)
{
	struct workload ports = {.ports = spec->ports, .ports_count = spec->ports_count};
	_cleanup_free_ char *problem = NULL;
	yaml_node_t *key = yaml_reader_node(reader, pair->key);
	yaml_node_t *value = yaml_reader_node(reader, pair->value);
	const char *name, *text;

	if (!yaml_read_string(reader, key, "the name of a port", &name) ||
		!yaml_read_string(reader, value, "a port", &text))
		return;
	if (named_port_add(&ports, name, text, &problem) < 0)
		reader->out_of_memory = true;
	else if (problem)
		yaml_reader_error(reader, value, "invalid-port", "port \"%s\": %s", name, problem);
	spec->ports = ports.ports;
	spec->ports_count = ports.ports_count;
}

static void read_ports(struct yaml_reader *reader, yaml_node_t *node, struct netns_spec *spec)
{
	const yaml_node_pair_t *pair;

	if (node->type != YAML_MAPPING_NODE) {
		yaml_reader_error(reader, node, "wrong-type",
			"ports must be a mapping of names to ports, as in {http: tcp/8080}");
		return;
	}
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++)
		read_port(reader, pair, spec);
}

static void read_addresses(struct yaml_reader *reader, yaml_node_t *node, struct netns_spec *spec)
{
	const yaml_node_item_t *items;
	size_t count;

	if (!yaml_read_sequence(reader, node, "addresses", &items, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		yaml_node_t *item = yaml_reader_node(reader, items[i]);
		struct address address, *slot;
		const char *text;

		if (!yaml_read_string(reader, item, "an address", &text))
			continue;
		if (address_parse(text, &address) < 0) {
			yaml_reader_error(reader, item, "invalid-address",
				"\"%s\" is no IPv4 or IPv6 address", text);
			continue;
		}
		slot = array_append(spec->addresses, spec->addresses_count);
		if (slot)
			*slot = address;
		else
			reader->out_of_memory = true;
	}
}

/* --- workloads ---------------------------------------------------------------------------------
 */

enum field {
	FIELD_NAME,
	FIELD_NAMESPACE,
	FIELD_NETNS,
	FIELD_INTERFACE,
	FIELD_LABELS,
	FIELD_PORTS,
	FIELD_ADDRESSES,
	FIELD_COUNT
};

static void read_spec(struct yaml_reader *reader, yaml_node_t *node, struct netns_spec *spec)
{
	struct yaml_field fields[FIELD_COUNT] = {
		[FIELD_NAME] = {.name = "name", .required = true},
		[FIELD_NAMESPACE] = {.name = "namespace"},
		[FIELD_NETNS] = {.name = "netns", .required = true},
		[FIELD_INTERFACE] = {.name = "interface"},
		[FIELD_LABELS] = {.name = "labels"},
		[FIELD_PORTS] = {.name = "ports"},
		[FIELD_ADDRESSES] = {.name = "addresses"},
	};

	if (!yaml_read_mapping(reader, node, "a workload", fields, FIELD_COUNT, 0))
		return;
	if (fields[FIELD_NAME].node)
		read_name(reader, fields[FIELD_NAME].node, "name", &spec->name);
	if (fields[FIELD_NAMESPACE].node)
		read_name(reader, fields[FIELD_NAMESPACE].node, "namespace", &spec->namespace);
	else
		string_copy(reader, MODEL_NAMESPACE_DEFAULT, &spec->namespace);
	if (fields[FIELD_INTERFACE].node)
		read_interface(reader, fields[FIELD_INTERFACE].node, &spec->interface);
	if (fields[FIELD_NETNS].node)
		read_netns(reader, fields[FIELD_NETNS].node, spec);
	if (fields[FIELD_LABELS].node)
		labels_read(reader, fields[FIELD_LABELS].node, "labels", &spec->labels);
	if (fields[FIELD_PORTS].node)
		read_ports(reader, fields[FIELD_PORTS].node, spec);
	if (fields[FIELD_ADDRESSES].node)
		read_addresses(reader, fields[FIELD_ADDRESSES].node, spec);
}

/* --- what belongs to one workload alone ---------------------------------------------------------
 */

/* Who had it first. */
struct claim {
	size_t owner; /* in the file's items, which move as they become more */
	UT_hash_handle hh;
	char key[];
};

struct reading {
	struct yaml_reader *reader;
	struct netns_file *file;
	struct claim *claims;
};

static void claims_clear(struct reading *reading)
{
	struct claim *claim, *next;

	HASH_ITER (hh, reading->claims, claim, next) {
		HASH_DEL(reading->claims, claim);
		free(claim);
	}
}

/* Claims a text for the last workload. Returns whose it is already; NULL: nobody's. kind keeps
 * texts of different meaning apart. */
static const struct netns_spec *claim(
	struct reading *reading, char kind, const char *text, const char *more)
{
	size_t length = strlen(text) + strlen(more) + 2;
	struct claim *made = malloc(sizeof(*made) + length + 1), *there;

	if (!made) {
		reading->reader->out_of_memory = true;
		return NULL;
	}
	snprintf(made->key, length + 1, "%c%s/%s", kind, text, more);
	HASH_FIND_STR(reading->claims, made->key, there);
	if (there) {
		free(made);
		return &reading->file->items[there->owner];
	}
	made->owner = reading->file->count - 1;
	HASH_ADD_STR(reading->claims, key, made);
	if (!HASH_ADDED(made)) {
		free(made);
		reading->reader->out_of_memory = true;
	}
	return NULL;
}

/* Whoever names no interface has all of its namespace. */
static void check_netns(
	struct reading *reading, const yaml_node_t *node, const struct netns_spec *spec)
{
	const struct netns_spec *other = claim(reading, 'n', spec->path, "");
	const struct netns_spec *of_interface =
		spec->interface ? claim(reading, 'i', spec->interface, spec->path) : NULL;

	if (other && other->interface && spec->interface)
		other = of_interface;
	if (other)
		yaml_reader_error(reading->reader, node, "duplicate",
			"network namespace %s belongs to workload %s/%s already", spec->path,
			other->namespace, other->name);
	else if ((other = claim(reading, '#', spec->id, "")))
		yaml_reader_error(reading->reader, node, "duplicate",
			"%s is what the agent calls workload %s/%s already, of netns and interface",
			spec->id, other->namespace, other->name);
}

/* Against those before it. */
static void check_unique(struct reading *reading, const yaml_node_t *node)
{
	const struct netns_spec *spec = &reading->file->items[reading->file->count - 1];

	if (!spec->id || !spec->path || !spec->name || !spec->namespace)
		return;
	if (claim(reading, 'w', spec->namespace, spec->name))
		yaml_reader_error(reading->reader, node, "duplicate",
			"a workload %s/%s is there already", spec->namespace, spec->name);
	check_netns(reading, node, spec);
	for (size_t i = 0; i < spec->addresses_count; i++) {
		char text[ADDRESS_TEXT_MAX];
		const struct netns_spec *other =
			claim(reading, 'a', address_format(&spec->addresses[i], text), "");

		if (other && other != spec)
			yaml_reader_error(reading->reader, node, "duplicate",
				"workload %s/%s has its address %s already", other->namespace,
				other->name, text);
	}
}

static void read_file(struct yaml_reader *reader, yaml_node_t *root, void *userdata)
{
	struct netns_file *file = userdata;
	struct reading reading = {.reader = reader, .file = file};
	struct yaml_field fields[] = {{.name = "workloads", .required = true}};
	const yaml_node_item_t *items;
	size_t count;

	if (!yaml_read_mapping(reader, root, "the file", fields, 1, 0) || !fields[0].node ||
		!yaml_read_sequence(reader, fields[0].node, "workloads", &items, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		yaml_node_t *item = yaml_reader_node(reader, items[i]);
		struct netns_spec *spec = array_append(file->items, file->count);

		if (!spec) {
			reader->out_of_memory = true;
			break;
		}
		read_spec(reader, item, spec);
		check_unique(&reading, item);
	}
	claims_clear(&reading);
}

/* --- the text ----------------------------------------------------------------------------------
 */

int netns_file_parse(const char *path, const char *text, size_t size, struct netns_file *ret,
	struct diagnostics *diagnostics)
{
	_cleanup_(netns_file_clear) struct netns_file file = {NULL, 0};
	int r = yaml_file_parse(path, text, size, false, read_file, &file, diagnostics);

	if (r < 0)
		return r;
	*ret = file;
	file = (struct netns_file){NULL, 0};
	return 0;
}

int netns_file_load(const char *path, struct netns_file *ret, struct error *error)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r;

	r = yaml_file_read(path, &text, &size, error);
	if (r < 0)
		return r;
	r = netns_file_parse(path, text, size, ret, &diagnostics);
	if (r == -EINVAL)
		r = diagnostics_to_error(&diagnostics, error);
	else if (r < 0)
		r = error_nomem(error);
	diagnostics_clear(&diagnostics);
	return r;
}
