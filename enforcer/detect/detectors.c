// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/detectors.h"

#include <stddef.h>

const struct detector_ops *const detectors[] = {
	&scan_detector,
	&fan_out_detector,
	&new_edge_detector,
	&pivot_detector,
	&brute_force_detector,
	&beacon_detector,
	&exfiltration_detector,
	&tunnel_detector,
	&spoofing_detector,
	&denial_burst_detector,
	&metadata_detector,
	NULL,
};
