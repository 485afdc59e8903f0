/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/settings.h"

#include "base/cleanup.h"

#include <stdio.h>

#define MESSAGE_MAX 256

static void tell(
	const struct dataplane_callbacks *callbacks, const char *message, bool repaired, bool again)
{
	if (!again)
		callbacks->trouble(message, repaired, callbacks->userdata);
}

static void check_bridges(struct settings *settings, const struct dataplane_callbacks *callbacks)
{
	bool blind = settings->scope == SYSCTLS_ALL && !sysctls_bridge_is_filtered();

	if (blind)
		tell(callbacks, SYSCTLS_BLIND, false, settings->blind);
	else if (settings->blind)
		tell(callbacks, "traffic within bridges is seen again", true, false);
	settings->blind = blind;
}

void settings_hold(struct settings *settings, const struct dataplane_callbacks *callbacks)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	const char *was_off = NULL;
	char message[MESSAGE_MAX];
	int r = sysctls_turn_on(settings->scope, &was_off, &error);

	if (r < 0) {
		snprintf(message, sizeof(message), "somebody turned off a setting: %s",
			error_message(&error));
		tell(callbacks, message, false, settings->failing);
	} else if (was_off) {
		snprintf(message, sizeof(message),
			"somebody turned off %s: it is on again, and until then, up to a second, "
			"nft did not work as it should",
			was_off);
		tell(callbacks, message, true, false);
	}
	settings->failing = r < 0;
	if (!r)
		check_bridges(settings, callbacks);
}
