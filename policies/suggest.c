/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policies/suggest.h"

#include <stdbool.h>
#include <string.h>

#define WORD_MAX 32 /* longer words are not compared: no field has so long a name */

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* Optimal string alignment distance (Damerau 1964, restricted). */
static unsigned int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned int rows[WORD_MAX + 1][WORD_MAX + 1];

	for (unsigned int i = 0; i <= a_length; i++)
		rows[i][0] = i;
	for (unsigned int k = 0; k <= b_length; k++)
		rows[0][k] = k;
	for (size_t i = 1; i <= a_length; i++) {
		for (size_t k = 1; k <= b_length; k++) {
			bool equal = fold(a[i - 1]) == fold(b[k - 1]);

			rows[i][k] = least(rows[i - 1][k] + 1, rows[i][k - 1] + 1,
				rows[i - 1][k - 1] + !equal);
			if (i > 1 && k > 1 && fold(a[i - 1]) == fold(b[k - 2]) &&
				fold(a[i - 2]) == fold(b[k - 1]) &&
				rows[i - 2][k - 2] + 1 < rows[i][k])
				rows[i][k] = rows[i - 2][k - 2] + 1;
		}
	}
	return rows[a_length][b_length];
}

const char *suggest(const char *word, const char *const *known, size_t known_count)
{
	size_t length = strlen(word);
	const char *nearest = NULL;
	unsigned int nearest_distance = 0;

	if (length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < known_count; i++) {
		size_t known_length = strlen(known[i]);
		unsigned int apart, limit = known_length < 4 ? 1 : known_length < 8 ? 2 : 3;

		if (known_length > WORD_MAX)
			continue;
		apart = distance(word, length, known[i], known_length);
		if (apart <= limit && (!nearest || apart < nearest_distance)) {
			nearest = known[i];
			nearest_distance = apart;
		}
	}
	return nearest;
}
