// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "flow/filter.h"

#include <errno.h>

#define DATA      "tests/unit/flow/data/flows.log"
#define LINES_MAX 64

struct recording {
	json_t *lines[LINES_MAX];
	size_t count;
};

static int setup(void **state)
{
	struct recording *recording = calloc(1, sizeof(*recording));
	FILE *file = fopen(DATA, "re");
	json_t *line;

	if (!recording || !file)
		return -1;
	while ((line = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)))
		recording->lines[recording->count++] = line;
	fclose(file);
	*state = recording;
	return recording->count == 13 ? 0 : -1;
}

static int teardown(void **state)
{
	struct recording *recording = *state;

	for (size_t i = 0; i < recording->count; i++)
		json_decref(recording->lines[i]);
	free(recording);
	return 0;
}

/* "key=value&key=value" over the recording: which lines, as a string of letters from 'a'. The gap
 * is 'j' and matches every filter that its time matches. */
static void assert_lines(const struct recording *recording, const char *query, const char *expected)
{
	struct flow_filter *filter = NULL;
	char copy[256], *rest = copy, *pair, found[LINES_MAX + 1], *end = found;
	struct error error = ERROR_INIT;

	snprintf(copy, sizeof(copy), "%s", query);
	while ((pair = strsep(&rest, "&"))) {
		char *key = strsep(&pair, "=");

		if (flow_filter_set(&filter, key, pair, &error) < 0)
			fail_msg("%s: %s", query, error_message(&error));
	}
	for (size_t i = 0; i < recording->count; i++)
		if (flow_filter_matches(filter, recording->lines[i]))
			*end++ = (char)('a' + i);
	*end = '\0';
	if (strcmp(found, expected) != 0)
		fail_msg("%s: found %s, expected %s", query, found, expected);
	flow_filter_free(filter);
}

static void each_key_selects_its_lines(void **state)
{
	assert_lines(*state, "from=web", "acdefhjkm");
	assert_lines(*state, "from=shop/web", "acdehjk");
	assert_lines(*state, "from=10.77.0.12", "bij");
	assert_lines(*state, "from=world", "gj");
	assert_lines(*state, "to=host", "fj");
	assert_lines(*state, "to=fd00:77::21", "gj");
	assert_lines(*state, "workload=shop/db", "bchij");
	assert_lines(*state, "namespace=blog", "fgjm");
	assert_lines(*state, "label=env=prod", "abcdehijkl");
	assert_lines(*state, "label=env=", "fgjm");
	assert_lines(*state, "label=note", "bchj");
	assert_lines(*state, "port=5432", "bcj");
	assert_lines(*state, "port=0", "j");
	assert_lines(*state, "protocol=icmp", "hj");
	assert_lines(*state, "protocol=arp", "ij");
	assert_lines(*state, "protocol=47", "jm");
	assert_lines(*state, "verdict=audited", "gj");
	assert_lines(*state, "reason=spoofed_arp", "ij");
	assert_lines(*state, "rule=db-from-api", "bchj");
	assert_lines(*state, "rule=blog/blog-audit", "gj");
	assert_lines(*state, "rule=shop/blog-audit", "j");
	assert_lines(*state, "cidr=10.77.0.0/24", "abcdehijkl");
	assert_lines(*state, "cidr=2001:db8::/32", "gj");
	assert_lines(*state, "cidr=0.0.0.0/0", "abcdehijklm");
}

static void values_of_one_key_widen_and_keys_narrow(void **state)
{
	assert_lines(*state, "port=5432&port=443", "bcdj");
	assert_lines(*state, "port=5432&port=443&verdict=denied", "cdj");
	assert_lines(*state, "from=web&to=db&protocol=tcp", "cj");
	assert_lines(*state, "from=api&to=web", "j");
}

static void names_of_dns_may_be_patterns(void **state)
{
	static const struct {
		const char *name;
		bool destination, server;
	} cases[] = {
		{"api.example.org", true, false},
		{"API.Example.ORG", true, false},
		{"second.example.net", true, false},
		{"*.example.org", true, true},
		{"shop.example.org", false, true},
		{"example.org", false, false},
		{"api.example.or", false, false},
	};
	json_t *named = json_pack("{s:s, s:{s:s, s:[ss]}}", "event", "new", "destination", "entity",
		"world", "names", "api.example.org", "second.example.net");
	json_t *asked = json_pack("{s:s, s:s, s:s}", "event", "end", "application", "tls",
		"server_name", "shop.example.org");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow_filter *filter = NULL;

		assert_int_equal(flow_filter_set(&filter, "dns-name", cases[i].name, NULL), 0);
		assert_int_equal(flow_filter_matches(filter, named), cases[i].destination);
		assert_int_equal(flow_filter_matches(filter, asked), cases[i].server);
		flow_filter_free(filter);
	}
	json_decref(named);
	json_decref(asked);
}

static void times_bound_both_sides(void **state)
{
	assert_lines(*state, "since=2026-11-21T08:01:00Z", "klm");
	assert_lines(*state, "until=2026-11-21T08:00:02.5Z", "ab");
	assert_lines(*state, "until=2026-11-21T08:00:02.499999Z", "a");
	assert_lines(*state,
		"since=2026-11-21T10:00:05+02:00&until=2026-11-21T08:01:02Z&verdict=denied",
		"hijl");
}

static void no_filter_matches_all(void **state)
{
	const struct recording *recording = *state;

	for (size_t i = 0; i < recording->count; i++)
		assert_true(flow_filter_matches(NULL, recording->lines[i]));
}

static void refuses_bad_values_and_says_what_was_expected(void **state)
{
	static const struct {
		const char *key, *value, *expected;
	} cases[] = {
		{"form", "web", "unknown filter \"form\": expected from, to"},
		{"from", "", "from \"\": expected NAMESPACE/NAME"},
		{"port", "http", "port \"http\": expected a number"},
		{"port", "65536", "port \"65536\": expected a number"},
		{"protocol", "tpc", "expected tcp, udp"},
		{"verdict", "refused", "expected allowed, denied"},
		{"reason", "because", "expected a reason"},
		{"cidr", "10.0.0.1/8", "expected a prefix"},
		{"since", "yesterday", "expected a time"},
		{"limit", "0", "expected a number from 1"},
		{"limit", NULL, "expected a number from 1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = ERROR_INIT;
		struct flow_filter *filter = NULL;

		assert_int_equal(
			flow_filter_set(&filter, cases[i].key, cases[i].value, &error), -EINVAL);
		assert_null(filter);
		assert_non_null(strstr(error_message(&error), cases[i].expected));
		error_clear(&error);
	}
}

static void the_number_of_values_is_bounded(void **state)
{
	struct flow_filter *filter = NULL;
	unsigned int accepted = 0;

	(void)state;
	while (accepted < 1000 && !flow_filter_set(&filter, "port", "1", NULL))
		accepted++;
	assert_int_equal(accepted, 256);
	flow_filter_free(filter);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_selects_its_lines),
		cmocka_unit_test(values_of_one_key_widen_and_keys_narrow),
		cmocka_unit_test(names_of_dns_may_be_patterns),
		cmocka_unit_test(times_bound_both_sides),
		cmocka_unit_test(no_filter_matches_all),
		cmocka_unit_test(refuses_bad_values_and_says_what_was_expected),
		cmocka_unit_test(the_number_of_values_is_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
