/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule that decided a flow, on the live screen: what it is called, and how its policy is
 * written. */
#include "live.h"

#include "output.h"
#include "record.h"
#include "screen.h"
#include "text.h"

#include <string.h>

#define LINES_ABOVE 3 /* title, summary, and what it is called */
#define LINES_BELOW 1 /* keys */

static const json_t *find_policy(const struct live *live, const json_t *rule)
{
	const json_t *policy;
	size_t i;

	json_array_foreach (json_object_get(live->policies, "policies"), i, policy) {
		if (strcmp(field_text(policy, "kind"), field_text(rule, "kind")) == 0 &&
			strcmp(field_text(policy, "namespace"), field_text(rule, "namespace")) ==
				0 &&
			strcmp(field_text(policy, "name"), field_text(rule, "name")) == 0)
			return policy;
	}
	return NULL;
}

/* The text's lines from the place's first one on. Returns how many it has. */
static size_t draw_text(const struct live_place *here, const char *text)
{
	size_t lines = 0;
	int room = LINES - LINES_ABOVE - LINES_BELOW;

	while (*text) {
		size_t length = strcspn(text, "\n");
		long line = (long)lines - (long)here->first;

		if (line >= 0 && line < room)
			screen_line(LINES_ABOVE + (int)line, A_NORMAL,
				text_format("%.*s", (int)length, text));
		lines++;
		text += length + (text[length] == '\n');
	}
	return lines;
}

static void draw_policy(struct live *live, const json_t *rule)
{
	struct live_place *here = live_here(live);
	const json_t *policy = find_policy(live, rule);
	size_t lines;

	if (!policy) {
		screen_line(LINES_ABOVE, A_NORMAL,
			text_format(json_is_object(rule) && *field_text(rule, "name")
					    ? "the agent does not have this policy any more"
					    : "this is no policy's rule"));
		return;
	}
	/* Scrolling is selecting: as far as there are lines. */
	here->first = here->selected;
	lines = draw_text(here, field_text(policy, "text"));
	if (lines && here->selected >= lines)
		here->selected = lines - 1;
}

static void draw(struct live *live)
{
	const json_t *flow = live_here(live)->row, *rule = json_object_get(flow, "rule");
	const json_t *source = json_object_get(find_policy(live, rule), "source");
	_cleanup_free_ char *why = record_why(flow);

	screen_line(1, A_NORMAL,
		text_format("%s tier%s%s",
			*field_text(rule, "tier") ? field_text(rule, "tier") : "no",
			*field_text(source, "file") ? ", written in " : "",
			field_text(source, "file")));
	screen_line(2, screen_color(record_color(field_text(flow, "verdict"))) | A_UNDERLINE,
		text_format("%s: %s", field_text(flow, "verdict"), why));
	draw_policy(live, rule);
}

const struct live_view live_rule = {
	.noun = "rule",
	.keys = "q quit  Esc back  arrows scroll",
	.draw = draw,
};
