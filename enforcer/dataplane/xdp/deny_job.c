/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/xdp/deny_job.h"

#include "base/cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* What is between the thread's start and its last write to ended is the thread's alone. */
struct deny_job {
	const char *const *files;
	size_t files_count;
	struct deny_outcome outcome;
	struct error error;
	int result;
	int ended; /* eventfd */

	pthread_t thread;
	bool runs; /* or waits to be joined */
	sd_event_source *io;
	deny_job_fn done;
	void *userdata;
};

static void *run(void *userdata)
{
	struct deny_job *job = userdata;

	job->result = deny_outcome_make(job->files, job->files_count, &job->outcome, &job->error);
	eventfd_write(job->ended, 1);
	return NULL;
}

static void join(struct deny_job *job)
{
	if (job->runs)
		pthread_join(job->thread, NULL);
	job->runs = false;
}

static int on_ended(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct deny_job *job = userdata;

	(void)fd;
	(void)revents;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	join(job);
	job->done(job->result, &job->outcome, &job->error, job->userdata);
	return 0;
}

/* Signals are for the event loop. */
static int start(struct deny_job *job)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&job->thread, NULL, run, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	job->runs = r == 0;
	return -r;
}

DEFINE_CLEANUP(struct deny_job *, deny_job_free)

int deny_job_new(const char *const *files, size_t count, sd_event *event, deny_job_fn done,
	void *userdata, struct deny_job **ret, struct error *error)
{
	_cleanup_(deny_job_freep) struct deny_job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return error_nomem(error);
	job->files = files;
	job->files_count = count;
	job->outcome = (struct deny_outcome)DENY_OUTCOME_INIT;
	job->done = done;
	job->userdata = userdata;
	job->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (job->ended < 0)
		return error_errno(error, -errno, "make an eventfd");
	r = sd_event_add_io(event, &job->io, job->ended, EPOLLIN, on_ended, job);
	if (r >= 0)
		r = start(job);
	if (r < 0)
		return error_errno(error, r, "start a thread for the deny lists");
	*ret = TAKE_PTR(job);
	return 0;
}

void deny_job_free(struct deny_job *job)
{
	if (!job)
		return;
	join(job);
	sd_event_source_disable_unref(job->io);
	closep(&job->ended);
	deny_outcome_clear(&job->outcome);
	error_clear(&job->error);
	free(job);
}
