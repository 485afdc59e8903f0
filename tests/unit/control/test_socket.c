// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "control/socket.h"

static char directory[64];
static char path[128];

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/segd-socket-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/run/segd.sock", directory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	return rmdir(directory);
}

static void makes_its_directory_and_lets_everybody_connect(void **state)
{
	struct socket_id id;
	struct stat status;
	int fd;

	(void)state;
	assert_int_equal(socket_listen(path, &fd, &id, NULL), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0666);
	close(fd);
	socket_remove(path, &id);
	assert_int_equal(access(path, F_OK), -1);
}

static void replaces_only_what_nobody_answers_on(void **state)
{
	struct socket_id first_id, second_id;
	int first, second = -1;

	(void)state;
	assert_int_equal(socket_listen(path, &first, &first_id, NULL), 0);
	assert_int_equal(socket_listen(path, &second, &second_id, NULL), -EADDRINUSE);
	assert_int_equal(second, -1);
	close(first); /* as a killed agent: the file stays */
	assert_int_equal(socket_listen(path, &second, &second_id, NULL), 0);
	/* The first one comes late to clean up. */
	socket_remove(path, &first_id);
	assert_int_equal(access(path, F_OK), first_id.inode == second_id.inode ? -1 : 0);
	close(second);
}

static void leaves_other_files_alone(void **state)
{
	struct error error = ERROR_INIT;
	struct socket_id id;
	FILE *file;
	int fd;

	(void)state;
	assert_int_equal(socket_listen(path, &fd, &id, NULL), 0);
	close(fd);
	assert_int_equal(unlink(path), 0);
	file = fopen(path, "we");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(socket_listen(path, &fd, &id, &error), -EEXIST);
	assert_non_null(strstr(error_message(&error), path));
	assert_int_equal(access(path, F_OK), 0);
	error_clear(&error);
}

static void refuses_paths_that_do_not_fit(void **state)
{
	char long_path[256];
	struct socket_id id;
	int fd;

	(void)state;
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(socket_listen(long_path, &fd, &id, NULL), -ENAMETOOLONG);
	assert_int_equal(socket_listen(path, &fd, &id, NULL), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			makes_its_directory_and_lets_everybody_connect, setup, teardown),
		cmocka_unit_test_setup_teardown(
			replaces_only_what_nobody_answers_on, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_other_files_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_paths_that_do_not_fit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
