/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "did you mean": the known word nearest to one that was mistyped. */
#pragma once

#include <stddef.h>

/* NULL: none is near enough. Case does not count; a swap of neighbours counts as one mistake. */
const char *suggest(const char *word, const char *const *known, size_t known_count);
