/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of policies that were applied on probation. */
#pragma once

#include "client.h"
#include "settings.h"

/* Tells the agent; an enum exit_code. keep: they stay, else the former ones come back. */
int policy_confirm_decide(const struct settings *settings, struct client *client, bool keep);

/* Asks on the terminal, with a countdown of so many seconds, and tells the agent. */
int policy_confirm_ask(const struct settings *settings, struct client *client, double seconds);
