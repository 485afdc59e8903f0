/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/route.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)tolower((unsigned char)digit);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static int decode(const char *text, size_t length, char **ret)
{
	_cleanup_free_ char *decoded = malloc(length + 1);
	char *end = decoded;

	if (!decoded)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		int high, low;

		if (text[i] != '%') {
			*end++ = text[i];
			continue;
		}
		if (length - i < 3)
			return -EINVAL;
		high = hex_digit(text[i + 1]);
		low = hex_digit(text[i + 2]);
		if (high < 0 || low < 0 || !(high | low))
			return -EINVAL;
		*end++ = (char)(high << 4 | low);
		i += 2;
	}
	*end = '\0';
	*ret = TAKE_PTR(decoded);
	return 0;
}

int parameters_add(struct parameters *parameters, const char *name, size_t name_length,
	const char *value, size_t value_length, bool query)
{
	_cleanup_free_ char *name_copy = strndup(name, name_length);
	_cleanup_free_ char *decoded = NULL;
	struct parameter *items;
	int result;

	if (!name_copy)
		return -ENOMEM;
	result = decode(value, value_length, &decoded);
	if (result < 0)
		return result;
	items = reallocarray(parameters->items, parameters->count + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	parameters->items = items;
	items[parameters->count++] = (struct parameter){
		.name = TAKE_PTR(name_copy), .value = TAKE_PTR(decoded), .query = query};
	return 0;
}

void parameters_clear(struct parameters *parameters)
{
	for (size_t i = 0; i < parameters->count; i++) {
		free(parameters->items[i].name);
		free(parameters->items[i].value);
	}
	free(parameters->items);
	*parameters = (struct parameters){NULL, 0};
}

static bool is_placeholder(const char *segment, size_t length)
{
	return length > 2 && segment[0] == '{' && segment[length - 1] == '}';
}

/*
 * Walks both paths segment by segment. Where parameters is NULL it only compares. 1: they match; 0:
 * they do not; negative: an error of parameters_add().
 */
static int walk(const char *pattern, const char *path, struct parameters *parameters)
{
	while (*pattern == '/' && *path == '/') {
		size_t pattern_length = strcspn(++pattern, "/");
		size_t path_length = strcspn(++path, "/");
		int result = 0;

		if (!is_placeholder(pattern, pattern_length)) {
			if (pattern_length != path_length ||
				memcmp(pattern, path, path_length) != 0)
				return 0;
		} else if (!path_length) {
			return 0;
		} else if (parameters) {
			result = parameters_add(parameters, pattern + 1, pattern_length - 2, path,
				path_length, false);
		}
		if (result < 0)
			return result;
		pattern += pattern_length;
		path += path_length;
	}
	return !*pattern && !*path;
}

bool route_matches(const struct control_route *route, const char *path)
{
	return walk(route->path, path, NULL) > 0;
}

int route_parameters(
	const struct control_route *route, const char *path, struct parameters *parameters)
{
	int result = walk(route->path, path, parameters);

	return result < 0 ? result : 0;
}
