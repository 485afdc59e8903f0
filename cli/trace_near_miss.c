/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace_near_miss.h"

#include "output.h"
#include "text.h"

/* "SegmentPolicy shop/db ingress[0]" */
static char *rule_text(const struct near_miss *near_miss)
{
	const struct document *document = near_miss->document;

	return text_format("%s %s%s%s %s[%d]", document_kind_name(document->kind),
		document->namespace, *document->namespace ? "/" : "", document->name,
		direction_name(near_miss->direction), near_miss->index);
}

void trace_near_miss_print(const struct near_miss *near_miss, int indent)
{
	_cleanup_free_ char *rule = NULL;

	if (near_miss->document && near_miss->index >= 0) {
		rule = rule_text(near_miss);
		printf("%*snearest rule: ", indent, "");
		output_text(rule);
		printf("\n%*s%s:%u\n", indent, "", near_miss->document->file, near_miss->line);
	}
	for (size_t i = 0; i < near_miss->unmet_count; i++) {
		printf("%*s%s ", indent, "", near_miss->unmet_count == 1 ? "cause:" : "not met:");
		output_text(near_miss->unmet[i].message);
		putchar('\n');
	}
}

char *trace_near_miss_text(const struct near_miss *near_miss)
{
	_cleanup_free_ char *rule = NULL;
	char *text = NULL;
	FILE *stream = must(open_memstream(&text, &(size_t){0}));

	if (near_miss->document && near_miss->index >= 0) {
		rule = rule_text(near_miss);
		fprintf(stream, "%s (%s:%u): ", rule, near_miss->document->file, near_miss->line);
	}
	for (size_t i = 0; i < near_miss->unmet_count; i++)
		fprintf(stream, "%s%s", i ? "; " : "", near_miss->unmet[i].message);
	fclose(stream);
	return must(text);
}

json_t *trace_near_miss_to_json(const struct near_miss *near_miss)
{
	const struct document *document = near_miss->document;
	json_t *unmet = must(json_array());
	json_t *json;

	for (size_t i = 0; i < near_miss->unmet_count; i++)
		json_array_append_new(
			unmet, must(json_pack("{s:s, s:s, s:s}", "condition",
				       unmet_kind_name(near_miss->unmet[i].kind), "of",
				       near_miss->unmet[i].subject ? "subject" : "rule", "message",
				       near_miss->unmet[i].message)));
	json = must(json_pack("{s:o, s:I, s:b}", "unmet", unmet, "weight",
		(json_int_t)near_miss->weight, "unused", (int)near_miss->unused));
	if (document)
		json_object_update_new(
			json, must(json_pack("{s:s, s:s, s:s, s:s, s:i}", "kind",
				      document_kind_name(document->kind), "namespace",
				      document->namespace, "name", document->name, "file",
				      document->file, "line", (int)near_miss->line)));
	if (near_miss->index >= 0)
		json_object_set_new(json, "index", json_integer(near_miss->index));
	return json;
}
