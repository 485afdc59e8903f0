/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection map as a graph for other programs to draw. */
#pragma once

#include <jansson.h>

void graph_print_dot(const json_t *map);     /* Graphviz */
void graph_print_mermaid(const json_t *map); /* in Markdown */
void graph_print_html(const json_t *map);    /* one page that needs nothing else */
