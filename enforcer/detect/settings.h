/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How detectors are set, and what follows from alerts: a YAML mapping, as described in segd(8).
 *
 *   severity: medium          # what outputs are told, from here on
 *   learning: 7d
 *   scan.failures: 8          # a detector's parameter
 *   scan.quarantine: 1h       # isolate the actor by itself, for so long
 *   beacon.enabled: false
 *   webhook.url: https://hooks.example.org/segd
 */
#pragma once

#include "base/error.h"
#include "detect/detector.h"
#include "policies/diagnostic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct detector_settings {
	bool enabled;
	uint64_t quarantine_ns; /* 0: never by itself */
	double *parameters;     /* in the order of its table; owned */
};

struct detect_settings {
	struct detector_settings *detectors; /* as detectors[]; owned */
	size_t detectors_count;
	uint64_t learning_ns;
	uint64_t quiet_ns;    /* an alert that is not reported for so long is closed */
	uint64_t campaign_ns; /* so is an incident */
};

/* What holds where nothing is set. 0 or -ENOMEM. */
int detect_settings_init(struct detect_settings *settings);
void detect_settings_clear(struct detect_settings *settings);

#define _cleanup_detect_settings_ __attribute__((cleanup(detect_settings_clear)))
