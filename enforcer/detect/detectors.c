// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/detector.h"

#include <stddef.h>

const struct detector_ops *const detectors[] = {
	NULL,
};
