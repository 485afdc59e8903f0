/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's own log: one line for each thing that happened, on standard error, with the priority
 * prefix of sd-daemon(3) where the journal reads it. Only event handlers at the top call it. */
#pragma once

enum journal_level {
	JOURNAL_ERROR = 3,
	JOURNAL_WARNING = 4,
	JOURNAL_NOTICE = 5,
	JOURNAL_INFO = 6
};

void journal(enum journal_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
