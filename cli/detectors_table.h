/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Detectors and how they are set, of this program itself. */
#pragma once

#include "detect/settings.h"
#include "settings.h"

/* A row for each setting of each detector, or a JSON object for each detector. */
void detectors_table_print(
	const struct settings *settings, const struct detect_settings *detect_settings);
