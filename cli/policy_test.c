/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy test: what PolicyTests expect, held against the policies beside them. */
#include "command.h"
#include "output.h"
#include "test_report.h"
#include "text.h"

#include <errno.h>

static void print(const struct test_report *report)
{
	switch (report->settings->output) {
	case OUTPUT_JSON:
		test_report_print_json(report);
		break;
	case OUTPUT_JUNIT:
		test_report_print_junit(report);
		break;
	case OUTPUT_TAP:
		test_report_print_tap(report);
		break;
	default:
		test_report_print_text(report);
	}
}

static int run(const struct settings *settings, const struct offline_options *options)
{
	_cleanup_offline_ struct offline offline = {0};
	_cleanup_error_ struct error error = ERROR_INIT;
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct verification verification = {0};
	const struct test_report report_of = {settings, &offline, &verification};
	int code = offline_load(settings, options, &offline), r;

	if (code != EXIT_YES)
		return code;
	r = verify(&offline.documents, offline.model, offline.ir, &diagnostics, &verification);
	diagnostics_print(&diagnostics, stderr);
	if (r == -EINVAL) {
		_cleanup_free_ char *mistakes =
			output_plural((double)diagnostics.errors, "mistake", "mistakes");

		error_set(&error, r, "%s, nothing was tested", mistakes);
	} else if (r < 0) {
		error_nomem(&error);
	} else if (!verification.count) {
		error_set(&error, -ENOENT,
			"the files hold no PolicyTest with expectations; give one by -f");
	}
	diagnostics_clear(&diagnostics);
	if (error.code)
		return report(settings, &error);
	print(&report_of);
	code = verification.failed ? EXIT_NO : EXIT_YES;
	verification_clear(&verification);
	return code;
}

int policy_test_run(struct settings *settings, int argc, char **argv)
{
	struct offline_options options = {.settings = settings};
	struct argp argp = offline_argp;
	int code;

	argp.doc =
		"Holds the PolicyTests in the files against the policies beside them, with the Pods "
		"and Namespaces in the files as the cluster, and says of each expectation that is "
		"not met what is so instead, and by which rule. -o wide shows also those that "
		"hold. Exit status 0: all hold, 1: some do not.";
	settings_parse(settings, &argp,
		OUTPUT_TABLE | OUTPUT_WIDE | OUTPUT_JSON | OUTPUT_JUNIT | OUTPUT_TAP, argc, argv,
		&options);
	code = run(settings, &options);
	sources_clear(&options.sources);
	return code;
}
