/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the workload room's tests share: commands, the event loop, and node namespaces. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "workload/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

/* The exit status of a shell command; its output is the test's own. */
__attribute__((format(printf, 1, 2))) static inline int shell(const char *format, ...)
{
	char command[2048];
	va_list arguments;
	int status;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	fflush(NULL);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

#define assert_shell(...) assert_int_equal(shell(__VA_ARGS__), 0)

static inline uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Runs the loop until condition holds; false: it did not within timeout_ms. */
static inline bool run_until(sd_event *event, bool (*condition)(const void *userdata),
	const void *userdata, uint64_t timeout_ms)
{
	uint64_t end = now_ms() + timeout_ms;

	while (!condition(userdata)) {
		uint64_t now = now_ms();

		if (now >= end)
			return false;
		assert_true(sd_event_run(event, (end - now) * 1000) >= 0);
	}
	return true;
}

/* Lets what is under way happen. */
static inline void run_for(sd_event *event, uint64_t duration_ms)
{
	uint64_t end = now_ms() + duration_ms, now;

	while ((now = now_ms()) < end)
		assert_true(sd_event_run(event, (end - now) * 1000) >= 0);
}

static inline struct address parse_address(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

static inline bool can_make_namespaces(void)
{
	if (geteuid() == 0)
		return true;
	print_message("skipped: needs root to make network namespaces\n");
	return false;
}

/* Makes a namespace, named for the shell, and moves this process into it. */
static inline void enter_node(const char *name)
{
	char path[128];
	int fd;

	shell("ip netns del %s 2>/dev/null", name);
	assert_shell("ip netns add %s", name);
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(setns(fd, CLONE_NEWNET), 0);
	close(fd);
	assert_shell("ip link set lo up");
}

static inline void leave_node(const char *name)
{
	assert_shell("ip netns del %s", name);
}
