/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/filter.h"

#include "base/cleanup.h"
#include "flow/argument.h"
#include "flow/protocol.h"
#include "flow/vocabulary.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define VALUES_MAX 256

struct value {
	const char *text; /* owned by the value: what was given */
	union {
		struct {
			bool is_address;
			struct address address;
		} end;
		struct prefix prefix;
		struct {
			uint16_t ethertype;
			uint8_t number;
		} protocol;
		uint16_t port;
		uint64_t id;
		enum flow_verdict verdict;
		enum reason reason;
	};
	struct value *next;
};

/* Values of one key are alternatives; keys narrow each other. */
struct key {
	const char *name;
	const char *expected; /* completes "expected …" */
	int (*parse)(const char *text, struct value *value);
	bool (*match)(const struct value *value, const struct record *record);
};

static int parse_end(const char *text, struct value *value)
{
	value->end.is_address = !address_parse(text, &value->end.address);
	return *text ? 0 : -EINVAL;
}

static int parse_text(const char *text, struct value *value)
{
	(void)value;
	return *text ? 0 : -EINVAL;
}

static int parse_port(const char *text, struct value *value)
{
	unsigned long port;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	port = strtoul(text, &end, 10);
	if (*end || port > UINT16_MAX)
		return -EINVAL;
	value->port = (uint16_t)port;
	return 0;
}

static int parse_id(const char *text, struct value *value)
{
	char *end;

	value->id = strtoull(text, &end, 16);
	return strlen(text) == 16 && !*end && *text != '-' && *text != '+' ? 0 : -EINVAL;
}

static int parse_protocol(const char *text, struct value *value)
{
	return protocol_parse(text, &value->protocol.ethertype, &value->protocol.number);
}

static int parse_verdict(const char *text, struct value *value)
{
	return flow_verdict_parse(text, &value->verdict);
}

static int parse_reason(const char *text, struct value *value)
{
	return reason_parse(text, &value->reason);
}

static int parse_cidr(const char *text, struct value *value)
{
	return prefix_parse(text, &value->prefix);
}

/* As the map calls it, too: "world:api.example.org". */
static bool is_known_as(const struct name *name, const char *text)
{
	static const char world[] = "world:";
	const json_t *known = name ? json_object_get(name->json, "names") : NULL, *one;
	size_t i;

	if (!strncmp(text, world, strlen(world)))
		text += strlen(world);
	json_array_foreach (known, i, one) {
		if (json_is_string(one) && !strcasecmp(json_string_value(one), text))
			return true;
	}
	return false;
}

static bool end_matches(
	const struct value *value, const struct name *name, const struct address *address)
{
	const char *entity;

	if (value->end.is_address)
		return address_equal(address, &value->end.address);
	if (name_matches(name, "workload", value->text))
		return true;
	entity = name_entity(name);
	return (entity && !strcmp(entity, value->text)) || is_known_as(name, value->text);
}

static bool match_from(const struct value *value, const struct record *record)
{
	return end_matches(value, record->source, &record->event.source);
}

static bool match_to(const struct value *value, const struct record *record)
{
	return end_matches(value, record->destination, &record->event.destination);
}

static bool match_either(const struct value *value, const struct record *record)
{
	return match_from(value, record) || match_to(value, record);
}

static bool namespace_is(const struct name *name, const char *text)
{
	const char *namespace = name_namespace(name);

	return namespace && !strcmp(namespace, text);
}

static bool match_namespace(const struct value *value, const struct record *record)
{
	return namespace_is(record->source, value->text) ||
	       namespace_is(record->destination, value->text);
}

/* "key=value"; "key" alone asks for the label with any value. */
static bool has_label(const struct name *name, const char *text)
{
	const json_t *labels = name ? json_object_get(name->json, "labels") : NULL;
	size_t key_length = strcspn(text, "=");
	const char *wanted = text[key_length] ? text + key_length + 1 : NULL;
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)labels, key, value) {
		const char *found = json_string_value(value);

		if (strlen(key) == key_length && !memcmp(key, text, key_length))
			return !wanted || (found && !strcmp(found, wanted));
	}
	return false;
}

static bool match_label(const struct value *value, const struct record *record)
{
	return has_label(record->source, value->text) ||
	       has_label(record->destination, value->text);
}

static bool match_port(const struct value *value, const struct record *record)
{
	return protocol_is_ip(record->event.ethertype) &&
	       protocol_has_ports(record->event.protocol) &&
	       record->event.destination_port == value->port;
}

static bool match_id(const struct value *value, const struct record *record)
{
	return record->event.id == value->id;
}

static bool match_protocol(const struct value *value, const struct record *record)
{
	if (value->protocol.ethertype)
		return record->event.ethertype == value->protocol.ethertype;
	return protocol_is_ip(record->event.ethertype) &&
	       record->event.protocol == value->protocol.number;
}

static bool match_verdict(const struct value *value, const struct record *record)
{
	return record->event.verdict == value->verdict;
}

static bool match_reason(const struct value *value, const struct record *record)
{
	return record->event.reason == value->reason;
}

static bool match_rule(const struct value *value, const struct record *record)
{
	return name_matches(record->rule, "name", value->text);
}

static bool match_cidr(const struct value *value, const struct record *record)
{
	return prefix_contains(&value->prefix, &record->event.source) ||
	       prefix_contains(&value->prefix, &record->event.destination);
}

static bool any_name(const struct name *end, const char *pattern)
{
	const json_t *name;
	size_t i;

	json_array_foreach (end ? json_object_get(end->json, "names") : NULL, i, name) {
		const char *text = json_string_value(name);

		if (text && !fnmatch(pattern, text, FNM_CASEFOLD))
			return true;
	}
	return false;
}

static bool match_dns_name(const struct value *value, const struct record *record)
{
	const char *asked_for = name_member(record->observed.application, "server_name");

	return any_name(record->source, value->text) ||
	       any_name(record->destination, value->text) ||
	       (asked_for && !fnmatch(value->text, asked_for, FNM_CASEFOLD));
}

#define EXPECTED_END "NAMESPACE/NAME, a workload's name, an address, a DNS name, host or world"

static const struct key keys[] = {
	{"from", EXPECTED_END, parse_end, match_from},
	{"to", EXPECTED_END, parse_end, match_to},
	{"workload", EXPECTED_END, parse_end, match_either},
	{"namespace", "a namespace", parse_text, match_namespace},
	{"label", "KEY=VALUE or KEY", parse_text, match_label},
	{"port", "a number from 0 to 65535", parse_port, match_port},
	{"protocol", "tcp, udp, sctp, icmp, icmpv6, arp or a number", parse_protocol,
		match_protocol},
	{"id", "16 hexadecimal digits, as in records", parse_id, match_id},
	{"verdict", "allowed, denied or audited", parse_verdict, match_verdict},
	{"reason", "a reason as in records, such as policy_denied", parse_reason, match_reason},
	{"rule", "a policy as NAMESPACE/NAME or NAME", parse_text, match_rule},
	{"cidr", "a prefix such as 10.0.0.0/8, without bits behind its length", parse_cidr,
		match_cidr},
	{"dns-name", "a name such as api.example.org, or a pattern such as *.example.org",
		parse_text, match_dns_name},
};

struct flow_filter {
	struct value *values[ARRAY_SIZE(keys)];
	size_t values_count;
	uint64_t since_ns;
	uint64_t until_ns; /* 0: no end */
	size_t limit;      /* 0: none */
};

static void value_free(struct value *value)
{
	free((char *)value->text);
	free(value);
}

DEFINE_CLEANUP(struct value *, value_free)

void flow_filter_free(struct flow_filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct value *value, *next;

		LL_FOREACH_SAFE (filter->values[i], value, next)
			value_free(value);
	}
	free(filter);
}

static int set_value(
	struct flow_filter *filter, size_t index, const char *text, struct error *error)
{
	_cleanup_(value_freep) struct value *value = calloc(1, sizeof(*value));

	if (filter->values_count >= VALUES_MAX)
		return error_set(error, -EINVAL, "more than %d filters", VALUES_MAX);
	if (value)
		value->text = strdup(text);
	if (!value || !value->text)
		return error_nomem(error);
	if (keys[index].parse(text, value) < 0)
		return error_set(error, -EINVAL, "%s \"%s\": expected %s", keys[index].name, text,
			keys[index].expected);
	LL_PREPEND(filter->values[index], value);
	value = NULL;
	filter->values_count++;
	return 0;
}

static int set(struct flow_filter *filter, const char *key, const char *value, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i].name))
			return set_value(filter, i, value, error);
	if (!strcmp(key, "since"))
		return argument_time(&filter->since_ns, key, value, error);
	if (!strcmp(key, "until"))
		return argument_time(&filter->until_ns, key, value, error);
	if (!strcmp(key, "limit"))
		return argument_limit(&filter->limit, value, error);
	return error_set(error, -EINVAL,
		"unknown filter \"%s\": expected from, to, workload, namespace, label, port, "
		"protocol, id, verdict, reason, rule, cidr, dns-name, since, "
		"until or limit",
		key);
}

int flow_filter_set(
	struct flow_filter **filter, const char *key, const char *value, struct error *error)
{
	_cleanup_(flow_filter_freep) struct flow_filter *made = NULL;
	int result;

	if (!*filter) {
		made = calloc(1, sizeof(*made));
		if (!made)
			return error_nomem(error);
	}
	result = set(made ? made : *filter, key, value ? value : "", error);
	if (!result && made)
		*filter = TAKE_PTR(made);
	return result;
}

static bool any_matches(
	const struct value *values, const struct key *key, const struct record *record)
{
	const struct value *value;

	LL_FOREACH (values, value)
		if (key->match(value, record))
			return true;
	return false;
}

bool filter_matches(
	const struct flow_filter *filter, const struct record *record, uint64_t first_ns)
{
	if (!filter)
		return true;
	if (record->event.time_ns < filter->since_ns ||
		(filter->until_ns && first_ns > filter->until_ns))
		return false;
	/* What was lost could have been anything. */
	if (record->event.type == FLOW_GAP)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (filter->values[i] && !any_matches(filter->values[i], &keys[i], record))
			return false;
	return true;
}

bool flow_filter_matches(const struct flow_filter *filter, const json_t *json)
{
	struct record record;
	bool matches;

	if (record_from_json(json, &record) < 0)
		return false;
	matches = filter_matches(filter, &record, record.event.time_ns);
	record_clear(&record);
	return matches;
}

size_t filter_limit(const struct flow_filter *filter)
{
	return filter && filter->limit ? filter->limit : SIZE_MAX;
}

uint64_t filter_since_ns(const struct flow_filter *filter)
{
	return filter ? filter->since_ns : 0;
}

uint64_t filter_until_ns(const struct flow_filter *filter)
{
	return filter ? filter->until_ns : 0;
}
