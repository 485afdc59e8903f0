/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ownership that can be checked inside one function: a variable marked _cleanup_(f) is released
 * when it goes out of scope, and TAKE_PTR/TAKE_FD hand it on.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

#define TAKE_PTR(pointer)                       \
	({                                      \
		__auto_type taken_ = (pointer); \
		(pointer) = NULL;               \
		taken_;                         \
	})

#define TAKE_FD(fd)                \
	({                         \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

/* Defines name##p(), which releases *pointer by name() unless it is NULL. */
#define DEFINE_CLEANUP(type, name)                \
	static inline void name##p(type *pointer) \
	{                                         \
		if (*pointer)                     \
			name(*pointer);           \
	}

static inline void freep(void *pointer)
{
	free(*(void **)pointer);
}

static inline void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

DEFINE_CLEANUP(FILE *, fclose)

#define _cleanup_free_  _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
#define _cleanup_file_  _cleanup_(fclosep)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
