// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pcapng FILE: a line for each packet: the name of its interface, in, out or -, and its comment.
 * "drops" as a second word: what the last statistics block says instead, "received dropped
 * dropped-by-reader". Ends with 1 where the file is broken or ends in the middle of a block.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERFACES_MAX 256
#define TEXT_MAX       600

static char names[INTERFACES_MAX][TEXT_MAX];
static unsigned int names_count;
static unsigned long long statistics[3];

static uint32_t word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* The option's value; NULL: the block does not have it. */
static const uint8_t *find_option(
	const uint8_t *at, const uint8_t *end, uint16_t wanted, uint16_t *length)
{
	while (at + 4 <= end) {
		uint16_t option = (uint16_t)word(at), size = (uint16_t)(word(at) >> 16);

		if (option == wanted) {
			*length = size;
			return at + 4;
		}
		at += 4 + (size + 3U) / 4 * 4;
	}
	return NULL;
}

static void copy_option(const uint8_t *at, const uint8_t *end, uint16_t wanted, char *text)
{
	uint16_t length = 0;
	const uint8_t *value = find_option(at, end, wanted, &length);

	snprintf(
		text, TEXT_MAX, "%.*s", value ? (int)length : 1, value ? (const char *)value : "-");
}

static void print_packet(const uint8_t *body, const uint8_t *end)
{
	static const char *const directions[] = {"-", "in", "out", "?"};
	const uint8_t *options = body + 20 + (word(body + 12) + 3) / 4 * 4;
	uint16_t length = 0;
	const uint8_t *flags = find_option(options, end, 2, &length);
	char comment[TEXT_MAX];

	copy_option(options, end, 1, comment);
	printf("%s %s %s\n", word(body) < names_count ? names[word(body)] : "?",
		directions[flags ? word(flags) & 3 : 0], comment);
}

static void keep_statistics(const uint8_t *body, const uint8_t *end)
{
	static const uint16_t options[] = {4, 5, 7};

	for (int i = 0; i < 3; i++) {
		uint16_t length = 0;
		const uint8_t *value = find_option(body + 12, end, options[i], &length);

		if (value)
			memcpy(&statistics[i], value, sizeof(statistics[i]));
	}
}

int main(int argc, char **argv)
{
	FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
	uint8_t head[8], *body = NULL;

	if (!file)
		return 2;
	while (fread(head, 1, sizeof(head), file) == sizeof(head)) {
		uint32_t type = word(head), size = word(head + 4) - 8;

		body = realloc(body, size);
		if (!body || size < 4 || fread(body, 1, size, file) != size ||
			word(body + size - 4) != size + 8)
			return 1;
		if (type == 1 && names_count < INTERFACES_MAX)
			copy_option(body + 8, body + size - 4, 2, names[names_count++]);
		else if (type == 6 && argc == 2)
			print_packet(body, body + size - 4);
		else if (type == 5)
			keep_statistics(body, body + size - 4);
	}
	if (argc > 2)
		printf("%llu %llu %llu\n", statistics[0], statistics[1], statistics[2]);
	return !feof(file) || fgetc(file) != EOF;
}
