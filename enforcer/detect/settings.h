/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How detectors are set, and what follows from alerts: one YAML mapping, as described in segd(8).
 *
 *   severity: medium          # what outputs are told, from here on
 *   learning: 7d
 *   scan.failures: 8          # a detector's parameter
 *   scan.quarantine: 1h       # isolate the actor by itself, for so long
 *   beacon.enabled: false
 *   quarantine.allow: [{from: [{cidr: 192.0.2.7/32}], ports: [tcp/22]}]
 *   webhook.url: https://hooks.example.org/segd
 */
#pragma once

#include "base/error.h"
#include "detect/alert.h"
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
	enum severity severity; /* outputs are told what is as severe, or more */
	uint64_t learning_ns;
	uint64_t quiet_ns;    /* an alert that is not reported for so long is closed */
	uint64_t campaign_ns; /* so is an incident */

	enum severity quarantine_severity; /* what is less severe isolates nobody */
	json_t *allow; /* who may reach whom a detector isolated, as in a Quarantine; or NULL */
	uint64_t capture_ns; /* how long the actor's packets are recorded; 0: not at all */
	enum severity capture_severity;

	char *webhook_url;   /* NULL: none */
	char *syslog_socket; /* NULL: none */
};

/* What holds where nothing is set. 0 or -ENOMEM. */
int detect_settings_init(struct detect_settings *settings);
/*
 * Reads text over what settings has. All mistakes go to diagnostics, with line and column; with any
 * of them settings is to be cleared. 0, -EINVAL, -ENOMEM.
 */
int detect_settings_parse(struct detect_settings *settings, const char *file, const char *text,
	size_t size, struct diagnostics *diagnostics);
/* From a file, over what holds where nothing is set. All mistakes are the error's message, a line
 * each. -ENOENT: there is no such file. */
int detect_settings_load(struct detect_settings *ret, const char *path, struct error *error);
void detect_settings_clear(struct detect_settings *settings);

#define _cleanup_detect_settings_ __attribute__((cleanup(detect_settings_clear)))
