/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error that gathers context on its way up, so that one failure becomes one message which a
 * person understands: "apply policies: open state directory /var/lib/segd: Permission denied".
 *
 * Functions return 0 or a negative errno and fill the caller's error once, where it happened.
 * Callers add what they were doing with error_context() and pass the code on. Only the event
 * handler at the top prints. A NULL error is allowed everywhere and collects nothing.
 */
#pragma once

struct error {
	int code;      /* negative errno; 0: no error */
	char *message; /* owned; NULL if out of memory */
};

#define ERROR_INIT      \
	{               \
		0, NULL \
	}

/* Sets code and message; an earlier message is released. Returns code, which must be negative. */
int error_set(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set(), with ": strerror(code)" behind the message. */
int error_errno(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "context: " before the message. Returns the error's code, or code where error is NULL. */
int error_context(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* -ENOMEM with its message. */
int error_nomem(struct error *error);

/* The message, never NULL. Owned by the error. */
const char *error_message(const struct error *error);

void error_clear(struct error *error);

#define _cleanup_error_ __attribute__((cleanup(error_clear)))
