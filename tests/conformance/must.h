/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runner lives for one corpus, so running out of memory simply ends it. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

static inline void *must(void *pointer)
{
	if (pointer)
		return pointer;
	fputs("conformance: out of memory\n", stderr);
	exit(2);
}
