/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api_metrics.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static void add_memory(struct metrics *metrics)
{
	_cleanup_file_ FILE *stream = fopen("/proc/self/statm", "re");
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long all, resident;

	if (!stream || fscanf(stream, "%lu %lu", &all, &resident) != 2)
		return;
	metrics_family(metrics, "process_virtual_memory_bytes", METRICS_GAUGE,
		"Virtual memory size in bytes.");
	metrics_sample(metrics, NULL, all * page_bytes);
	metrics_family(metrics, "process_resident_memory_bytes", METRICS_GAUGE,
		"Resident memory size in bytes.");
	metrics_sample(metrics, NULL, resident * page_bytes);
}

static void add_files(struct metrics *metrics)
{
	DIR *directory = opendir("/proc/self/fd");
	struct rlimit limit;
	uint64_t count = 0;

	if (directory) {
		while (readdir(directory))
			count++;
		closedir(directory);
		metrics_family(metrics, "process_open_fds", METRICS_GAUGE,
			"Number of open file descriptors.");
		metrics_sample(metrics, NULL, count - 3); /* ".", ".." and the directory */
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	metrics_family(metrics, "process_max_fds", METRICS_GAUGE,
		"Maximum number of open file descriptors.");
	metrics_sample(metrics, NULL, limit.rlim_cur);
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

void metrics_of_process(struct metrics *metrics, const struct agent *agent)
{
	struct rusage usage;

	if (!getrusage(RUSAGE_SELF, &usage)) {
		metrics_family(metrics, "process_cpu_seconds_total", METRICS_COUNTER,
			"Total user and system CPU time spent in seconds.");
		metrics_sample_double(
			metrics, NULL, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
	}
	add_memory(metrics);
	add_files(metrics);
	metrics_family(metrics, "process_start_time_seconds", METRICS_GAUGE,
		"Start time of the process since unix epoch in seconds.");
	metrics_sample_double(metrics, NULL, (double)agent->started_ns / NS_PER_SECOND);
}
