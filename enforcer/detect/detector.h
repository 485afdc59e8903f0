/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One way of telling that somebody attacks: reads flow records one after the other and reports
 * findings. Each detector is one file behind this table.
 *
 * A detector has no clock, no files and no randomness of its own: time is that of the records, so
 * that the same records give the same findings, live or years later. It sees of a record what the
 * flow log keeps of it: times in whole microseconds, names by their text (not by their pointer),
 * no ifindex and no ids of rules. Its state is bounded; where the bound turns something away, it
 * counts that.
 */
#pragma once

#include "detect/finding.h"
#include "flow/record.h"

#include <jansson.h>
#include <stdint.h>

struct detector;
struct newness;

/* A number that an operator may set, as "detector.parameter". */
struct detector_parameter {
	const char *name;
	double value; /* unless it is set */
	double minimum;
	double maximum;
	const char *help; /* what it is, and its unit */
};

/* What a detector may ask of the engine. */
struct detect_context {
	/* Borrowed for the call. Cheap when it is a finding that is reported already: detectors
	 * report each time that their condition holds, the engine counts. record: the one that
	 * shows it, which may have come earlier: what it began is not learnt. */
	void (*report)(const struct finding *finding, const struct record *record, void *userdata);
	/* How many different days (up to now_ns) workloads of this role had this edge: role is
	 * of the source, peer a role, an entity or an external network, service "tcp/5432".
	 * 0: never. Counts nothing by itself. */
	unsigned int (*edge_days)(const struct record *record, void *userdata);
	/* The learning period is over for the role of this record's source: what it never did is
	 * worth telling. */
	bool (*has_learnt)(const struct record *record, void *userdata);
	struct newness *newness; /* what both say, remembered for all detectors: newness.h */
	void *userdata;
};

struct detector_ops {
	const char *name;    /* in alerts, settings and metrics: "scan" */
	const char *summary; /* half a sentence for a table */
	const char *method;  /* the paper or the reasoning that it follows */
	const struct detector_parameter *parameters; /* ended by one without a name; or NULL */

	/* parameters: values in the order of the table. context outlives the detector. */
	int (*open)(const double *parameters, const struct detect_context *context,
		struct detector **ret);
	/* Times never run backwards by more than a few seconds. Records are as in the flow log:
	 * new, update, end and denied, never a gap. */
	void (*record)(struct detector *detector, const struct record *record);
	/* {"entries": n, "size": n, "evicted": n}: how full its state is. New reference. */
	json_t *(*describe)(const struct detector *detector);
	/* What it must know after a restart; both may be NULL. A state that load does not
	 * understand is -EBADMSG and leaves the detector empty. */
	json_t *(*save)(const struct detector *detector);
	int (*load)(struct detector *detector, const json_t *state);
	void (*close)(struct detector *detector);
};

/* All that exist, ended by NULL. */
extern const struct detector_ops *const detectors[];
