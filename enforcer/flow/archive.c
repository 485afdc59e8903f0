/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/archive.h"

#include "base/cleanup.h"
#include "flow/compressor.h"
#include "flow/timestamp.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that may stay small for days is not worth the compressor's memory. */
#define FOLLOW_BYTES (1 << 20)

struct archive {
	char *directory;
	char *current; /* "flows.log" */
	char *part;    /* "flows.log.zst.part" */
	char *prefix;  /* "flows-" */
	int directory_fd;
	uint64_t total_bytes;
	struct compressor *compressor;
	bool following; /* the compressor does the current file */
	bool given_up;  /* … and did not succeed */
};

/* The names of the log's files, oldest first: names sort by time. */
struct listing {
	struct dirent **entries;
	int count;
};

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), suffix_length = strlen(suffix);

	return length >= suffix_length && !strcmp(name + length - suffix_length, suffix);
}

static void listing_clear(struct listing *listing)
{
	for (int i = 0; i < listing->count; i++)
		free(listing->entries[i]);
	free(listing->entries);
}

static int list_rotated(const struct archive *archive, struct listing *ret)
{
	int count = scandirat(archive->directory_fd, ".", &ret->entries, NULL, alphasort);

	if (count < 0)
		return -errno;
	/* scandir's filter has no place for a prefix. */
	for (int i = 0; i < count; i++)
		if (!strncmp(ret->entries[i]->d_name, archive->prefix, strlen(archive->prefix)))
			ret->entries[ret->count++] = ret->entries[i];
		else
			free(ret->entries[i]);
	return 0;
}

static uint64_t file_bytes(const struct archive *archive, const char *name)
{
	struct stat status;

	if (fstatat(archive->directory_fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return (uint64_t)status.st_size;
}

/* Takes the oldest file that is not compressed. Failures wait for the next rotation. */
static void compress_next(struct archive *archive)
{
	_cleanup_(listing_clear) struct listing listing = {NULL, 0};

	if (list_rotated(archive, &listing) < 0)
		return;
	for (int i = 0; i < listing.count; i++) {
		if (!has_suffix(listing.entries[i]->d_name, ".log"))
			continue;
		compressor_start(
			archive->compressor, archive->directory_fd, listing.entries[i]->d_name);
		return;
	}
}

static void on_compressed(int result, void *userdata)
{
	struct archive *archive = userdata;

	archive->given_up = archive->following;
	archive->following = false;
	if (!result)
		compress_next(archive);
}

static void remove_parts(const struct archive *archive)
{
	_cleanup_(listing_clear) struct listing listing = {NULL, 0};

	unlinkat(archive->directory_fd, archive->part, 0);
	if (list_rotated(archive, &listing) < 0)
		return;
	for (int i = 0; i < listing.count; i++)
		if (has_suffix(listing.entries[i]->d_name, COMPRESSOR_PART_SUFFIX))
			unlinkat(archive->directory_fd, listing.entries[i]->d_name, 0);
}

static int copy_names(struct archive *archive, const char *directory, const char *name)
{
	archive->directory = strdup(directory);
	if (asprintf(&archive->current, "%s.log", name) < 0)
		archive->current = NULL;
	if (asprintf(&archive->part, "%s.log" COMPRESSOR_PART_SUFFIX, name) < 0)
		archive->part = NULL;
	if (asprintf(&archive->prefix, "%s-", name) < 0)
		archive->prefix = NULL;
	return archive->directory && archive->current && archive->part && archive->prefix ? 0
											  : -ENOMEM;
}

int archive_open(const char *directory, const char *name, uint64_t total_bytes, sd_event *event,
	struct archive **ret, struct error *error)
{
	_cleanup_(archive_closep) struct archive *archive = calloc(1, sizeof(*archive));
	int result;

	if (!archive)
		return error_nomem(error);
	archive->total_bytes = total_bytes;
	archive->directory_fd = -1;
	if (copy_names(archive, directory, name) < 0)
		return error_nomem(error);
	if (mkdir(directory, 0750) < 0 && errno != EEXIST)
		return error_errno(error, -errno, "make log directory %s", directory);
	archive->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (archive->directory_fd < 0)
		return error_errno(error, -errno, "open log directory %s", directory);
	result = compressor_new(event, on_compressed, archive, &archive->compressor);
	if (result < 0)
		return error_errno(error, result, "start compression of %s", directory);
	remove_parts(archive);
	compress_next(archive);
	*ret = TAKE_PTR(archive);
	return 0;
}

void archive_close(struct archive *archive)
{
	if (!archive)
		return;
	compressor_free(archive->compressor);
	closep(&archive->directory_fd);
	free(archive->directory);
	free(archive->current);
	free(archive->part);
	free(archive->prefix);
	free(archive);
}

const char *archive_current(const struct archive *archive)
{
	return archive->current;
}

int archive_directory_fd(const struct archive *archive)
{
	return archive->directory_fd;
}

static void delete_oldest(struct archive *archive, uint64_t next_bytes)
{
	_cleanup_(listing_clear) struct listing listing = {NULL, 0};
	uint64_t bytes = next_bytes + file_bytes(archive, archive->part);

	if (list_rotated(archive, &listing) < 0)
		return;
	for (int i = 0; i < listing.count; i++)
		bytes += file_bytes(archive, listing.entries[i]->d_name);
	for (int i = 0; i < listing.count && bytes > archive->total_bytes; i++) {
		const char *name = listing.entries[i]->d_name;

		bytes -= file_bytes(archive, name);
		unlinkat(archive->directory_fd, name, 0);
	}
}

/* "flows-20261121T011900.123456Z.log": the record's notation without what file names do not like.
 */
static void rotated_name(const char *prefix, uint64_t now_ns, char name[static NAME_MAX])
{
	char text[TIMESTAMP_LENGTH + 1];
	char *end = stpcpy(name, prefix);

	timestamp_format(now_ns, text);
	for (const char *from = text; *from; from++)
		if (*from != '-' && *from != ':')
			*end++ = *from;
	strcpy(end, ".log");
}

void archive_grown(struct archive *archive, uint64_t bytes)
{
	if (!archive->following && !archive->given_up && bytes >= FOLLOW_BYTES)
		archive->following = !compressor_follow(
			archive->compressor, archive->directory_fd, archive->current);
	if (archive->following)
		compressor_grown(archive->compressor, bytes);
}

int archive_rotate(struct archive *archive, uint64_t next_bytes, struct error *error)
{
	char name[NAME_MAX];

	rotated_name(archive->prefix, timestamp_now_ns(), name);
	if (renameat(archive->directory_fd, archive->current, archive->directory_fd, name) < 0)
		return error_errno(error, -errno, "rename %s/%s to %s", archive->directory,
			archive->current, name);
	delete_oldest(archive, next_bytes);
	if (archive->following)
		compressor_complete(archive->compressor, name);
	else
		compress_next(archive);
	archive->following = archive->given_up = false;
	return 0;
}

int archive_usage(const struct archive *archive, struct archive_usage *ret)
{
	_cleanup_(listing_clear) struct listing listing = {NULL, 0};
	struct archive_usage usage = {0};
	int result = list_rotated(archive, &listing);

	if (result < 0)
		return result;
	for (int i = 0; i < listing.count; i++)
		usage.bytes += file_bytes(archive, listing.entries[i]->d_name);
	usage.bytes += file_bytes(archive, archive->current) + file_bytes(archive, archive->part);
	usage.files = (size_t)listing.count +
		      !faccessat(archive->directory_fd, archive->current, F_OK, 0);
	*ret = usage;
	return 0;
}
