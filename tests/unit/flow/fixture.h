/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of this room share: events, names, a directory of their own. */
#pragma once

#include "base/address.h"
#include "flow/event.h"
#include "flow/pipeline.h"
#include "flow/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 2026-11-21T08:00:00Z */
#define FIXTURE_TIME_NS 1795248000000000000ULL
#define FIXTURE_SECOND  1000000000ULL

static inline struct address fixture_address(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

/* A TCP connection from web to db, as its first event reports it. */
static inline struct flow_event fixture_event(uint64_t id)
{
	return (struct flow_event){
		.type = FLOW_NEW,
		.verdict = FLOW_ALLOWED,
		.reason = REASON_POLICY_ALLOWED,
		.direction = DIRECTION_INGRESS,
		.rule = 7,
		.id = id,
		.time_ns = FIXTURE_TIME_NS,
		.start_ns = FIXTURE_TIME_NS,
		.end_ns = FIXTURE_TIME_NS,
		.source = fixture_address("10.77.0.11"),
		.destination = fixture_address("10.77.0.13"),
		.source_port = 40000,
		.destination_port = 5432,
		.ethertype = 0x0800,
		.protocol = IPPROTO_TCP,
		.tcp_flags = 0x02,
		.ifindex = 3,
		.packets = {1, 0},
		.bytes = {60, 0},
	};
}

static inline struct flow_event fixture_denied(uint64_t id)
{
	struct flow_event event = fixture_event(id);

	event.type = FLOW_DENIED;
	event.verdict = FLOW_REFUSED;
	event.reason = REASON_POLICY_DENIED;
	return event;
}

static inline struct name *fixture_name(struct name_pool *pool, const char *json)
{
	struct name *name = name_new(pool, json_loads(json, JSON_DECODE_ANY, NULL));

	assert_non_null(name);
	return name;
}

static inline int fixture_remove_entry(
	const char *path, const struct stat *status, int flag, struct FTW *state)
{
	(void)status;
	(void)flag;
	(void)state;
	return remove(path);
}

/* *state becomes the path of a new directory. */
static inline int fixture_directory_setup(void **state)
{
	char *path = strdup("/tmp/segd-flow-test-XXXXXX");

	*state = path ? mkdtemp(path) : NULL;
	return *state ? 0 : -1;
}

static inline int fixture_directory_teardown(void **state)
{
	nftw(*state, fixture_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

/* The contents of a file, to be freed; NULL: it is not there. */
static inline char *fixture_read(const char *directory, const char *name, size_t *ret_size)
{
	char path[512], *text = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	size = (size_t)ftell(file);
	rewind(file);
	text = calloc(1, size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, size, file), size);
	fclose(file);
	if (ret_size)
		*ret_size = size;
	return text;
}
