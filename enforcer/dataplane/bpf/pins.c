/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/pins.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* Room behind the directory for the longest part and name. */
#define PART_MAX 256

DEFINE_CLEANUP(DIR *, closedir)

static bool is_on(const char *path, unsigned long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

static int make_directories(const char *path, struct error *error)
{
	char partial[PATH_MAX];

	for (const char *end = strchr(path + 1, '/');; end = strchr(end + 1, '/')) {
		size_t length = end ? (size_t)(end - path) : strlen(path);

		memcpy(partial, path, length);
		partial[length] = '\0';
		if (mkdir(partial, 0700) < 0 && errno != EEXIST)
			return error_errno(error, -errno, "make directory %s", partial);
		if (!end)
			return 0;
	}
}

/* The deepest part of path that is there. */
static void existing_ancestor(const char *path, char ancestor[static PATH_MAX])
{
	struct stat status;

	memcpy(ancestor, path, strlen(path) + 1);
	while (stat(ancestor, &status) < 0) {
		char *slash = strrchr(ancestor, '/');

		if (slash == ancestor) {
			ancestor[1] = '\0';
			return;
		}
		*slash = '\0';
	}
}

/*
 * /sys/fs/bpf is a directory of sysfs in which nothing can be made: there the bpffs belongs on it,
 * as systemd mounts it. Elsewhere it is mounted on the directory itself. Two agents that do this at
 * the same time must not hide each other's pins, so the mount point is locked while they look.
 */
static int mount_bpffs(const char *directory, struct error *error)
{
	_cleanup_close_ int lock = -1;
	char point[PATH_MAX];
	int r;

	existing_ancestor(directory, point);
	if (is_on(point, BPF_FS_MAGIC))
		return 0;
	if (!is_on(point, SYSFS_MAGIC)) {
		r = make_directories(directory, error);
		if (r < 0)
			return r;
		memcpy(point, directory, strlen(directory) + 1);
	}
	lock = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return error_errno(error, -errno, "lock %s", point);
	if (is_on(point, BPF_FS_MAGIC))
		return 0;
	if (mount("bpffs", point, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return error_errno(error, -errno, "mount a bpffs on %s", point);
	return 0;
}

int pins_open(struct pins *pins, const char *directory, struct error *error)
{
	struct pins fresh = PINS_INIT;
	size_t length = strlen(directory);
	int r;

	while (length > 1 && directory[length - 1] == '/')
		length--;
	if (directory[0] != '/' || length == 1)
		return error_set(
			error, -EINVAL, "pin directory %s: not an absolute path", directory);
	if (length + PART_MAX >= sizeof(fresh.directory))
		return error_set(error, -ENAMETOOLONG, "pin directory: the path is too long");
	memcpy(fresh.directory, directory, length);
	fresh.directory[length] = '\0';
	r = mount_bpffs(fresh.directory, error);
	if (r < 0)
		return r;
	r = make_directories(fresh.directory, error);
	if (r < 0)
		return r;
	fresh.lock = open(fresh.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fresh.lock < 0)
		return error_errno(error, -errno, "open pin directory %s", fresh.directory);
	if (flock(fresh.lock, LOCK_EX | LOCK_NB) < 0) {
		r = -errno;
		close(fresh.lock);
		if (r != -EWOULDBLOCK)
			return error_errno(error, r, "lock pin directory %s", fresh.directory);
		return error_set(error, -EBUSY,
			"pin directory %s is in use by another agent; stop that one first, or give this "
			"one its own directory",
			fresh.directory);
	}
	*pins = fresh;
	return 0;
}

void pins_close(struct pins *pins)
{
	closep(&pins->lock);
	pins->lock = -1;
}

const char *pins_path(
	const struct pins *pins, const char *part, const char *name, char path[static PATH_MAX])
{
	char *end = stpcpy(path, pins->directory);

	if (part && *part) {
		*end++ = '/';
		end = stpncpy(end, part, PART_MAX / 2 - 1);
	}
	if (name) {
		*end++ = '/';
		end = stpncpy(end, name, PART_MAX / 2 - 1);
	}
	*end = '\0';
	return path;
}

int pins_make(const struct pins *pins, const char *part, struct error *error)
{
	char path[PATH_MAX];

	if (mkdir(pins_path(pins, part, NULL, path), 0700) < 0 && errno != EEXIST)
		return error_errno(error, -errno, "make directory %s", path);
	return 0;
}

int pins_list(const struct pins *pins, const char *part,
	int (*visit)(const char *name, void *userdata, struct error *error), void *userdata,
	struct error *error)
{
	_cleanup_(closedirp) DIR *directory = NULL;
	const struct dirent *entry;
	char path[PATH_MAX];
	int r;

	directory = opendir(pins_path(pins, part, NULL, path));
	if (!directory)
		return errno == ENOENT ? 0 : error_errno(error, -errno, "open directory %s", path);
	while ((errno = 0, entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		r = visit(entry->d_name, userdata, error);
		if (r < 0)
			return r;
	}
	return errno ? error_errno(error, -errno, "read directory %s", path) : 0;
}

struct removal {
	const struct pins *pins;
	const char *part;
};

static int remove_pin(const char *name, void *userdata, struct error *error)
{
	const struct removal *removal = userdata;
	char path[PATH_MAX];

	if (unlink(pins_path(removal->pins, removal->part, name, path)) < 0 && errno != ENOENT)
		return error_errno(error, -errno, "remove pin %s", path);
	return 0;
}

int pins_remove(const struct pins *pins, const char *part, struct error *error)
{
	struct removal removal = {pins, part};
	char path[PATH_MAX];
	int r;

	r = pins_list(pins, part, remove_pin, &removal, error);
	if (r < 0)
		return r;
	if (rmdir(pins_path(pins, part, NULL, path)) < 0 && errno != ENOENT)
		return error_errno(error, -errno, "remove directory %s", path);
	return 0;
}
