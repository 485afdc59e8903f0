/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The random walk of Jung, Paxson, Berger and Balakrishnan, "Fast Portscan Detection Using
 * Sequential Hypothesis Testing" (IEEE S&P 2004): each first contact moves the logarithm of the
 * likelihood ratio between "a scanner" and "a benign host" up if it fails, down if it is answered.
 * A benign history counts for no more than a little credit (Weaver, Staniford, Paxson 2004), and
 * time brings the walk back to zero, so that a week's accidents do not add up to a scan.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct walk_limits {
	double up;        /* for a failure */
	double down;      /* for an answer */
	double threshold; /* above which it is a scanner */
	double credit;    /* the walk never falls below -credit */
	double half_life_ns;
};

struct walk {
	double value;
	uint64_t time_ns; /* of value */
};

/* Chances that a first contact fails, of a benign host and of a scanner, and that the test accuses
 * a benign host; credit in answers. */
struct walk_limits walk_limits(
	double benign, double scanner, double false_alarm, double credit, double half_life_hours);
void walk_fail(struct walk *walk, const struct walk_limits *limits, uint64_t time_ns);
void walk_succeed(struct walk *walk, const struct walk_limits *limits, uint64_t time_ns);
bool walk_accuses(const struct walk *walk, const struct walk_limits *limits);
/* Nothing speaks against it. */
bool walk_is_low(const struct walk *walk);
