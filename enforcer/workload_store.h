/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last known workloads on disk (DIR/workloads.json), so that an agent which starts while a
 * runtime is away keeps enforcing what its predecessor enforced. Only a memory: what the sources
 * report replaces it. It is void after a reboot, since interface indexes are.
 */
#pragma once

#include "base/error.h"
#include "workload/registry.h"

/* Adds the stored workloads whose interfaces still exist. Nothing stored, stored before the last
 * boot, or damaged (then error says so): 0 workloads. 0, -EBADMSG, -ENOMEM. */
int workload_store_load(const char *directory, struct registry *registry, struct error *error);
int workload_store_save(
	const char *directory, const struct registry *registry, struct error *error);
