/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of the agent: a path of the API, grown segment by segment and key by key. */
#pragma once

/* Each call replaces *url, which begins as NULL, by a longer one. Escapes what it adds. */
void url_segment(char **url, const char *segment);
void url_query(char **url, const char *key, const char *value);
