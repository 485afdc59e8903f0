// SPDX-License-Identifier: GPL-2.0-or-later
/* Settings from YAML: keys are flat, "scan.failures", so that each is one line to find and to say.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "detect/settings.h"
#include "policies/document.h"
#include "policies/read.h"
#include "policies/suggest.h"
#include "policies/yaml_file.h"
#include "policies/yaml_reader.h"
#include "policies/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DURATION_MAX (366ULL * 86400 * NS_PER_SECOND)
#define KEYS_MAX     512

/* --- values -------------------------------------------------------------------------------------
 */

static const char *scalar(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
}

/* "90s", "30m", "12h", "7d". 0: it is none of these. */
static uint64_t parse_duration(const char *text)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	unsigned long long number;
	char *end;

	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	number = strtoull(text, &end, 10);
	for (size_t i = 0; !errno && i < ARRAY_SIZE(units); i++)
		if (*end == units[i].unit && !end[1] &&
			number <= DURATION_MAX / NS_PER_SECOND / units[i].seconds)
			return number * units[i].seconds * NS_PER_SECOND;
	return 0;
}

static void read_duration(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, uint64_t *ret)
{
	uint64_t duration_ns = parse_duration(scalar(node));

	if (!duration_ns)
		yaml_reader_error(reader, node, "bad-duration",
			"%s must be a time such as 90s, 30m, 12h or 7d", what);
	else
		*ret = duration_ns;
}

/* false: never. */
static void read_duration_or_not(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, uint64_t *ret)
{
	if (node->type == YAML_SCALAR_NODE && yaml_scalar_type(node) == YAML_SCALAR_BOOLEAN &&
		!strcmp(scalar(node), "false"))
		*ret = 0;
	else if (!parse_duration(scalar(node)))
		yaml_reader_error(reader, node, "bad-duration",
			"%s must be a time such as 30m, 12h or 7d, or false", what);
	else
		*ret = parse_duration(scalar(node));
}

static void read_severity(
	struct yaml_reader *reader, yaml_node_t *node, const char *what, enum severity *ret)
{
	const char *names[SEVERITY_COUNT];
	unsigned int choice;

	for (size_t i = 0; i < SEVERITY_COUNT; i++)
		names[i] = severity_name((enum severity)i);
	if (yaml_read_choice(reader, node, what, names, SEVERITY_COUNT, &choice))
		*ret = (enum severity)choice;
}

static void read_number(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	const struct detector_parameter *parameter, double *ret)
{
	const char *text = scalar(node);
	char *end;
	double number = strtod(text, &end);

	if (!*text || *end || !isfinite(number) || number < parameter->minimum ||
		number > parameter->maximum)
		yaml_reader_error(reader, node, "bad-number",
			"%s must be a number from %g to %g (%s)", what, parameter->minimum,
			parameter->maximum, parameter->help);
	else
		*ret = number;
}

static void read_text(struct yaml_reader *reader, yaml_node_t *node, const char *what,
	const char *const *beginnings, char **ret)
{
	const char *text;

	if (!yaml_read_string(reader, node, what, &text))
		return;
	for (; *beginnings; beginnings++)
		if (!strncmp(text, *beginnings, strlen(*beginnings))) {
			free(*ret);
			*ret = NULL;
			string_copy(reader, text, ret);
			return;
		}
	yaml_reader_error(
		reader, node, "bad-address", "%s must begin with %s", what, beginnings[-1]);
}

/* As JSON has it, whatever it is: who takes it checks it. */
static json_t *to_json(struct yaml_reader *reader, const yaml_node_t *node)
{
	json_t *json;

	if (node->type == YAML_SCALAR_NODE)
		return json_string(scalar(node));
	if (node->type == YAML_SEQUENCE_NODE) {
		json = json_array();
		for (yaml_node_item_t *item = node->data.sequence.items.start;
			item < node->data.sequence.items.top; item++)
			json_array_append_new(
				json, to_json(reader, yaml_reader_node(reader, *item)));
		return json;
	}
	json = json_object();
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		pair < node->data.mapping.pairs.top; pair++)
		json_object_set_new(json, scalar(yaml_reader_node(reader, pair->key)),
			to_json(reader, yaml_reader_node(reader, pair->value)));
	return json;
}

/* The policy language says what may stand there: it is tried in a quarantine of nobody. */
static void read_allow(struct yaml_reader *reader, yaml_node_t *node, json_t **ret)
{
	json_t *allow = to_json(reader, node);
	__attribute__((cleanup(json_decrefp))) json_t *root =
		json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:O}}", "apiVersion", "segctl.io/v1",
			"kind", "Quarantine", "metadata", "name", "x", "namespace", "x", "spec",
			"reason", "x", "allow", allow);
	_cleanup_free_ char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct document_list list = {0};

	if (!text ||
		documents_parse(&list, reader->file, text, strlen(text), &diagnostics) == -ENOMEM)
		reader->out_of_memory = true;
	for (size_t i = 0; i < diagnostics.count; i++)
		if (diagnostics.items[i].severity == DIAGNOSTIC_ERROR)
			yaml_reader_error(reader, node, diagnostics.items[i].code, "%s",
				diagnostics.items[i].message);
	documents_clear(&list);
	diagnostics_clear(&diagnostics);
	json_decref(*ret);
	*ret = allow;
}

/* --- keys ---------------------------------------------------------------------------------------
 */

static const char *const general_keys[] = {"severity", "learning", "quiet", "campaign",
	"quarantine.severity", "quarantine.allow", "capture.duration", "capture.severity",
	"webhook.url", "syslog.socket"};

/* false: the key is none of these. */
static bool read_general(struct yaml_reader *reader, const char *key, yaml_node_t *node,
	struct detect_settings *settings)
{
	static const char *const urls[] = {"https://", "http://", NULL};
	static const char *const paths[] = {"/", NULL};

	if (!strcmp(key, "severity"))
		read_severity(reader, node, key, &settings->severity);
	else if (!strcmp(key, "learning"))
		read_duration(reader, node, key, &settings->learning_ns);
	else if (!strcmp(key, "quiet"))
		read_duration(reader, node, key, &settings->quiet_ns);
	else if (!strcmp(key, "campaign"))
		read_duration(reader, node, key, &settings->campaign_ns);
	else if (!strcmp(key, "quarantine.severity"))
		read_severity(reader, node, key, &settings->quarantine_severity);
	else if (!strcmp(key, "quarantine.allow"))
		read_allow(reader, node, &settings->allow);
	else if (!strcmp(key, "capture.duration"))
		read_duration_or_not(reader, node, key, &settings->capture_ns);
	else if (!strcmp(key, "capture.severity"))
		read_severity(reader, node, key, &settings->capture_severity);
	else if (!strcmp(key, "webhook.url"))
		read_text(reader, node, key, urls, &settings->webhook_url);
	else if (!strcmp(key, "syslog.socket"))
		read_text(reader, node, key, paths, &settings->syslog_socket);
	else
		return false;
	return true;
}

static bool read_of_detector(struct yaml_reader *reader, const char *key, yaml_node_t *node,
	const struct detector_ops *ops, struct detector_settings *settings)
{
	const char *name = key + strlen(ops->name) + 1;

	if (!strcmp(name, "enabled")) {
		yaml_read_boolean(reader, node, key, &settings->enabled);
		return true;
	}
	if (!strcmp(name, "quarantine")) {
		read_duration_or_not(reader, node, key, &settings->quarantine_ns);
		return true;
	}
	for (size_t i = 0; ops->parameters && ops->parameters[i].name; i++)
		if (!strcmp(name, ops->parameters[i].name)) {
			read_number(
				reader, node, key, &ops->parameters[i], &settings->parameters[i]);
			return true;
		}
	return false;
}

static bool is_of(const char *key, const struct detector_ops *ops)
{
	size_t length = strlen(ops->name);

	return !strncmp(key, ops->name, length) && key[length] == '.';
}

/* All keys that there are, as names of their own. */
static size_t list_keys(char *keys[static KEYS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(general_keys); i++)
		keys[count++] = strdup(general_keys[i]);
	for (size_t i = 0; detectors[i]; i++) {
		const struct detector_parameter *parameter = detectors[i]->parameters;
		static const char *const common[] = {"enabled", "quarantine"};

		for (size_t k = 0; k < ARRAY_SIZE(common) && count < KEYS_MAX; k++, count++)
			if (asprintf(&keys[count], "%s.%s", detectors[i]->name, common[k]) < 0)
				keys[count] = NULL;
		for (; parameter && parameter->name && count < KEYS_MAX; parameter++, count++)
			if (asprintf(&keys[count], "%s.%s", detectors[i]->name, parameter->name) <
				0)
				keys[count] = NULL;
	}
	return count;
}

static void unknown_key(struct yaml_reader *reader, const yaml_node_t *node, const char *key)
{
	char *keys[KEYS_MAX];
	size_t count = list_keys(keys);
	const char *near = NULL;
	bool complete = true;

	for (size_t i = 0; i < count; i++)
		complete = complete && keys[i];
	if (complete)
		near = suggest(key, (const char *const *)keys, count);
	if (near)
		yaml_reader_error(reader, node, "unknown-field",
			"there is no setting \"%.64s\", did you mean \"%s\"?", key, near);
	else
		yaml_reader_error(reader, node, "unknown-field",
			"there is no setting \"%.64s\"; GET /v1/detectors lists detectors and "
			"their parameters",
			key);
	for (size_t i = 0; i < count; i++)
		free(keys[i]);
}

static void read_setting(struct yaml_reader *reader, yaml_node_t *key_node, yaml_node_t *node,
	struct detect_settings *settings)
{
	const char *key;

	if (!yaml_read_string(reader, key_node, "the name of a setting", &key) ||
		read_general(reader, key, node, settings))
		return;
	for (size_t i = 0; i < settings->detectors_count; i++)
		if (is_of(key, detectors[i]) &&
			read_of_detector(reader, key, node, detectors[i], &settings->detectors[i]))
			return;
	unknown_key(reader, key_node, key);
}

static void read_root(struct yaml_reader *reader, yaml_node_t *root, void *userdata)
{
	struct detect_settings *settings = userdata;
	const yaml_node_pair_t *pair, *earlier;

	if (root->type != YAML_MAPPING_NODE) {
		yaml_reader_error(reader, root, "wrong-type",
			"the file must be a mapping of settings, as in scan.quarantine: 1h");
		return;
	}
	for (pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = yaml_reader_node(reader, pair->key);

		for (earlier = root->data.mapping.pairs.start; earlier < pair; earlier++)
			if (!strcmp(scalar(yaml_reader_node(reader, earlier->key)), scalar(key)))
				yaml_reader_error(reader, key, "duplicate", "%.64s is set twice",
					scalar(key));
		read_setting(reader, key, yaml_reader_node(reader, pair->value), settings);
	}
}

/* --- the text -----------------------------------------------------------------------------------
 */

int detect_settings_parse(struct detect_settings *settings, const char *file, const char *text,
	size_t size, struct diagnostics *diagnostics)
{
	return yaml_file_parse(file, text, size, true, read_root, settings, diagnostics);
}

int detect_settings_load(struct detect_settings *ret, const char *path, struct error *error)
{
	_cleanup_detect_settings_ struct detect_settings settings = {0};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	int r = yaml_file_read(path, &text, &size, error);

	if (r < 0)
		return r;
	if (detect_settings_init(&settings) < 0)
		return error_nomem(error);
	r = detect_settings_parse(&settings, path, text, size, &diagnostics);
	if (r == -EINVAL)
		diagnostics_to_error(&diagnostics, error);
	else if (r < 0)
		error_nomem(error);
	diagnostics_clear(&diagnostics);
	if (r < 0)
		return r;
	*ret = settings;
	settings = (struct detect_settings){0};
	return 0;
}
