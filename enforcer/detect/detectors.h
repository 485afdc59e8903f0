/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledgers of detectors, each from the file of its name. */
#pragma once

#include "detect/detector.h"

extern const struct detector_ops beacon_detector;
extern const struct detector_ops brute_force_detector;
extern const struct detector_ops denial_burst_detector;
extern const struct detector_ops exfiltration_detector;
extern const struct detector_ops fan_out_detector;
extern const struct detector_ops metadata_detector;
extern const struct detector_ops new_edge_detector;
extern const struct detector_ops pivot_detector;
extern const struct detector_ops scan_detector;
extern const struct detector_ops spoofing_detector;
extern const struct detector_ops tunnel_detector;
