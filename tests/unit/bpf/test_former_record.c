/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/former_record.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

DEFINE_CLEANUP(struct btf *, btf__free)

struct today {
	uint64_t packets[2];
	uint32_t owner;
	uint16_t port;
};

static const struct record_field fields[] = {
	RECORD_FIELD(today, packets),
	RECORD_FIELD_OPTIONAL(today, owner),
	RECORD_FIELD(today, port),
};

/* struct { u16 port; u16 pad; u32 owner (unless its name is NULL); u64 packets[length]; } */
static struct btf *former_types(const char *owner, uint32_t length, uint32_t *ret_type)
{
	struct btf *btf = btf__new_empty();
	int u16, u32, u64, packets, type;

	assert_non_null(btf);
	u16 = btf__add_int(btf, "u16", 2, 0);
	u32 = btf__add_int(btf, "u32", 4, 0);
	u64 = btf__add_int(btf, "u64", 8, 0);
	packets = btf__add_array(btf, u32, u64, length);
	type = btf__add_struct(btf, "former", 8 + 8 * length);
	assert_true(type > 0);
	btf__add_field(btf, "port", u16, 0, 0);
	btf__add_field(btf, "pad", u16, 16, 0);
	if (owner)
		btf__add_field(btf, owner, u32, 32, 0);
	btf__add_field(btf, "packets", packets, 64, 0);
	*ret_type = (uint32_t)btf__add_const(btf, type); /* not the struct itself */
	return btf;
}

struct former {
	uint16_t port, pad;
	uint32_t owner;
	uint64_t packets[2];
};

static const struct former former = {8080, 0xffff, 7, {11, 12}};

static void test_fields_are_found_by_name(void **state)
{
	struct today now = {0};
	struct former_record record;
	uint32_t type;
	_cleanup_(btf__freep) struct btf *btf = former_types("owner", 2, &type);

	(void)state;
	assert_int_equal(former_record_match(btf, type, fields, ARRAY_SIZE(fields), &record), 0);
	former_record_read(&record, &former, &now);
	assert_int_equal(now.port, 8080);
	assert_int_equal(now.owner, 7);
	assert_int_equal(now.packets[0], 11);
	assert_int_equal(now.packets[1], 12);
}

static void test_what_is_optional_may_be_missing(void **state)
{
	struct today now = {.owner = 99};
	struct former_record record;
	uint32_t type;
	_cleanup_(btf__freep) struct btf *btf = former_types(NULL, 2, &type);

	(void)state;
	assert_int_equal(former_record_match(btf, type, fields, ARRAY_SIZE(fields), &record), 0);
	former_record_read(&record, &former, &now);
	assert_int_equal(now.owner, 99);
	assert_int_equal(now.packets[1], 12);
}

static void test_what_does_not_fit_is_refused(void **state)
{
	const struct record_field missing = {"generation", 0, 4, false};
	struct former_record record = {.count = 42};
	uint32_t type;
	_cleanup_(btf__freep) struct btf *btf = former_types("owner", 3, &type);

	(void)state;
	/* packets has another size; generation is not there; no such type; no struct. */
	assert_int_equal(
		former_record_match(btf, type, fields, ARRAY_SIZE(fields), &record), -EINVAL);
	assert_int_equal(former_record_match(btf, type, &missing, 1, &record), -EINVAL);
	assert_int_equal(former_record_match(btf, 1000, fields + 2, 1, &record), -EINVAL);
	assert_int_equal(former_record_match(btf, 1, fields + 2, 1, &record), -EINVAL);
	assert_int_equal(record.count, 42);
	assert_int_equal(former_record_match(btf, type, fields + 2, 1, &record), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_are_found_by_name),
		cmocka_unit_test(test_what_is_optional_may_be_missing),
		cmocka_unit_test(test_what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
