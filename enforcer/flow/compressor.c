/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/compressor.h"

#include "base/cleanup.h"
#include "base/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* Less than a millisecond of work. */
#define STEP_BYTES 65536
/* Records repeat each other so much that zstd's own level makes them hardly smaller, in twice the
 * time. */
#define LEVEL 1
/* Nor does it help to remember more than some hundred records: these fit into the processor's
 * cache, which makes it a quarter faster, and take a third less memory. */
#define WINDOW_LOG 17
#define HASH_LOG   11

#define COMPLETE UINT64_MAX

struct compressor {
	sd_event_source *source; /* enabled while a file is under way */
	void (*done)(int result, void *userdata);
	void *userdata;
	int directory_fd; /* borrowed, as long as a file is under way */
	int input_fd;
	int output_fd;
	ZSTD_CCtx *context;
	uint64_t bytes_read;
	uint64_t bytes_there; /* COMPLETE: all that there will be */
	char name[NAME_MAX - sizeof(COMPRESSOR_PART_SUFFIX)];
	char part[NAME_MAX];
	char chunk[STEP_BYTES];
	char compressed[STEP_BYTES];
};

static void close_files(struct compressor *compressor)
{
	closep(&compressor->input_fd);
	closep(&compressor->output_fd);
	compressor->input_fd = compressor->output_fd = -1;
}

static void give_up(struct compressor *compressor)
{
	if (compressor->input_fd < 0)
		return;
	close_files(compressor);
	unlinkat(compressor->directory_fd, compressor->part, 0);
}

/* Compresses one chunk; the last one ends the file. */
static int feed(struct compressor *compressor, size_t length, bool last)
{
	ZSTD_inBuffer input = {compressor->chunk, length, 0};
	size_t left;
	int result;

	do {
		ZSTD_outBuffer output = {compressor->compressed, sizeof(compressor->compressed), 0};

		left = ZSTD_compressStream2(
			compressor->context, &output, &input, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return -EIO;
		result = write_all(compressor->output_fd, compressor->compressed, output.pos);
		if (result < 0)
			return result;
	} while (last ? left : input.pos < input.size);
	return 0;
}

static int finish(struct compressor *compressor)
{
	char final[NAME_MAX];
	int result = feed(compressor, 0, true);

	if (result < 0)
		return result;
	snprintf(final, sizeof(final), "%s" COMPRESSOR_SUFFIX, compressor->name);
	if (renameat(compressor->directory_fd, compressor->part, compressor->directory_fd, final) <
		0)
		return -errno;
	close_files(compressor);
	return unlinkat(compressor->directory_fd, compressor->name, 0) < 0 ? -errno : 0;
}

/* Of a file that grows only whole chunks. */
static bool has_work(const struct compressor *compressor)
{
	return compressor->bytes_there == COMPLETE ||
	       compressor->bytes_there >= compressor->bytes_read + STEP_BYTES;
}

/* 1: there is more, if not yet; 0: the file is done. */
static int step(struct compressor *compressor)
{
	ssize_t length = read(compressor->input_fd, compressor->chunk, sizeof(compressor->chunk));
	int result;

	if (length < 0)
		return -errno;
	if (!length)
		return compressor->bytes_there == COMPLETE ? finish(compressor) : -EIO;
	compressor->bytes_read += (uint64_t)length;
	result = feed(compressor, (size_t)length, false);
	return result < 0 ? result : 1;
}

static int on_idle(sd_event_source *source, void *userdata)
{
	struct compressor *compressor = userdata;
	int result = step(compressor);

	if (result > 0 && has_work(compressor))
		return 0;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	if (result < 0)
		give_up(compressor);
	if (result <= 0)
		compressor->done(result, compressor->userdata);
	return 0;
}

int compressor_new(sd_event *event, void (*done)(int result, void *userdata), void *userdata,
	struct compressor **ret)
{
	_cleanup_(compressor_freep) struct compressor *compressor = calloc(1, sizeof(*compressor));
	int result;

	if (!compressor)
		return -ENOMEM;
	compressor->input_fd = compressor->output_fd = -1;
	compressor->context = ZSTD_createCCtx();
	if (!compressor->context)
		return -ENOMEM;
	compressor->done = done;
	compressor->userdata = userdata;
	result = sd_event_add_defer(event, &compressor->source, on_idle, compressor);
	if (result < 0)
		return result;
	sd_event_source_set_enabled(compressor->source, SD_EVENT_OFF);
	sd_event_source_set_priority(compressor->source, SD_EVENT_PRIORITY_IDLE);
	*ret = TAKE_PTR(compressor);
	return 0;
}

void compressor_free(struct compressor *compressor)
{
	if (!compressor)
		return;
	give_up(compressor);
	sd_event_source_disable_unref(compressor->source);
	ZSTD_freeCCtx(compressor->context);
	free(compressor);
}

int compressor_follow(struct compressor *compressor, int directory_fd, const char *name)
{
	_cleanup_close_ int input_fd = -1, output_fd = -1;

	if (compressor->input_fd >= 0)
		return -EBUSY;
	if (strlen(name) >= sizeof(compressor->name))
		return -ENAMETOOLONG;
	snprintf(compressor->part, sizeof(compressor->part), "%s" COMPRESSOR_PART_SUFFIX, name);
	input_fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (input_fd < 0)
		return -errno;
	output_fd = openat(directory_fd, compressor->part,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (output_fd < 0)
		return -errno;
	ZSTD_CCtx_reset(compressor->context, ZSTD_reset_session_only);
	ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_windowLog, WINDOW_LOG);
	ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_hashLog, HASH_LOG);
	compressor->output_fd = TAKE_FD(output_fd);
	compressor->input_fd = TAKE_FD(input_fd);
	compressor->directory_fd = directory_fd;
	compressor->bytes_read = compressor->bytes_there = 0;
	return 0;
}

void compressor_grown(struct compressor *compressor, uint64_t bytes)
{
	compressor->bytes_there = bytes;
	if (has_work(compressor))
		sd_event_source_set_enabled(compressor->source, SD_EVENT_ON);
}

void compressor_complete(struct compressor *compressor, const char *name)
{
	snprintf(compressor->name, sizeof(compressor->name), "%s", name);
	compressor_grown(compressor, COMPLETE);
}

int compressor_start(struct compressor *compressor, int directory_fd, const char *name)
{
	int result = compressor_follow(compressor, directory_fd, name);

	if (!result)
		compressor_complete(compressor, name);
	return result;
}
