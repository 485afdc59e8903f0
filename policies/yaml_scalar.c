/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/yaml_scalar.h"

#include "base/cleanup.h"

#include <stdbool.h>
#include <string.h>

#define DIGITS "0123456789"

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(text, words[i]))
			return true;
	return false;
}

static bool is_null(const char *text)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	return is_one_of(text, words, ARRAY_SIZE(words));
}

static bool is_boolean(const char *text)
{
	static const char *const words[] = {"y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No",
		"NO", "true", "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off",
		"Off", "OFF"};

	return is_one_of(text, words, ARRAY_SIZE(words));
}

static bool consists_of(const char *text, const char *characters)
{
	return *text && text[strspn(text, characters)] == '\0';
}

static bool is_integer(const char *text)
{
	text += *text == '+' || *text == '-';
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return consists_of(text + 2, DIGITS "abcdefABCDEF_");
	if (text[0] == '0' && (text[1] == 'b' || text[1] == 'o'))
		return consists_of(text + 2, DIGITS "_");
	return *text != '_' && consists_of(text, DIGITS "_");
}

static bool is_number(const char *text)
{
	static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"};
	size_t whole, fraction = 0;

	text += *text == '+' || *text == '-';
	if (is_one_of(text, words, ARRAY_SIZE(words)))
		return true;
	whole = strspn(text, DIGITS "_");
	if (whole && *text == '_')
		return false;
	text += whole;
	if (*text == '.') {
		fraction = strspn(++text, DIGITS "_");
		text += fraction;
	}
	if (!whole && !fraction)
		return false;
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '+' || *text == '-';
		return consists_of(text, DIGITS);
	}
	return !*text;
}

enum yaml_scalar_type yaml_scalar_type(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	/* The escape "\0" is possible in a quoted scalar only. */
	if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return YAML_SCALAR_STRING;
	if (is_null(text))
		return YAML_SCALAR_NULL;
	if (is_boolean(text))
		return YAML_SCALAR_BOOLEAN;
	if (is_integer(text))
		return YAML_SCALAR_INTEGER;
	return is_number(text) ? YAML_SCALAR_NUMBER : YAML_SCALAR_STRING;
}

const char *yaml_scalar_type_name(enum yaml_scalar_type type)
{
	static const char *const names[] = {
		[YAML_SCALAR_STRING] = "the text",
		[YAML_SCALAR_NULL] = "nothing",
		[YAML_SCALAR_BOOLEAN] = "the boolean",
		[YAML_SCALAR_INTEGER] = "the integer",
		[YAML_SCALAR_NUMBER] = "the number",
	};

	return names[type];
}
