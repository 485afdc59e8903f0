/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/capture_file.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "policies/array.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

struct capture_file {
	struct capture_files *files;
	struct capture *capture;
	char *path;
	int fd;
	uint64_t bytes_max;
	struct capture_file *prev, *next;
};

struct capture_files {
	char *directory;
	uint64_t total_bytes;
	void (*failed)(const char *path, const struct error *error);
	struct capture_file *running;
};

DEFINE_CLEANUP(DIR *, closedir)

static void file_free(struct capture_file *file)
{
	if (!file)
		return;
	capture_free(file->capture);
	free(file->path);
	closep(&file->fd);
	free(file);
}

static void file_freep(struct capture_file **file)
{
	file_free(*file);
}

int capture_files_new(const char *directory, uint64_t total_bytes,
	void (*failed)(const char *path, const struct error *error), struct capture_files **ret,
	struct error *error)
{
	struct capture_files *files;

	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return error_errno(error, -errno, "make directory %s", directory);
	files = calloc(1, sizeof(*files));
	if (files)
		files->directory = strdup(directory);
	if (!files || !files->directory) {
		free(files);
		return error_nomem(error);
	}
	files->total_bytes = total_bytes;
	files->failed = failed;
	*ret = files;
	return 0;
}

void capture_files_free(struct capture_files *files)
{
	struct capture_file *file, *next;

	if (!files)
		return;
	DL_FOREACH_SAFE (files->running, file, next) {
		DL_DELETE(files->running, file);
		file_free(file);
	}
	free(files->directory);
	free(files);
}

/* --- room ---------------------------------------------------------------------------------------
 */

struct old_file {
	char *name;
	uint64_t bytes;
	int64_t changed_ns;
};

struct old_files {
	struct old_file *items;
	size_t count;
};

static void old_files_clear(struct old_files *old)
{
	for (size_t i = 0; i < old->count; i++)
		free(old->items[i].name);
	free(old->items);
}

static int compare_age(const void *a, const void *b)
{
	const struct old_file *left = a, *right = b;

	return (left->changed_ns > right->changed_ns) - (left->changed_ns < right->changed_ns);
}

static bool is_running(const struct capture_files *files, const char *name)
{
	const struct capture_file *file;

	DL_FOREACH (files->running, file)
		if (!strcmp(strrchr(file->path, '/') + 1, name))
			return true;
	return false;
}

/* Those that nobody writes any more. */
static int list(const struct capture_files *files, struct old_files *ret, struct error *error)
{
	_cleanup_(closedirp) DIR *directory = opendir(files->directory);
	const struct dirent *entry;

	if (!directory)
		return error_errno(error, -errno, "open %s", files->directory);
	while ((entry = readdir(directory))) {
		struct old_file *file;
		struct stat status;

		if (fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(status.st_mode) || is_running(files, entry->d_name))
			continue;
		file = array_append(ret->items, ret->count);
		if (!file)
			return error_nomem(error);
		file->name = strdup(entry->d_name);
		if (!file->name)
			return error_nomem(error);
		file->bytes = (uint64_t)status.st_size;
		file->changed_ns =
			status.st_mtim.tv_sec * (int64_t)NS_PER_SECOND + status.st_mtim.tv_nsec;
	}
	return 0;
}

/* What runs may still grow to its bound, so that is what it counts for. */
static uint64_t promised_bytes(const struct capture_files *files)
{
	const struct capture_file *file;
	uint64_t bytes = 0;

	DL_FOREACH (files->running, file)
		bytes += file->bytes_max;
	return bytes;
}

static int make_room(const struct capture_files *files, uint64_t bytes, struct error *error)
{
	_cleanup_(old_files_clear) struct old_files old = {0};
	uint64_t used = promised_bytes(files) + bytes;
	int r = list(files, &old, error);

	if (r < 0)
		return r;
	if (used > files->total_bytes)
		return error_set(error, -EBUSY,
			"captures that are running may fill %s: wait for one to end",
			files->directory);
	for (size_t i = 0; i < old.count; i++)
		used += old.items[i].bytes;
	if (old.count)
		qsort(old.items, old.count, sizeof(*old.items), compare_age);
	for (size_t i = 0; i < old.count && used > files->total_bytes; i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s", files->directory, old.items[i].name) < 0) {
			path = NULL;
			return error_nomem(error);
		}
		if (unlink(path) < 0 && errno != ENOENT)
			return error_errno(error, -errno, "remove %s", path);
		used -= old.items[i].bytes;
	}
	return 0;
}

/* --- one file -----------------------------------------------------------------------------------
 */

/* A block that is only half there, on a full disk, is taken back: the file stays one that readers
 * can read to its end. */
static bool on_write(const char *bytes, size_t length, void *userdata)
{
	const struct capture_file *file = userdata;
	ssize_t written = write(file->fd, bytes, length);
	off_t end;

	if (written == (ssize_t)length)
		return true;
	end = written > 0 ? lseek(file->fd, -written, SEEK_CUR) : -1;
	if (end >= 0 && ftruncate(file->fd, end) < 0)
		return false;
	return false;
}

static void on_ended(enum capture_end why, const struct error *error, void *userdata)
{
	struct capture_file *file = userdata;

	if (why == CAPTURE_FAILED)
		file->files->failed(file->path, error);
	DL_DELETE(file->files->running, file);
	file_free(file);
}

static char *path_of(const struct capture_files *files, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", files->directory, name) < 0)
		return NULL;
	for (char *c = path + strlen(files->directory) + 1; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
			*c = '_';
	return path;
}

int capture_to_file(struct capture_files *files, const char *name, const struct capture_wish *wish,
	const struct capture_world *world, sd_event *event, char **ret_path, struct error *error)
{
	_cleanup_(file_freep) struct capture_file *file = calloc(1, sizeof(*file));
	struct capture_sink sink = {on_write, on_ended, file};
	_cleanup_free_ char *path = NULL;
	int r;

	if (!file)
		return error_nomem(error);
	file->files = files;
	file->fd = -1;
	file->path = path_of(files, name);
	path = file->path ? strdup(file->path) : NULL;
	if (!path)
		return error_nomem(error);
	file->bytes_max = wish->bytes_max;
	if (wish->bytes_max > files->total_bytes)
		return error_set(error, -EINVAL, "bytes: expected up to %llu, for all files",
			(unsigned long long)files->total_bytes);
	r = capture_new(wish, world, &sink, event, &file->capture, error);
	if (r == 0)
		r = make_room(files, wish->bytes_max, error);
	if (r < 0)
		return r;
	file->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return error_errno(error, -errno, "create %s", path);
	if (!capture_begin(file->capture)) {
		unlink(path);
		return error_set(error, -ENOSPC, "%s: no room for a capture", path);
	}
	DL_APPEND(files->running, file);
	file = NULL;
	*ret_path = TAKE_PTR(path);
	return 0;
}
