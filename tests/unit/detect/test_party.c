/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How ends of a record are called, in words and as roles. */
#include "detect/party.h"

#include "detect/role.h"
#include "detect/suspect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Nothing but characters of two bytes behind so many of one: whatever the bound, some cut hits
 * the middle of one. */
static void name_of(char text[static 253], size_t ahead)
{
	memset(text, 'x', ahead);
	for (; ahead + 2 < 253; ahead += 2)
		memcpy(text + ahead, "\xc3\xb6", 2);
	text[ahead] = '\0';
}

static void is_text(const char *text)
{
	json_t *json = json_string(text);

	assert_non_null(json);
	json_decref(json);
}

static void long_names_are_cut_between_characters(void **state)
{
	static const struct address address;

	(void)state;
	for (size_t ahead = 0; ahead < 2; ahead++) {
		char long_name[253], party[PARTY_TEXT_MAX], role[ROLE_MAX];
		struct finding finding = {0};
		struct name *name;

		name_of(long_name, ahead);
		name = name_new(NULL,
			json_pack("{s:s, s:s, s:{s:s, s:s}}", "workload", long_name, "namespace",
				"shop", "labels", "app", long_name, "tier", long_name));
		is_text(party_format(name, &address, party));
		assert_true(strlen(party) > 140);
		is_text(role_of(name, role));
		assert_true(strlen(role) > 300);
		name_release(name);
		name = name_new(NULL, json_pack("{s:s}", "entity", long_name));
		is_text(party_format(name, &address, party));
		is_text(role_of(name, role));
		assert_true(strlen(role) > 60);
		name_release(name);
		finding_key(&finding, "%s", long_name);
		finding_sentence(&finding, "%s%s%s", long_name, long_name, long_name);
		finding_because(&finding, "%s%s%s", long_name, long_name, long_name);
		is_text(finding.key);
		is_text(finding.sentence);
		is_text(finding.because);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_names_are_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
