/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"

#include "base/cleanup.h"
#include "must.h"

#include <errno.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMPLAINT_MAX 2000

int command_file(struct error *error)
{
	int fd = memfd_create("conformance", MFD_CLOEXEC);

	return fd < 0 ? error_errno(error, -errno, "make a file in memory") : fd;
}

static int spawn(const char *const *arguments, int input, int output, int complaints, pid_t *ret)
{
	const int descriptors[] = {input, output, complaints};
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	for (int i = 0; i < 3 && !r; i++)
		r = posix_spawn_file_actions_adddup2(&actions, descriptors[i], i);
	if (!r)
		r = posix_spawn(
			ret, arguments[0], &actions, NULL, (char *const *)arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* Owned by the caller, with a NUL behind it. */
static int read_all(int fd, char **ret, size_t *ret_size, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	struct stat status;
	ssize_t got;

	if (fstat(fd, &status) < 0)
		return error_errno(error, -errno, "look at a file in memory");
	text = must(malloc((size_t)status.st_size + 1));
	do {
		got = pread(fd, text + size, (size_t)status.st_size - size, (off_t)size);
		if (got < 0)
			return error_errno(error, -errno, "read a file in memory");
		size += (size_t)got;
	} while (got);
	text[size] = '\0';
	*ret = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

static int report_failure(int complaints, const char *program, int status, struct error *error)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = read_all(complaints, &text, &size, error);

	if (r < 0)
		return r;
	if (size && text[size - 1] == '\n')
		text[size - 1] = '\0';
	if (WIFSIGNALED(status))
		return error_set(error, -EINVAL, "%s was ended by signal %d: %.*s", program,
			WTERMSIG(status), COMPLAINT_MAX, text);
	return error_set(error, -EINVAL, "%s: exit code %d: %.*s", program, WEXITSTATUS(status),
		COMPLAINT_MAX, text);
}

int command_run(
	const char *const *arguments, int input, char **ret, size_t *ret_size, struct error *error)
{
	_cleanup_close_ int output = command_file(error);
	_cleanup_close_ int complaints = command_file(error);
	int status, r;
	pid_t pid;

	if (output < 0 || complaints < 0)
		return output < 0 ? output : complaints;
	if (lseek(input, 0, SEEK_SET) < 0)
		return error_errno(error, -errno, "rewind a file in memory");
	r = spawn(arguments, input, output, complaints, &pid);
	if (r < 0)
		return error_errno(error, r, "run %s", arguments[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(error, -errno, "wait for %s", arguments[0]);
	if (status)
		return report_failure(complaints, arguments[0], status, error);
	return read_all(output, ret, ret_size, error);
}
