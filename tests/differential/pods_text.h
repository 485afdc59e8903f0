/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random Namespaces and Pods, as a person would write them. */
#pragma once

#include "dice.h"

#include <stdio.h>

#define PODS_REMOTE_NAME "remote" /* of the pod that is taken for another node's */

/* Who is there changes only every so many seeds: to attach and detach programs takes the kernel
 * longer than all the rest. */
#define PODS_SEEDS_PER_CROWD 10

void pods_text_write(FILE *stream, uint64_t seed, struct dice *dice);
