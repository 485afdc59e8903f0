/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* NULL: this kernel lets us do all that the data plane needs; else what is missing, static. */
const char *probe_unavailable(void);
