/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings from YAML: what is taken, and that every mistake is told where it is. */
#include "detect/settings.h"

#include "fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int parse(struct detect_settings *settings, const char *text, char **ret_problems)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	size_t size;
	FILE *stream;
	int r;

	assert_int_equal(detect_settings_init(settings), 0);
	r = detect_settings_parse(settings, "d.yaml", text, strlen(text), &diagnostics);
	*ret_problems = NULL;
	stream = open_memstream(ret_problems, &size);
	diagnostics_print(&diagnostics, stream);
	fclose(stream);
	diagnostics_clear(&diagnostics);
	return r;
}

static void takes(struct detect_settings *settings, const char *text)
{
	char *problems;

	assert_int_equal(parse(settings, text, &problems), 0);
	assert_string_equal(problems, "");
	free(problems);
}

static void refuses(const char *text, const char *words)
{
	struct detect_settings settings;
	char *problems;

	assert_int_equal(parse(&settings, text, &problems), -EINVAL);
	if (!strstr(problems, words))
		fail_msg("expected \"%s\" in: %s", words, problems);
	free(problems);
	detect_settings_clear(&settings);
}

static void test_defaults(void **state)
{
	struct detect_settings settings;

	(void)state;
	takes(&settings, "# nothing is set\n");
	assert_true(settings.detectors[0].enabled);
	assert_int_equal(settings.detectors[0].quarantine_ns, 0);
	assert_true(settings.detectors[0].parameters[0] == 1);
	assert_int_equal(settings.learning_ns, 7 * 86400 * SECOND);
	assert_int_equal(settings.severity, SEVERITY_LOW);
	assert_null(settings.webhook_url);
	detect_settings_clear(&settings);
}

static void test_values(void **state)
{
	struct detect_settings settings;

	(void)state;
	takes(&settings,
		"severity: medium\n"
		"learning: 90m\n"
		"quiet: 30s\n"
		"touch.least: 2.5\n"
		"touch.quarantine: 2h\n"
		"enter.enabled: false\n"
		"enter.quarantine: false\n"
		"quarantine.severity: critical\n"
		"quarantine.allow: [{from: [{cidr: 192.0.2.7/32}, {workloads: role=lab}], ports: "
		"[tcp/22]}]\n"
		"capture.duration: 1m\n"
		"webhook.url: 'https://hooks.example.org/x'\n"
		"syslog.socket: /dev/log\n");
	assert_int_equal(settings.severity, SEVERITY_MEDIUM);
	assert_int_equal(settings.learning_ns, 90 * 60 * SECOND);
	assert_int_equal(settings.quiet_ns, 30 * SECOND);
	assert_true(settings.detectors[0].parameters[0] == 2.5);
	assert_int_equal(settings.detectors[0].quarantine_ns, 7200 * SECOND);
	assert_false(settings.detectors[1].enabled);
	assert_int_equal(settings.quarantine_severity, SEVERITY_CRITICAL);
	assert_int_equal(json_array_size(settings.allow), 1);
	assert_int_equal(settings.capture_ns, 60 * SECOND);
	assert_string_equal(settings.webhook_url, "https://hooks.example.org/x");
	assert_string_equal(settings.syslog_socket, "/dev/log");
	detect_settings_clear(&settings);
}

static void test_mistakes(void **state)
{
	(void)state;
	refuses("severity: loud\n", "d.yaml:1:11: error: severity");
	refuses("\ntouch.least: 200\n",
		"d.yaml:2:14: error: touch.least must be a number from 1 to");
	refuses("touch.least: .nan\n", "number");
	refuses("touch.least: [1]\n", "number");
	refuses("touch.lest: 2\n", "did you mean \"touch.least\"?");
	refuses("tuch.least: 2\n", "did you mean \"touch.least\"?");
	refuses("touch: {least: 2}\n", "d.yaml:1:1: error: there is no setting \"touch\"");
	refuses("touch.enabled: maybe\n", "touch.enabled");
	refuses("touch.quarantine: true\n", "a time such as 30m");
	refuses("touch.quarantine: 99999999999999999999d\n", "a time such as 30m");
	refuses("learning: 0s\n", "a time such as 90s");
	refuses("learning: 7\n", "a time such as 90s");
	refuses("quarantine.allow: [{ports: [tcp/22]}]\n", "d.yaml:1:19: error: ");
	refuses("quarantine.allow: everybody\n", "d.yaml:1:19: error: ");
	refuses("webhook.url: ftp://x\n", "must begin with http");
	refuses("syslog.socket: log\n", "must begin with /");
	refuses("severity: low\nseverity: high\n", "d.yaml:2:1: error: severity is set twice");
	refuses("- severity\n", "must be a mapping");
	refuses("{a: b\n", "error");
	refuses("severity: low\n---\nseverity: low\n", "expected one YAML document, found 2");
	refuses("severity: &x low\n", "error");
	/* All at once. */
	refuses("a.b: 1\nseverity: x\n", "d.yaml:2:11");
	refuses("a.b: 1\nseverity: x\n", "d.yaml:1:1");
}

static void test_no_file(void **state)
{
	struct detect_settings settings = {0};
	struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(
		detect_settings_load(&settings, "/nonexistent/detect.yaml", &error), -ENOENT);
	assert_non_null(strstr(error_message(&error), "/nonexistent/detect.yaml"));
	error_clear(&error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
