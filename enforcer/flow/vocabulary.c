/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/vocabulary.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

static const char *const event_type_names[] = {
	[FLOW_NEW] = "new",
	[FLOW_UPDATE] = "update",
	[FLOW_END] = "end",
	[FLOW_DENIED] = "denied",
	[FLOW_GAP] = "gap",
};

static const char *const verdict_names[] = {
	[FLOW_ALLOWED] = "allowed",
	[FLOW_REFUSED] = "denied",
	[FLOW_AUDITED] = "audited",
};

static const char *const reason_names[] = {
#define X(symbol, name, sentence) [REASON_##symbol] = (name),
	REASONS(X)
#undef X
};

static const char *const reason_sentences[] = {
#define X(symbol, name, sentence) [REASON_##symbol] = (sentence),
	REASONS(X)
#undef X
};

/* The position of text among names, or -EINVAL. */
static int find_name(const char *text, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(text, names[i]))
			return (int)i;
	return -EINVAL;
}

const char *flow_event_type_name(enum flow_event_type type)
{
	return event_type_names[type];
}

const char *flow_verdict_name(enum flow_verdict verdict)
{
	return verdict_names[verdict];
}

const char *reason_name(enum reason reason)
{
	return reason_names[reason];
}

const char *reason_sentence(enum reason reason)
{
	return reason_sentences[reason];
}

int flow_event_type_parse(const char *text, enum flow_event_type *ret)
{
	int found = find_name(text, event_type_names, ARRAY_SIZE(event_type_names));

	if (found < 0)
		return found;
	*ret = (enum flow_event_type)found;
	return 0;
}

int flow_verdict_parse(const char *text, enum flow_verdict *ret)
{
	int found = find_name(text, verdict_names, ARRAY_SIZE(verdict_names));

	if (found < 0)
		return found;
	*ret = (enum flow_verdict)found;
	return 0;
}

int reason_parse(const char *text, enum reason *ret)
{
	int found = find_name(text, reason_names, ARRAY_SIZE(reason_names));

	if (found < 0)
		return found;
	*ret = (enum reason)found;
	return 0;
}
