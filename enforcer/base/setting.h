/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The number in a file below /proc/sys, of the calling thread's network namespace; -1: the file is
 * not there or is no number. */
int setting_read(const char *path);
