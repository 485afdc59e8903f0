/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that every command takes, and what is known about the terminal. */
#pragma once

#include "base/error.h"

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#define SETTINGS_SOCKET_DEFAULT "/run/segd/segd.sock"

/* What scripts may rely on. */
enum exit_code {
	EXIT_YES = 0,
	EXIT_NO = 1,
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3,
};

enum output {
	OUTPUT_TABLE = 1 << 0,
	OUTPUT_WIDE = 1 << 1, /* a table that shortens nothing and shows every column */
	OUTPUT_JSON = 1 << 2,
	OUTPUT_JSONL = 1 << 3,
	OUTPUT_YAML = 1 << 4,
	OUTPUT_CSV = 1 << 5,
	OUTPUT_DOT = 1 << 6,
	OUTPUT_MERMAID = 1 << 7,
	OUTPUT_JUNIT = 1 << 8,
	OUTPUT_TAP = 1 << 9,
	OUTPUT_HTML = 1 << 10,
	OUTPUT_OCSF = 1 << 11, /* one event a line, in the words of other products */
	OUTPUT_ECS = 1 << 12,
};

struct settings {
	const char *program; /* "segctl policy apply": begins every message */
	const char *socket_path;
	enum output output;
	bool utc;
	bool color;
	size_t width; /* of the terminal in columns; 0: no terminal, nothing is shortened */
};

/* From the environment and the terminal. */
void settings_init(struct settings *settings);

/*
 * Parses argv by argp plus the options that every command takes. outputs: what -o may say here
 * (enum output, ORed); the lowest bit is the default; 0: there is no -o. Ends the program after
 * --help and --version, and with EXIT_USAGE on any mistake.
 */
void settings_parse(struct settings *settings, const struct argp *argp, unsigned int outputs,
	int argc, char **argv, void *input);

/* As settings_parse(), but stops at the first word that is no option. Returns its index, argc if
 * there is none. */
int settings_parse_leading(
	struct settings *settings, const struct argp *argp, int argc, char **argv);

/* The index of the first word that is no option, where only options that every command takes stand
 * before it; else argc. Changes nothing, and says nothing about mistakes. */
int settings_find_word(const struct settings *settings, int argc, char **argv);

/* "PROGRAM: message; see 'PROGRAM --help'" and the end with EXIT_USAGE. */
void usage_error(const struct settings *settings, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* Prints the one line that says what failed. Returns the exit code for it. */
int report(const struct settings *settings, const struct error *error);
