// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/writer.h"

static void grows_and_keeps_what_it_has(void **state)
{
	struct writer writer = WRITER_INIT;
	size_t length = 0;

	(void)state;
	for (unsigned int i = 0; i < 5000; i++) {
		writer_literal(&writer, "abc");
		length += 3;
	}
	assert_false(writer.failed);
	assert_int_equal(writer.length, length);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(writer.data[i], "abc"[i % 3]);
	writer_clear(&writer);
	assert_null(writer.data);
}

static void assert_writes(uint64_t number)
{
	struct writer writer = WRITER_INIT;
	char expected[32];
	int length = snprintf(expected, sizeof(expected), "%llu", (unsigned long long)number);

	writer_uint(&writer, number);
	assert_int_equal(writer.length, length);
	assert_memory_equal(writer.data, expected, (size_t)length);
	writer_clear(&writer);
}

/* On both sides of each power of two and of ten, where the number of digits may be taken wrong. */
static void writes_numbers_to_the_last_digit(void **state)
{
	uint64_t power = 1;

	(void)state;
	for (unsigned int bit = 0; bit < 64; bit++) {
		assert_writes((1ULL << bit) - 1);
		assert_writes(1ULL << bit);
	}
	for (unsigned int digits = 1; digits < 20; digits++) {
		power *= 10;
		assert_writes(power - 1);
		assert_writes(power);
		assert_writes(power + power / 2);
	}
	assert_writes(UINT64_MAX);
}

static void takes_what_the_caller_puts_into_its_room(void **state)
{
	struct writer writer = WRITER_INIT;
	char *text;

	(void)state;
	writer_literal(&writer, "ab");
	text = writer_room(&writer, 5000);
	assert_non_null(text);
	text[0] = 'c';
	writer_end(&writer, text + 1);
	assert_int_equal(writer.length, 3);
	assert_memory_equal(writer.data, "abc", 3);
	writer_clear(&writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_keeps_what_it_has),
		cmocka_unit_test(writes_numbers_to_the_last_digit),
		cmocka_unit_test(takes_what_the_caller_puts_into_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
