/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quarantined workloads as early dropping takes them. */
#pragma once

#include "agent.h"

/* Where they are now, and whom they may answer. The allow-lists of all are one here: which of them
 * may answer whom is the data plane's to judge. */
int early_quarantine_set(struct agent *agent, struct error *error);
