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

static void writes_numbers_to_the_last_digit(void **state)
{
	static const uint64_t numbers[] = {0, 9, 10, 65535, UINT64_MAX};
	struct writer writer = WRITER_INIT;
	char expected[32];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int length = snprintf(
			expected, sizeof(expected), "%llu", (unsigned long long)numbers[i]);

		writer_reset(&writer);
		writer_uint(&writer, numbers[i]);
		assert_int_equal(writer.length, length);
		assert_memory_equal(writer.data, expected, (size_t)length);
	}
	writer_clear(&writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_keeps_what_it_has),
		cmocka_unit_test(writes_numbers_to_the_last_digit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
