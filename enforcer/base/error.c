/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static char *format_message(const char *format, va_list arguments)
{
	char *text = NULL;

	return vasprintf(&text, format, arguments) < 0 ? NULL : text;
}

static void replace(struct error *error, int code, char *message)
{
	free(error->message);
	error->message = message;
	error->code = code;
}

int error_set(struct error *error, int code, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return code;
	va_start(arguments, format);
	replace(error, code, format_message(format, arguments));
	va_end(arguments);
	return code;
}

int error_errno(struct error *error, int code, const char *format, ...)
{
	_cleanup_free_ char *what = NULL;
	char *message = NULL;
	va_list arguments;

	if (!error)
		return code;
	va_start(arguments, format);
	what = format_message(format, arguments);
	va_end(arguments);
	if (!what || asprintf(&message, "%s: %s", what, strerror(-code)) < 0)
		message = NULL;
	replace(error, code, message);
	return code;
}

int error_context(struct error *error, int code, const char *format, ...)
{
	_cleanup_free_ char *context = NULL;
	char *message = NULL;
	va_list arguments;

	if (!error)
		return code;
	if (!error->code)
		error->code = code;
	va_start(arguments, format);
	context = format_message(format, arguments);
	va_end(arguments);
	if (context && asprintf(&message, "%s: %s", context, error_message(error)) >= 0)
		replace(error, error->code, message);
	return error->code;
}

int error_nomem(struct error *error)
{
	return error_set(error, -ENOMEM, "out of memory");
}

const char *error_message(const struct error *error)
{
	if (error->message)
		return error->message;
	return error->code ? strerror(-error->code) : "no error";
}

void error_clear(struct error *error)
{
	free(error->message);
	*error = (struct error)ERROR_INIT;
}
