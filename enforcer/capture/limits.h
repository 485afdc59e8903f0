/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What live captures are bounded by: for the agent, which holds to it, and for who asks it. */
#pragma once

#include "capture/pcapng.h"

#define CAPTURES_MAX           8 /* at once */
#define CAPTURE_SNAP_MAX       PCAPNG_SNAP_MAX
#define CAPTURE_DURATION_MAX_S (24ULL * 3600)
