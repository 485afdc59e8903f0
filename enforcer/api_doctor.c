/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "api.h"

#include "doctor/doctor.h"
#include "json.h"

void api_doctor(struct control_request *request, void *userdata)
{
	struct agent *agent = userdata;
	_cleanup_json_ json_t *status = api_status_json(agent);
	_cleanup_findings_ struct findings findings = {0};
	const struct doctor_view view = {
		.dataplane = agent->plane_ops->name,
		.pin_directory = agent->options->pin_directory,
		.log_directory = agent->options->log_directory,
		.docker_socket = agent->options->docker_socket,
		.status = status,
		.workloads = agent->registry,
	};

	if (!status || findings_init(&findings) < 0 || doctor_examine(&view, &findings) < 0)
		control_reply(request, 200, NULL);
	else
		control_reply(request, 200, findings_to_json(&findings));
}
