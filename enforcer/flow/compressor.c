/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/compressor.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Less than a millisecond of work. */
#define STEP_BYTES 65536

struct compressor {
	sd_event_source *source; /* enabled while a file is under way */
	void (*done)(int result, void *userdata);
	void *userdata;
	int directory_fd; /* borrowed, as long as a file is under way */
	int input_fd;
	gzFile output;
	char name[NAME_MAX - 8];
	char chunk[STEP_BYTES];
};

static void part_name(const struct compressor *compressor, char name[static NAME_MAX])
{
	snprintf(name, NAME_MAX, "%s.gz.part", compressor->name);
}

static void close_files(struct compressor *compressor)
{
	if (compressor->input_fd >= 0)
		close(compressor->input_fd);
	compressor->input_fd = -1;
	if (compressor->output)
		gzclose(compressor->output);
	compressor->output = NULL;
}

static void give_up(struct compressor *compressor)
{
	char part[NAME_MAX];

	if (compressor->input_fd < 0)
		return;
	close_files(compressor);
	part_name(compressor, part);
	unlinkat(compressor->directory_fd, part, 0);
}

static int finish(struct compressor *compressor)
{
	char part[NAME_MAX], final[NAME_MAX];
	int result = gzclose(compressor->output);

	compressor->output = NULL;
	if (result != Z_OK)
		return result == Z_ERRNO ? -errno : -EIO;
	part_name(compressor, part);
	snprintf(final, sizeof(final), "%s.gz", compressor->name);
	if (renameat(compressor->directory_fd, part, compressor->directory_fd, final) < 0)
		return -errno;
	close_files(compressor);
	return unlinkat(compressor->directory_fd, compressor->name, 0) < 0 ? -errno : 0;
}

/* 1: there is more; 0: the file is done. */
static int step(struct compressor *compressor)
{
	ssize_t length = read(compressor->input_fd, compressor->chunk, sizeof(compressor->chunk));
	int written;

	if (length < 0)
		return -errno;
	if (!length)
		return finish(compressor);
	errno = 0;
	written = gzwrite(compressor->output, compressor->chunk, (unsigned int)length);
	if (written != length)
		return errno ? -errno : -EIO;
	return 1;
}

static int on_idle(sd_event_source *source, void *userdata)
{
	struct compressor *compressor = userdata;
	int result = step(compressor);

	if (result > 0)
		return 0;
	if (result < 0)
		give_up(compressor);
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
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
	compressor->input_fd = -1;
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
	free(compressor);
}

int compressor_start(struct compressor *compressor, int directory_fd, const char *name)
{
	_cleanup_close_ int input_fd = -1, output_fd = -1;
	char part[NAME_MAX];

	if (compressor->input_fd >= 0)
		return -EBUSY;
	if ((size_t)snprintf(compressor->name, sizeof(compressor->name), "%s", name) >=
		sizeof(compressor->name))
		return -ENAMETOOLONG;
	input_fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (input_fd < 0)
		return -errno;
	part_name(compressor, part);
	output_fd = openat(
		directory_fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (output_fd < 0)
		return -errno;
	/* Level 1: records repeat themselves so much that more work gains little. */
	compressor->output = gzdopen(output_fd, "wb1");
	if (!compressor->output)
		return -ENOMEM;
	TAKE_FD(output_fd);
	compressor->input_fd = TAKE_FD(input_fd);
	compressor->directory_fd = directory_fd;
	return sd_event_source_set_enabled(compressor->source, SD_EVENT_ON);
}
