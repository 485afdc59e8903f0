// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "control/credentials.h"

#include <grp.h>
#include <sys/wait.h>

/* Groups that every Debian has stand in for ours. */
#define CHANGE_GROUP "daemon"
#define READ_GROUP   "bin"
#define NOBODY       65534

static gid_t group_id(const char *name)
{
	struct group *group = getgrnam(name);

	assert_non_null(group);
	return group->gr_gid;
}

/* The rights of a peer that connected with these ids. A child becomes it, since credentials are
 * those of the moment of socketpair(). */
static unsigned int rights_of(uid_t uid, gid_t gid, const gid_t *groups, size_t groups_count)
{
	struct credentials credentials = CREDENTIALS_INIT(CHANGE_GROUP, READ_GROUP);
	pid_t child = fork();
	int status = -1, fds[2];

	assert_true(child >= 0);
	if (!child) {
		if (setgroups(groups_count, groups) < 0 || setgid(gid) < 0 || setuid(uid) < 0 ||
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
			_exit(100);
		_exit((int)credentials_rights(&credentials, fds[0]));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return (unsigned int)WEXITSTATUS(status);
}

static void root_may_change(void **state)
{
	(void)state;
	assert_int_equal(rights_of(0, 0, NULL, 0), CREDENTIALS_READ | CREDENTIALS_CHANGE);
}

static void groups_give_their_rights(void **state)
{
	gid_t change = group_id(CHANGE_GROUP), reading = group_id(READ_GROUP);
	gid_t many[] = {NOBODY, 4711, reading, 4712};
	gid_t both[] = {reading, change};

	(void)state;
	assert_int_equal(rights_of(NOBODY, NOBODY, NULL, 0), 0);
	assert_int_equal(rights_of(NOBODY, reading, NULL, 0), CREDENTIALS_READ);
	assert_int_equal(rights_of(NOBODY, NOBODY, many, ARRAY_SIZE(many)), CREDENTIALS_READ);
	assert_int_equal(rights_of(NOBODY, change, NULL, 0), CREDENTIALS_READ | CREDENTIALS_CHANGE);
	assert_int_equal(rights_of(NOBODY, NOBODY, both, ARRAY_SIZE(both)),
		CREDENTIALS_READ | CREDENTIALS_CHANGE);
}

/* Group 0 is nobody's stand-in for a group that does not exist. */
static void groups_that_are_missing_give_nothing(void **state)
{
	struct credentials credentials = CREDENTIALS_INIT("segd-no-such", "segd-nor-this");
	pid_t child = fork();
	int status = -1, fds[2];

	(void)state;
	assert_true(child >= 0);
	if (!child) {
		if (setgroups(0, NULL) < 0 || setuid(NOBODY) < 0 ||
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
			_exit(100);
		_exit((int)credentials_rights(&credentials, fds[0]));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_is_no_unix_socket_has_no_rights(void **state)
{
	struct credentials credentials = CREDENTIALS_INIT(CHANGE_GROUP, READ_GROUP);

	(void)state;
	assert_int_equal(credentials_rights(&credentials, -1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_may_change),
		cmocka_unit_test(groups_give_their_rights),
		cmocka_unit_test(groups_that_are_missing_give_nothing),
		cmocka_unit_test(what_is_no_unix_socket_has_no_rights),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root to become somebody else\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
