// SPDX-License-Identifier: GPL-2.0-or-later
/* The map as one page for a browser: map.html with the data in the place of its example. */
#include "graph.h"

#include "output.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

/* The page, NUL-terminated, as it is when segctl is built. */
extern const char map_page[];

__asm__(".section .rodata\n"
	".global map_page\n"
	"map_page:\n"
	".incbin \"cli/map.html\"\n"
	".byte 0\n"
	".previous\n");

#define PLACE "/*MAP*/{\"nodes\":[],\"edges\":[]}"

/* In a script no "<" may stand that could end it, and no character that is not ASCII need. */
static void print_data(const json_t *map)
{
	_cleanup_free_ char *text = must(json_dumps(map, JSON_COMPACT | JSON_ENSURE_ASCII));

	for (const char *from = text; *from; from++) {
		if (*from == '<')
			fputs("\\u003c", stdout);
		else
			putchar(*from);
	}
}

void graph_print_html(const json_t *map)
{
	const char *place = strstr(map_page, PLACE);

	fwrite(map_page, 1, (size_t)(place - map_page), stdout);
	print_data(map);
	fputs(place + strlen(PLACE), stdout);
}
