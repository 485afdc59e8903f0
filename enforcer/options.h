/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's command line. See segd(8). */
#pragma once

#include "base/error.h"
#include "dataplane/host/failsafe.h"
#include "policies/ir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_ETHERTYPES 16

struct options {
	const char *dataplane; /* "auto", "ebpf", "nft" */
	const char *socket_path;
	const char *state_directory;
	const char *log_directory;
	const char *pin_directory;
	const char *docker_socket; /* NULL: no Docker */
	const char *workloads_file;
	const char *node;           /* the host's name unless given */
	const char *metrics_listen; /* "ADDRESS:PORT"; NULL: not over TCP */
	bool endpoint_metrics;
	struct ir_options policy;
	uint64_t adoption_ns;
	uint16_t ethertypes[OPTIONS_ETHERTYPES]; /* host byte order; behind the last one 0 */
	bool clsact;                             /* not by tcx links */
	bool fast_path;                          /* between workloads of this node */
	uint32_t lock_mark;                      /* of the second lock; 0: there is none */
	uint16_t nflog_group;                    /* and the one behind it, for the node itself */
	struct failsafe failsafe;
	uint32_t share; /* connections that one workload may have; 0: a quarter of the table */
	const char **deny_lists; /* files; the array is owned, its strings are borrowed */
	size_t deny_lists_count;
	const char **uplinks; /* names; as above. None: where the default routes go */
	size_t uplinks_count;
	uint32_t uplink_limit;   /* new connections a second of each source; 0: no limit */
	uint32_t workload_limit; /* the same, of what workloads send */
	bool no_observe;         /* look into no packets */
	bool no_tcp_statistics;  /* do not ask the sockets of connections */
	bool detect_protocols;   /* by nDPI */
	uint64_t log_bytes;      /* 0 here and below: what flow/pipeline.h says */
	uint64_t log_file_ns;
	uint64_t store_bytes;
	uint64_t store_ns;
	const char *detect_settings;    /* NULL: the default file, where it is there */
	uint32_t automatic_quarantines; /* at most so many by detectors */
	bool doctor;                    /* look at the node, report and exit */
	bool doctor_json;               /* report as JSON */
	bool remove;                    /* take everything out of the kernel and exit */
	bool remove_on_exit;            /* do so when the agent ends */
	char hostname[65];
};

/* Options that end the program at once (--help, --version) print and give 1; wrong usage is -EINVAL
 * with the message in error; 0: go on. Strings are borrowed from argv. options_clear() in any case.
 */
int options_parse(struct options *options, int argc, char **argv, struct error *error);
void options_clear(struct options *options);

/* What --help prints. */
extern const char options_usage[];

#define _cleanup_options_ __attribute__((cleanup(options_clear)))
