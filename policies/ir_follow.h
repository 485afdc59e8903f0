/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/ir_compile.h"

/*
 * Brings a finished compile from its model to another one. 1: its tables or classes have changed,
 * too; 0: only addresses and subjects. -EAGAIN: more than a few workloads differ, or something that
 * must be compiled anew; like after -ENOMEM, compile is of no use then.
 */
int follow_model(struct compile *compile, const struct model *model);
