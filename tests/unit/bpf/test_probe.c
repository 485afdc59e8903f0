/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/probe.h"

#include <bpf/libbpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_root_may(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	assert_null(probe_unavailable());
}

static void test_nobody_may_not(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		const char *missing;

		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		missing = probe_unavailable();
		_exit(missing && strstr(missing, "root") ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root_may),
		cmocka_unit_test(test_nobody_may_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
