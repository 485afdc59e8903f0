/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --follow: records as they come, one line each, until interrupted. */
#pragma once

#include "client.h"
#include "settings.h"

/* Follows url, which already has its filters. Returns an exit code when the agent ends it. */
int stream_run(const struct settings *settings, char **url);
