// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/settings.h"

#include "base/cleanup.h"

#include <errno.h>

#define HOUR_NS (3600ULL * 1000000000)
#define DAY_NS  (24 * HOUR_NS)

static int init_detector(struct detector_settings *settings, const struct detector_ops *ops)
{
	size_t count = 0;

	settings->enabled = true;
	while (ops->parameters && ops->parameters[count].name)
		count++;
	settings->parameters = calloc(count + 1, sizeof(*settings->parameters));
	if (!settings->parameters)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		settings->parameters[i] = ops->parameters[i].value;
	return 0;
}

int detect_settings_init(struct detect_settings *settings)
{
	size_t count = 0;

	*settings = (struct detect_settings){
		.learning_ns = 7 * DAY_NS,
		.quiet_ns = HOUR_NS,
		.campaign_ns = 6 * HOUR_NS,
		.quarantine_severity = SEVERITY_MEDIUM,
		.capture_severity = SEVERITY_HIGH,
	};
	while (detectors[count])
		count++;
	settings->detectors = calloc(count + 1, sizeof(*settings->detectors));
	if (!settings->detectors)
		return -ENOMEM;
	settings->detectors_count = count;
	for (size_t i = 0; i < count; i++)
		if (init_detector(&settings->detectors[i], detectors[i]) < 0) {
			detect_settings_clear(settings);
			return -ENOMEM;
		}
	return 0;
}

void detect_settings_clear(struct detect_settings *settings)
{
	for (size_t i = 0; i < settings->detectors_count; i++)
		free(settings->detectors[i].parameters);
	free(settings->detectors);
	json_decref(settings->allow);
	free(settings->webhook_url);
	free(settings->syslog_socket);
	*settings = (struct detect_settings){0};
}
