/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Table inet segd_samples: which packets are logged to be looked into. */
#pragma once

#include "dataplane/dataplane.h"

#include <libmnl/libmnl.h>

#define SAMPLING_TABLE  "segd_samples"
#define SAMPLING_BEYOND "beyond" /* counter of what was not logged, for there was too much */
#define SAMPLING_BYTES  1024     /* from the network header on */
/* Prefixes: who sent the packet. */
#define SAMPLING_ASK    "segd sample"
#define SAMPLING_ANSWER "segd sample answer"
/* Behind that of the node's own refusals. */
#define SAMPLING_GROUP(nflog_group) ((uint16_t)((nflog_group) + 2))

/* In place of one that is there. */
int sampling_table_write(
	struct mnl_socket *socket, const struct dataplane_options *options, struct error *error);
int sampling_table_remove(struct mnl_socket *socket, struct error *error);
