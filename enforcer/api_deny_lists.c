/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"

#include "base/cleanup.h"
#include "early.h"
#include "json.h"

#include <errno.h>

void api_deny_lists_reload(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *early = NULL;
	int r = early_reload(agent, &error);

	if (r < 0) {
		control_reply_error(request, r == -EINVAL ? 400 : 500, "%s", error_message(&error));
		return;
	}
	early = xdp_describe(agent->early);
	control_reply(request, 200, json_incref(json_object_get(early, "deny_lists")));
}
