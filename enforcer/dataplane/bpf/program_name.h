/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether the program with that id is called that. A name that we give only programs of ours. */
bool program_has_name(uint32_t id, const char *name);
/* Whether it is one of early dropping's, which only refuses, and belongs before all others. */
bool program_is_early(uint32_t id);
