/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/selector.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>
#include <stdarg.h>

#define EXPECTED "expected e.g. app=db,env in (prod,staging),tier!=edge,!legacy"

struct input {
	const char *text;
	const char *at;
	char *problem;
	size_t problem_offset;
};

static int refuse(struct input *input, const char *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct input *input, const char *where, const char *format, ...)
{
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = vasprintf(&input->problem, format, arguments);
	va_end(arguments);
	if (r < 0) {
		input->problem = NULL;
		return -ENOMEM;
	}
	input->problem_offset = (size_t)(where - input->text);
	return -EINVAL;
}

static void skip_spaces(struct input *input)
{
	input->at += strspn(input->at, " \t\r\n");
}

static bool take(struct input *input, const char *token)
{
	size_t length = strlen(token);

	if (strncmp(input->at, token, length))
		return false;
	input->at += length;
	return true;
}

/* Everything up to the next character that means something: "" where one stands here. */
static int take_word(struct input *input, const char **ret_start, char **ret)
{
	size_t length;
	char *word;

	skip_spaces(input);
	length = strcspn(input->at, " \t\r\n,()=!<>");
	word = strndup(input->at, length);
	if (!word)
		return -ENOMEM;
	*ret_start = input->at;
	*ret = word;
	input->at += length;
	skip_spaces(input);
	return 0;
}

static int take_key(struct input *input, char **ret)
{
	_cleanup_free_ char *key = NULL;
	const char *start, *problem;
	int r = take_word(input, &start, &key);

	if (r < 0)
		return r;
	if (!*key && !*start)
		return refuse(input, start, "a label key is missing at the end; " EXPECTED);
	if (!*key)
		return refuse(
			input, start, "a label key is missing before '%c'; " EXPECTED, *start);
	problem = label_key_problem(key);
	if (problem)
		return refuse(input, start, "label key \"%s\" %s", key, problem);
	*ret = TAKE_PTR(key);
	return 0;
}

static int take_value(struct input *input, struct selector_requirement *requirement)
{
	_cleanup_free_ char *value = NULL;
	const char *start, *problem;
	int r = take_word(input, &start, &value);

	if (r < 0)
		return r;
	problem = label_value_problem(value);
	if (problem)
		return refuse(input, start, "label value \"%s\" %s", value, problem);
	return selector_requirement_add(requirement, value);
}

static int take_set(struct input *input, struct selector_requirement *requirement)
{
	const char *start = input->at;
	int r;

	if (!take(input, "("))
		return refuse(input, input->at, "expected '(' and a list of values: env in (a,b)");
	skip_spaces(input);
	if (*input->at == ')')
		return refuse(input, start, "the list of values is empty");
	do {
		r = take_value(input, requirement);
		if (r < 0)
			return r;
	} while (take(input, ","));
	if (!take(input, ")"))
		return refuse(input, input->at, "expected ',' or ')' in the list of values");
	return 0;
}

static int take_comparison(struct input *input, struct selector *selector, const char *key)
{
	_cleanup_free_ char *word = NULL;
	struct selector_requirement *requirement;
	enum selector_relation relation;
	const char *start;
	bool set;
	int r;

	if (*input->at == '<' || *input->at == '>')
		return refuse(input, input->at,
			"'%c' is not known in policies; expected =, !=, in or notin", *input->at);
	if (!*input->at || *input->at == ',')
		return selector_add(selector, key, SELECTOR_EXISTS) ? 0 : -ENOMEM;
	set = !strchr("=!", *input->at);
	if (set) {
		r = take_word(input, &start, &word);
		if (r < 0)
			return r;
		if (strcmp(word, "in") && strcmp(word, "notin"))
			return refuse(input, start,
				"expected ',', =, !=, in or notin behind the label key \"%s\"",
				key);
		relation = strcmp(word, "in") ? SELECTOR_NOT_IN : SELECTOR_IN;
	} else if (take(input, "!=")) {
		relation = SELECTOR_NOT_IN;
	} else if (take(input, "==") || take(input, "=")) {
		relation = SELECTOR_IN;
	} else {
		return refuse(input, input->at, "expected != behind the label key \"%s\"", key);
	}
	requirement = selector_add(selector, key, relation);
	if (!requirement)
		return -ENOMEM;
	return set ? take_set(input, requirement) : take_value(input, requirement);
}

static int take_requirement(struct input *input, struct selector *selector)
{
	_cleanup_free_ char *key = NULL;
	bool absent;
	int r;

	skip_spaces(input);
	absent = take(input, "!");
	r = take_key(input, &key);
	if (r < 0)
		return r;
	if (absent)
		r = selector_add(selector, key, SELECTOR_NOT_EXISTS) ? 0 : -ENOMEM;
	else
		r = take_comparison(input, selector, key);
	if (r < 0)
		return r;
	skip_spaces(input);
	if (*input->at && *input->at != ',')
		return refuse(input, input->at, "expected ',' or the end before \"%s\"", input->at);
	return 0;
}

static int take_selector(struct input *input, struct selector *selector)
{
	int r;

	skip_spaces(input);
	if (!*input->at)
		return refuse(
			input, input->at, "the selector is empty; write \"*\" for everything");
	if (take(input, "*")) {
		skip_spaces(input);
		return *input->at ? refuse(input, input->at, "\"*\" stands alone; " EXPECTED) : 0;
	}
	do {
		r = take_requirement(input, selector);
		if (r < 0)
			return r;
	} while (take(input, ","));
	return 0;
}

int selector_parse(const char *text, struct selector *ret, char **ret_problem, size_t *ret_offset)
{
	_cleanup_(selector_clear) struct selector selector = {0};
	struct input input = {.text = text, .at = text};
	int r = take_selector(&input, &selector);

	if (r == -EINVAL) {
		*ret_problem = input.problem;
		*ret_offset = input.problem_offset;
	}
	if (r < 0)
		return r;
	selector_normalize(&selector);
	*ret = selector;
	selector = (struct selector){0};
	return 0;
}
