/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"

#include "base/cleanup.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define COMPLAINT_MAX 2000

extern char **environ;

int command_file(FILE **ret, struct error *error)
{
	_cleanup_close_ int fd = memfd_create("conformance", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");

	if (!file)
		return error_errno(error, -errno, "make a file in memory");
	TAKE_FD(fd);
	*ret = file;
	return 0;
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

static int report_failure(FILE *complaints, const char *program, int status, struct error *error)
{
	char text[COMPLAINT_MAX];
	size_t size;

	rewind(complaints);
	size = fread(text, 1, sizeof(text) - 1, complaints);
	if (size && text[size - 1] == '\n')
		size--;
	text[size] = '\0';
	if (WIFSIGNALED(status))
		return error_set(error, -EINVAL, "%s was ended by signal %d%s%s", program,
			WTERMSIG(status), size ? ": " : "", text);
	return error_set(
		error, -EINVAL, "%s: exit code %d: %s", program, WEXITSTATUS(status), text);
}

int command_run(const char *const *arguments, int input, FILE **ret, struct error *error)
{
	_cleanup_file_ FILE *output = NULL;
	_cleanup_file_ FILE *complaints = NULL;
	int status, r;
	pid_t pid;

	r = command_file(&output, error);
	if (r == 0)
		r = command_file(&complaints, error);
	if (r < 0)
		return r;
	if (lseek(input, 0, SEEK_SET) < 0)
		return error_errno(error, -errno, "rewind a file in memory");
	r = spawn(arguments, input, fileno(output), fileno(complaints), &pid);
	if (r < 0)
		return error_errno(error, r, "run %s", arguments[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(error, -errno, "wait for %s", arguments[0]);
	if (status)
		return report_failure(complaints, arguments[0], status, error);
	rewind(output);
	*ret = TAKE_PTR(output);
	return 0;
}
