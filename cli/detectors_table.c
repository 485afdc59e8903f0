/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "detectors_table.h"

#include "client.h"
#include "output.h"
#include "table.h"
#include "text.h"

static const struct table_column columns[] = {
	{"SETTING", 0},
	{"VALUE", TABLE_RIGHT},
	{"RANGE", 0},
	{"WHAT", TABLE_NOTE},
	{0},
};

static void add_parameter(struct table *table, const struct detector_ops *ops,
	const struct detector_parameter *parameter, double value)
{
	table_row(table);
	table_cell(table, TABLE_PLAIN, text_format("%s.%s", ops->name, parameter->name));
	table_cell(table, value != parameter->value ? TABLE_WARNING : TABLE_PLAIN,
		text_format("%g", value));
	table_cell(table, TABLE_PLAIN,
		text_format("%g to %g", parameter->minimum, parameter->maximum));
	table_cell_text(table, TABLE_PLAIN, parameter->help);
}

static void add_detector(struct table *table, const struct detector_ops *ops,
	const struct detector_settings *settings)
{
	table_row(table);
	table_cell(table, TABLE_PLAIN, text_format("%s.enabled", ops->name));
	table_cell_text(table, settings->enabled ? TABLE_GOOD : TABLE_WARNING,
		settings->enabled ? "true" : "false");
	table_cell_text(table, TABLE_PLAIN, "");
	table_cell_text(table, TABLE_PLAIN, ops->summary);
	for (size_t i = 0; ops->parameters && ops->parameters[i].name; i++)
		add_parameter(table, ops, &ops->parameters[i], settings->parameters[i]);
}

static json_t *detector_to_json(
	const struct detector_ops *ops, const struct detector_settings *settings)
{
	json_t *parameters = must(json_array());

	for (size_t i = 0; ops->parameters && ops->parameters[i].name; i++) {
		const struct detector_parameter *parameter = &ops->parameters[i];

		json_array_append_new(parameters,
			json_pack("{s:s, s:f, s:f, s:f, s:f, s:s}", "name", parameter->name,
				"value", settings->parameters[i], "default", parameter->value,
				"minimum", parameter->minimum, "maximum", parameter->maximum,
				"help", parameter->help));
	}
	return must(json_pack("{s:s, s:s, s:s, s:b, s:o}", "name", ops->name, "summary",
		ops->summary, "method", ops->method, "enabled", settings->enabled, "parameters",
		parameters));
}

static void print_json(
	const struct settings *settings, const struct detect_settings *detect_settings)
{
	_cleanup_json_ json_t *answer = must(json_pack("{s:[]}", "detectors"));
	json_t *list = json_object_get(answer, "detectors"), *detector;
	size_t i;

	for (i = 0; detectors[i]; i++)
		json_array_append_new(
			list, detector_to_json(detectors[i], &detect_settings->detectors[i]));
	if (settings->output == OUTPUT_JSON) {
		output_json(answer);
		return;
	}
	json_array_foreach (list, i, detector) {
		output_json_line(detector);
	}
}

void detectors_table_print(
	const struct settings *settings, const struct detect_settings *detect_settings)
{
	_cleanup_table_ struct table *table = NULL;

	if (settings->output & (OUTPUT_JSON | OUTPUT_JSONL)) {
		print_json(settings, detect_settings);
		return;
	}
	table = table_new(settings, columns);
	for (size_t i = 0; detectors[i]; i++)
		add_detector(table, detectors[i], &detect_settings->detectors[i]);
	table_print(table);
}
