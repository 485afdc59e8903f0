/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent_model.h"

#include "policies/ports.h"
#include "policies/quarantine.h"
#include "record.h"
#include "text.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

/* --- policies -----------------------------------------------------------------------------------
 */

/* One policy as the agent remembers it. */
struct written {
	const char *file;
	unsigned int line;
	const char *text;
};

static int compare_written(const void *a, const void *b)
{
	const struct written *first = a, *second = b;
	int order = strcmp(first->file, second->file);

	return order ? order : (first->line > second->line) - (first->line < second->line);
}

static unsigned int count_lines(const char *text)
{
	unsigned int lines = 0;

	for (; *text; text++)
		lines += *text == '\n' || !text[1];
	return lines;
}

/* A file as far as it is known: documents stand on their lines, with nothing between them. Returns
 * how many of the items it took; the rest overlaps (the file was applied twice, and changed). */
static size_t write_file(const struct written *items, size_t count, char **ret)
{
	FILE *stream = must(open_memstream(ret, &(size_t){0}));
	unsigned int line = 1;
	size_t i;

	for (i = 0; i < count && strcmp(items[i].file, items[0].file) == 0; i++) {
		size_t length = strlen(items[i].text);

		if (i && items[i].line <= line)
			break;
		if (i) {
			fputs("---\n", stream);
			line++;
		}
		for (; line < items[i].line; line++)
			fputc('\n', stream);
		fputs(items[i].text, stream);
		if (length && items[i].text[length - 1] != '\n')
			fputc('\n', stream);
		line += count_lines(items[i].text);
	}
	fclose(stream);
	must(*ret);
	return i;
}

static int parse_written(
	const struct written *items, size_t count, struct document_list *list, struct error *error)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	int r = 0;

	for (size_t i = 0, taken; r == 0 && i < count; i += taken) {
		_cleanup_free_ char *text = NULL;

		taken = write_file(items + i, count - i, &text);
		r = documents_parse(list, items[i].file, text, strlen(text), &diagnostics);
	}
	if (r < 0) {
		const char *why = "out of memory";

		for (size_t i = 0; i < diagnostics.count; i++)
			if (diagnostics.items[i].severity == DIAGNOSTIC_ERROR)
				why = diagnostics.items[i].message;
		error_set(error, -EPROTO, "read the agent's policies: %s", why);
		r = -EPROTO;
	}
	diagnostics_clear(&diagnostics);
	return r;
}

/* They are one document each. */
static int fetch_quarantines(struct client *client, struct document_list *list, struct error *error)
{
	_cleanup_json_ json_t *answer = NULL;
	const json_t *quarantine;
	size_t i;
	int r = client_get(client, "/v1/quarantine", &answer, error);

	json_array_foreach (json_object_get(answer, "quarantines"), i, quarantine) {
		const struct written written = {"quarantine", 1, field_text(quarantine, "text")};

		if (r == 0)
			r = parse_written(&written, 1, list, error);
	}
	return r;
}

static int fetch_policies(struct client *client, struct document_list *list, struct error *error)
{
	_cleanup_json_ json_t *answer = NULL;
	_cleanup_free_ struct written *items = NULL;
	const json_t *policies, *policy;
	size_t i, count;
	int r = client_get(client, "/v1/policies", &answer, error);

	if (r < 0)
		return r;
	policies = json_object_get(answer, "policies");
	count = json_array_size(policies);
	items = must(calloc(count + 1, sizeof(*items)));
	json_array_foreach (policies, i, policy) {
		const json_t *source = json_object_get(policy, "source");

		items[i] = (struct written){field_text(source, "file"),
			(unsigned int)field_number(source, "line"), field_text(policy, "text")};
	}
	qsort(items, count, sizeof(*items), compare_written);
	return parse_written(items, count, list, error);
}

/* --- workloads ----------------------------------------------------------------------------------
 */

uint8_t agent_model_protocol(const char *name)
{
	_cleanup_free_ char *problem = NULL;
	struct policy_port port = {0};

	if (port_parse(name, &port, &problem) < 0)
		return 0;
	free(port.name);
	return port.protocol;
}

static int add_ports(struct model_workload *workload, const json_t *ports)
{
	const json_t *port;
	size_t i;
	int r = 0;

	json_array_foreach (ports, i, port) {
		uint8_t protocol = agent_model_protocol(field_text(port, "protocol"));

		if (r == 0 && protocol)
			r = model_workload_add_port(workload, field_text(port, "name"), protocol,
				(uint16_t)field_number(port, "port"));
	}
	return r;
}

static int add_addresses(struct model_workload *workload, const json_t *interfaces)
{
	const json_t *interface, *text;
	size_t i, k;
	int r = 0;

	json_array_foreach (interfaces, i, interface) {
		json_array_foreach (json_object_get(interface, "addresses"), k, text) {
			struct address address;

			if (r < 0)
				return r;
			if (json_is_string(text) &&
				address_parse(json_string_value(text), &address) == 0)
				r = model_workload_add_address(workload, &address);
		}
	}
	return r;
}

/* The agent says whose it is: the name alone does not tell where the workload was renamed. */
static int add_quarantine(struct model_workload *workload, const json_t *quarantine)
{
	_cleanup_free_ char *name = json_is_object(quarantine) ? record_name(quarantine) : NULL;

	return name ? labels_set(&workload->labels, QUARANTINE_LABEL, name) : 0;
}

static int add_workload(struct model *model, json_t *json)
{
	struct model_workload *workload;
	const char *key;
	json_t *value;
	int r = model_add_workload(
		model, field_text(json, "namespace"), field_text(json, "name"), &workload);

	if (r < 0)
		return r;
	workload->host_network = json_is_true(json_object_get(json, "host_network"));
	json_object_foreach (json_object_get(json, "labels"), key, value)
		if (r == 0 && json_is_string(value))
			r = labels_set(&workload->labels, key, json_string_value(value));
	if (r == 0)
		r = add_quarantine(workload, json_object_get(json, "quarantine"));
	if (r == 0)
		r = add_ports(workload, json_object_get(json, "ports"));
	return r < 0 ? r : add_addresses(workload, json_object_get(json, "interfaces"));
}

static int fetch_workloads(struct client *client, struct model *model, struct error *error)
{
	_cleanup_json_ json_t *answer = NULL;
	json_t *json;
	size_t i;
	int r = client_get(client, "/v1/workloads", &answer, error);

	if (r < 0)
		return r;
	json_array_foreach (json_object_get(answer, "workloads"), i, json) {
		r = add_workload(model, json);
		if (r < 0)
			return error_errno(error, r, "take over workload %s/%s",
				field_text(json, "namespace"), field_text(json, "name"));
	}
	return 0;
}

/* The agent is behind a Unix socket: its node is this machine. */
static int add_host_addresses(struct model *model, struct error *error)
{
	struct ifaddrs *list;
	int r = 0;

	if (getifaddrs(&list) < 0)
		return error_errno(error, -errno, "list this machine's addresses");
	for (const struct ifaddrs *item = list; r == 0 && item; item = item->ifa_next) {
		const struct sockaddr *at = item->ifa_addr;
		struct address address;

		if (at && at->sa_family == AF_INET)
			address = address_from_ipv4(&((const struct sockaddr_in *)at)->sin_addr);
		else if (at && at->sa_family == AF_INET6)
			address = address_from_ipv6(&((const struct sockaddr_in6 *)at)->sin6_addr);
		else
			continue;
		r = model_add_host_address(model, &address);
	}
	freeifaddrs(list);
	return r < 0 ? error_nomem(error) : 0;
}

/* --- both ---------------------------------------------------------------------------------------
 */

static int fetch_options(struct client *client, struct ir_options *ret, struct error *error)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = client_get(client, "/v1/status", &answer, error);
	const char *name;

	if (r < 0)
		return r;
	name = field_text(answer, "posture");
	ret->posture = strcmp(name, "deny") == 0    ? POSTURE_DENY
		       : strcmp(name, "audit") == 0 ? POSTURE_AUDIT
						    : POSTURE_ALLOW;
	ret->restrict_node = json_is_true(json_object_get(answer, "restrict_node"));
	return 0;
}

int agent_model_fetch(struct client *client, struct agent_model *ret, struct error *error)
{
	_cleanup_agent_model_ struct agent_model agent = {0};
	int r = fetch_options(client, &agent.options, error);

	if (r < 0)
		return r;
	if (model_new(&agent.model) < 0)
		return error_nomem(error);
	r = fetch_policies(client, &agent.documents, error);
	if (r == 0)
		r = fetch_quarantines(client, &agent.documents, error);
	if (r == 0)
		r = fetch_workloads(client, agent.model, error);
	if (r == 0)
		r = add_host_addresses(agent.model, error);
	if (r == 0)
		r = documents_to_model(&agent.documents, agent.model, error);
	if (r < 0)
		return r;
	*ret = agent;
	agent = (struct agent_model){0};
	return 0;
}

void agent_model_clear(struct agent_model *agent)
{
	model_free(agent->model);
	documents_clear(&agent->documents);
}
