/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cluster to ask questions about. Documents in files are one of their own: Pods and Namespaces
 * are the model, policies the IR. Or it is the running agent's, with what files would add to it.
 */
#pragma once

#include "policies/evaluate.h"
#include "policies/ir.h"
#include "policies/model.h"
#include "sources.h"

struct offline {
	struct document_list documents;
	struct model *model;
	struct ir *ir;
	struct ir_options options; /* that it was compiled with */
};

/* Input of offline_argp. */
struct offline_options {
	const struct settings *settings;
	struct sources sources;
	bool agent; /* also true for whoever gives no files */
	bool posture_given;
	enum posture posture;
	struct address *host_addresses; /* of the node, where it is not the agent's; owned */
	size_t host_addresses_count;
};

/* -f PATH…, --agent and --posture, to put among a command's children. */
extern const struct argp offline_argp;

/* What --posture=text means. Ends the program as wrongly used if it is none. */
enum posture offline_posture(const struct settings *settings, const char *text);

/* Reads, checks and compiles. Prints what is wrong. Returns an exit code. */
int offline_load(const struct settings *settings, const struct offline_options *options,
	struct offline *ret);
/* The second half of it, for who has read and checked the files: offline holds their documents, and
 * is completed. */
int offline_resolve(const struct settings *settings, const struct offline_options *options,
	struct offline *offline, struct error *error);
void offline_clear(struct offline *offline);

#define _cleanup_offline_ __attribute__((cleanup(offline_clear)))

/* One end of a connection: a workload, the node itself or an address outside. */
struct offline_end {
	const struct model_workload *workload; /* NULL: the node, or outside */
	const struct model *node; /* whose host addresses it has; NULL: it is not the node */
	struct address address;   /* where it is outside */
	const char *name;         /* as asked for */
	char *full_name;          /* "namespace/pod", "host" or the address */
};

/* "namespace/pod" ("pod" in namespace default) or an IP address; one that a pod owns is that pod.
 * Ends the program as wrongly used if there is none. */
void offline_find(const struct settings *settings, const struct offline *offline, const char *name,
	struct offline_end *ret);
/* Whether policies have a say about connections of the two: not between two addresses outside, nor
 * of the node with itself. */
bool offline_is_judged(const struct offline_end *from, const struct offline_end *to);
/* The end's first address of the family; NULL: it has none. */
const struct address *offline_address(const struct offline_end *end, bool ipv4);
