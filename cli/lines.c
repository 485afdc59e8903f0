/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lines.h"

#include "client.h"
#include "csv.h"
#include "export.h"
#include "output.h"

void lines_begin(const struct settings *settings)
{
	if (settings->output == OUTPUT_CSV)
		csv_print_heading();
}

void lines_print(const struct settings *settings, const json_t *record)
{
	_cleanup_json_ json_t *exported = NULL;

	switch (settings->output) {
	case OUTPUT_CSV:
		csv_print_record(record);
		break;
	case OUTPUT_OCSF:
		exported = export_ocsf(record);
		output_json_line(exported);
		break;
	case OUTPUT_ECS:
		exported = export_ecs(record);
		output_json_line(exported);
		break;
	default:
		output_json_line(record);
	}
}
