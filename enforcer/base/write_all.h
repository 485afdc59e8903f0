/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/* All of it, however often it takes. 0 or -errno: some may have been written. */
int write_all(int fd, const void *bytes, size_t size);
