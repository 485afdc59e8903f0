/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload_store.h"

#include "base/cleanup.h"
#include "base/network_namespace.h"
#include "json.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

static int read_boot_id(char text[static 40])
{
	_cleanup_file_ FILE *file = fopen(BOOT_ID_PATH, "re");

	if (!file || !fgets(text, 40, file))
		return -EIO;
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int store_path(const char *directory, const char *suffix, char **ret)
{
	return asprintf(ret, "%s/workloads.json%s", directory, suffix) < 0 ? -ENOMEM : 0;
}

/* --- reading ------------------------------------------------------------------------------------
 */

static int parse_mac(const char *text, uint8_t mac[static 6])
{
	int end = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		    &mac[3], &mac[4], &mac[5], &end) != 6 ||
		text[end])
		return -EBADMSG;
	return 0;
}

static int parse_addresses(struct workload_interface *interface, json_t *addresses)
{
	json_t *item;
	size_t i;

	json_array_foreach (addresses, i, item) {
		const char *text = json_string_value(item);
		struct address address;

		if (!text || address_parse(text, &address) < 0)
			return -EBADMSG;
		if (workload_interface_add_address(interface, &address) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int parse_interface(struct workload *workload, json_t *json)
{
	const char *network = json_string_value(json_object_get(json, "network"));
	const char *netns = json_string_value(json_object_get(json, "netns"));
	const char *name, *mac;
	struct workload_interface *interface;
	char current[IF_NAMESIZE];
	json_t *addresses;
	json_int_t ifindex;

	if (json_unpack(json, "{s:s, s:I, s:s, s:o}", "name", &name, "ifindex", &ifindex, "mac",
		    &mac, "addresses", &addresses) < 0)
		return -EBADMSG;
	/* Whether one inside is still there, attaching to it will tell. */
	if (!network_namespace_is_interface((uint32_t)ifindex) &&
		(!if_indextoname((unsigned int)ifindex, current) || strcmp(current, name)))
		return 0;
	if (workload_add_interface(workload, &interface) < 0)
		return -ENOMEM;
	interface->ifindex = (uint32_t)ifindex;
	interface->inside = (uint32_t)json_integer_value(json_object_get(json, "inside"));
	if (netns) {
		interface->netns = strdup(netns);
		if (!interface->netns)
			return -ENOMEM;
	}
	strncpy(interface->name, name, sizeof(interface->name) - 1);
	if (network) {
		interface->network = strdup(network);
		if (!interface->network)
			return -ENOMEM;
	}
	if (parse_mac(mac, interface->mac) < 0)
		return -EBADMSG;
	return parse_addresses(interface, addresses);
}

static int parse_labels(struct workload *workload, json_t *labels)
{
	const char *key;
	json_t *value;

	json_object_foreach (labels, key, value) {
		if (!json_is_string(value))
			return -EBADMSG;
		if (labels_set(&workload->labels, key, json_string_value(value)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int parse_ports(struct workload *workload, json_t *ports)
{
	json_t *item;
	size_t i;

	json_array_foreach (ports, i, item) {
		const char *name, *protocol;
		uint8_t number;
		int port;

		if (json_unpack(item, "{s:s, s:s, s:i}", "name", &name, "protocol", &protocol,
			    "port", &port) < 0)
			return -EBADMSG;
		number = !strcmp(protocol, "udp")    ? IPPROTO_UDP
			 : !strcmp(protocol, "sctp") ? IPPROTO_SCTP
						     : IPPROTO_TCP;
		if (workload_add_port(workload, name, number, (uint16_t)port) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int parse_workload(json_t *json, struct workload **ret)
{
	_cleanup_(workload_freep) struct workload *workload = NULL;
	const char *image = json_string_value(json_object_get(json, "image"));
	const char *source, *id, *namespace, *name;
	json_t *labels, *ports, *interfaces, *item;
	int host_network, r;
	size_t i;

	if (json_unpack(json, "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b}", "source", &source, "id",
		    &id, "namespace", &namespace, "name", &name, "labels", &labels, "ports", &ports,
		    "interfaces", &interfaces, "host_network", &host_network) < 0)
		return -EBADMSG;
	r = workload_new(source, id, namespace, name, &workload);
	if (r < 0)
		return r;
	workload->host_network = host_network;
	workload->adopt = true;
	if (image) {
		workload->image = strdup(image);
		if (!workload->image)
			return -ENOMEM;
	}
	r = parse_labels(workload, labels);
	if (r >= 0)
		r = parse_ports(workload, ports);
	json_array_foreach (interfaces, i, item) {
		if (r >= 0)
			r = parse_interface(workload, item);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(workload);
	return 0;
}

static int load_workloads(json_t *root, struct registry *registry)
{
	json_t *workloads = json_object_get(root, "workloads"), *item;
	const char *boot = json_string_value(json_object_get(root, "boot_id"));
	char current[40];
	size_t i;

	if (!boot || !json_is_array(workloads))
		return -EBADMSG;
	if (read_boot_id(current) < 0 || strcmp(boot, current))
		return 0;
	json_array_foreach (workloads, i, item) {
		struct workload *workload;
		int r = parse_workload(item, &workload);

		if (r >= 0)
			r = registry_put(registry, workload);
		if (r < 0)
			return r;
	}
	return 0;
}

int workload_store_load(const char *directory, struct registry *registry, struct error *error)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_json_ json_t *root = NULL;
	int r;

	if (store_path(directory, "", &path) < 0)
		return error_nomem(error);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	root = json_load_file(path, 0, NULL);
	r = root ? load_workloads(root, registry) : -EBADMSG;
	return r < 0 ? error_errno(error, r, "read the last known workloads from %s", path) : 0;
}

/* --- writing ------------------------------------------------------------------------------------
 */

/* One after the other: all of them as one tree would be megabytes, at each change of one. */
static int write_workloads(FILE *file, const struct registry *registry)
{
	char boot[40];

	if (read_boot_id(boot) < 0)
		boot[0] = '\0';
	fprintf(file, "{\"boot_id\": \"%s\", \"workloads\": [", boot);
	for (size_t i = 0; i < registry_count(registry); i++) {
		_cleanup_json_ json_t *workload = json_from_workload(registry_at(registry, i));

		fputs(i ? ",\n" : "\n", file);
		if (!workload)
			return -ENOMEM;
		if (json_dumpf(workload, file, JSON_COMPACT) < 0)
			return errno ? -errno : -EIO;
	}
	fputs("]}\n", file);
	return fflush(file) == EOF || ferror(file) ? -EIO : 0;
}

static int write_file(const char *path, const struct registry *registry)
{
	_cleanup_file_ FILE *file = fopen(path, "we");

	return file ? write_workloads(file, registry) : -errno;
}

int workload_store_save(const char *directory, const struct registry *registry, struct error *error)
{
	_cleanup_free_ char *path = NULL, *next = NULL;
	int r;

	if (store_path(directory, "", &path) < 0 || store_path(directory, ".next", &next) < 0)
		return error_nomem(error);
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return error_errno(error, -errno, "make state directory %s", directory);
	/* No fsync: after a power cut the file is void in any case. */
	r = write_file(next, registry);
	if (r == 0 && rename(next, path) < 0)
		r = -errno;
	return r < 0 ? error_errno(error, r, "write %s", path) : 0;
}
