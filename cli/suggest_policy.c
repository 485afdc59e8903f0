/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "suggest_policy.h"

#include "client.h"
#include "policies/ports.h"
#include "record.h"
#include "text.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX 8 /* lines of comment; how many more there are is said */

/* The member of that name, made if it is not there. Borrowed. */
static json_t *member(json_t *object, const char *key, json_t *(*make)(void))
{
	json_t *value = json_object_get(object, key);

	if (!value) {
		value = must(make());
		json_object_set_new(object, key, value);
	}
	return value;
}

static const char *namespace_of(const struct suggest_role *subject)
{
	return subject->namespace ? subject->namespace : MODEL_NAMESPACE_DEFAULT;
}

static json_t *policy_of(json_t *policies, const struct suggest_change *change)
{
	const struct suggest_role *subject = change->subject;
	_cleanup_free_ char *text = suggest_role_subject(subject);
	_cleanup_free_ char *key = text_format("%s %s %s %d", namespace_of(subject), text,
		tier_name(change->tier), change->priority);
	json_t *policy = member(policies, key, json_object);

	if (json_object_size(policy))
		return policy;
	json_object_set_new(policy, "namespace", json_string(namespace_of(subject)));
	json_object_set_new(policy, "subject", json_string(text));
	json_object_set_new(policy, "word", json_string(subject->word));
	if (change->tier == TIER_BASELINE) {
		json_object_set_new(policy, "tier", json_string(tier_name(change->tier)));
		json_object_set_new(policy, "priority", json_integer(change->priority));
	}
	return policy;
}

void suggest_policy_add(json_t *policies, const struct suggest_change *change)
{
	json_t *policy = policy_of(policies, change);
	_cleanup_free_ char *peer = suggest_role_peer(change->peer, namespace_of(change->subject));
	json_t *rules = member(policy, direction_name(change->direction), json_object);
	json_t *rule = member(rules, peer, json_object);
	json_int_t port = (json_int_t)change->query->protocol << 16 | change->query->port;
	_cleanup_free_ char *key = text_format("%lld", (long long)port);

	json_object_set_new(rule, "word", json_string(change->peer->word));
	json_object_set_new(member(rule, "ports", json_object), key, json_integer(port));
	json_object_set_new(member(policy, "why", json_object), change->why,
		json_string(change->nearest ? change->nearest : ""));
}

static int compare_numbers(const void *left, const void *right)
{
	json_int_t a = *(const json_int_t *)left, b = *(const json_int_t *)right;

	return (a > b) - (a < b);
}

static bool has_ranges(json_int_t port)
{
	return port >> 16 != IPPROTO_ICMP && port >> 16 != IPPROTO_ICMPV6;
}

/* Whose only code is 0, which nobody writes. */
static bool is_echo_request(const struct policy_port *port)
{
	return (port->protocol == IPPROTO_ICMP && port->first == 8 << 8) ||
	       (port->protocol == IPPROTO_ICMPV6 && port->first == 128 << 8);
}

/* "tcp/80, tcp/8000-8003": neighbours are one range. */
static char *format_ports(const json_t *rule)
{
	const json_t *ports = json_object_get(rule, "ports");
	size_t count = json_object_size(ports), i = 0;
	_cleanup_free_ json_int_t *numbers = must(calloc(count + 1, sizeof(*numbers)));
	char *text = NULL;
	FILE *stream = must(open_memstream(&text, &(size_t){0}));
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)ports, key, value) {
		numbers[i++] = json_integer_value(value);
	}
	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	for (i = 0; i < count;) {
		size_t last = i;
		struct policy_port port = {.protocol = (uint8_t)(numbers[i] >> 16)};
		_cleanup_free_ char *words = NULL;

		while (last + 1 < count && has_ranges(numbers[i]) &&
			numbers[last + 1] == numbers[last] + 1)
			last++;
		port.first = (uint16_t)numbers[i];
		port.last = (uint16_t)numbers[last];
		port.range = last > i;
		if (is_echo_request(&port))
			port.last = port.first | 0xff;
		words = must(port_format(&port));
		fprintf(stream, "%s%s", i ? ", " : "", words);
		i = last + 1;
	}
	fclose(stream);
	return must(text);
}

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Peers by the ports that they share: {"tcp/80": "{…}, {…}"}. The same suggestion twice is the same
 * text. */
static json_t *peers_by_ports(const json_t *rules)
{
	size_t count = json_object_size(rules), i = 0;
	_cleanup_free_ const char **peers = must(calloc(count + 1, sizeof(*peers)));
	json_t *by_ports = must(json_object()), *rule;
	const char *peer;

	json_object_foreach ((json_t *)rules, peer, rule) {
		peers[i++] = peer;
	}
	qsort(peers, count, sizeof(*peers), compare_texts);
	for (i = 0; i < count; i++) {
		_cleanup_free_ char *ports = format_ports(json_object_get(rules, peers[i]));
		const char *before = json_string_value(json_object_get(by_ports, ports));
		_cleanup_free_ char *list = before ? text_format("%s, %s", before, peers[i])
						   : text_format("%s", peers[i]);

		json_object_set_new(by_ports, ports, json_string(list));
	}
	return by_ports;
}

static void format_rules(FILE *stream, const json_t *policy, enum direction direction)
{
	const json_t *rules = json_object_get(policy, direction_name(direction));
	_cleanup_json_ json_t *by_ports = NULL;
	const char *ports;
	json_t *peers;

	if (!rules)
		return;
	by_ports = peers_by_ports(rules);
	fprintf(stream, "  %s:\n", direction_name(direction));
	json_object_foreach (by_ports, ports, peers) {
		fprintf(stream, "  - %s: [%s]\n    ports: [%s]\n",
			direction == DIRECTION_INGRESS ? "from" : "to", json_string_value(peers),
			ports);
	}
}

/* YAML has line breaks beyond ASCII. */
void suggest_policy_comment(FILE *stream, const char *before, const char *text)
{
	fprintf(stream, "# %s", before);
	for (; *text; text++)
		fputc(*text >= ' ' && *text <= '~' ? *text : '?', stream);
	fputc('\n', stream);
}

static void format_why(FILE *stream, const json_t *policy)
{
	json_t *why = json_object_get(policy, "why"), *value;
	size_t count = 0, all = json_object_size(why);
	const char *line;

	json_object_foreach (why, line, value) {
		if (count++ == WHY_MAX) {
			fprintf(stream, "# and %zu more\n", all - WHY_MAX);
			return;
		}
		suggest_policy_comment(stream, "", line);
		if (json_string_length(value))
			suggest_policy_comment(stream, "  nearest: ", json_string_value(value));
	}
}

/* The word that all peers of a direction have in common; NULL: they have none. Borrowed. */
static const char *common_word(const json_t *rules)
{
	const char *peer, *common = NULL;
	json_t *rule;

	json_object_foreach ((json_t *)rules, peer, rule) {
		const char *word = field_text(rule, "word");

		if (common && strcmp(common, word) != 0)
			return NULL;
		common = word;
	}
	return common;
}

/* "db-from-web", "web-to-db"; "db-allow" where there are several. */
static char *base_name(const json_t *policy)
{
	const char *word = field_text(policy, "word");
	const json_t *ingress = json_object_get(policy, direction_name(DIRECTION_INGRESS));
	const json_t *egress = json_object_get(policy, direction_name(DIRECTION_EGRESS));
	const char *peer = common_word(ingress ? ingress : egress);

	if (!peer || (ingress && egress))
		return text_format("%s-allow", word);
	return text_format("%s-%s-%s", word, ingress ? "from" : "to", peer);
}

/* Applying must not replace what is there. taken: names of this run. */
static char *free_name(const json_t *policy, const struct document_list *existing, json_t *taken)
{
	_cleanup_free_ char *base = base_name(policy);
	const char *namespace = field_text(policy, "namespace");

	for (unsigned int number = 1;; number++) {
		char *name =
			number == 1 ? text_format("%s", base) : text_format("%s-%u", base, number);
		_cleanup_free_ char *key = text_format("%s/%s", namespace, name);

		if (!json_object_get(taken, key) &&
			!documents_find(existing, DOCUMENT_SEGMENT_POLICY, namespace, name)) {
			json_object_set_new(taken, key, json_true());
			return name;
		}
		free(name);
	}
}

char *suggest_policy_format(const json_t *policies, const struct document_list *existing)
{
	_cleanup_json_ json_t *taken = must(json_object());
	char *text = NULL;
	FILE *stream = must(open_memstream(&text, &(size_t){0}));
	const char *key;
	json_t *policy;
	bool first = true;

	json_object_foreach ((json_t *)policies, key, policy) {
		_cleanup_free_ char *name = free_name(policy, existing, taken);

		fputs(first ? "" : "---\n", stream);
		first = false;
		format_why(stream, policy);
		fprintf(stream,
			"apiVersion: segctl.io/v1\nkind: SegmentPolicy\n"
			"metadata: {name: %s, namespace: %s}\nspec:\n  subject: %s\n",
			name, field_text(policy, "namespace"), field_text(policy, "subject"));
		if (*field_text(policy, "tier"))
			fprintf(stream, "  tier: %s\n  priority: %.0f\n",
				field_text(policy, "tier"), field_number(policy, "priority"));
		format_rules(stream, policy, DIRECTION_INGRESS);
		format_rules(stream, policy, DIRECTION_EGRESS);
	}
	fclose(stream);
	return must(text);
}
