/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"

#include "base/cleanup.h"
#include "deny_reload.h"
#include "json.h"

#include <errno.h>

static void answer(struct agent *agent, int r, const struct error *error, void *userdata)
{
	_cleanup_json_ json_t *early = NULL;

	if (r < 0) {
		control_reply_error(userdata, r == -EINVAL ? 400 : 500, "%s", error_message(error));
		return;
	}
	early = xdp_describe(agent->early);
	control_reply(userdata, 200, json_incref(json_object_get(early, "deny_lists")));
}

void api_deny_lists_reload(struct control_request *request, void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	int r = deny_reload(userdata, answer, request, &error);

	if (r < 0)
		answer(userdata, r, &error, request);
}
