/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segd: the node agent. See segd(8). */
#include "agent.h"
#include "base/cleanup.h"
#include "journal.h"
#include "options.h"
#include "planes.h"

#include <stdlib.h>
#include <sysexits.h>

static int serve(const struct options *options, struct error *error)
{
	_cleanup_(agent_freep) struct agent *agent = NULL;
	int r;

	r = agent_new(options, &agent, error);
	return r < 0 ? r : agent_run(agent, error);
}

int main(int argc, char **argv)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct options options;
	int r;

	r = options_parse(&options, argc, argv, &error);
	if (r > 0)
		return EXIT_SUCCESS;
	if (r < 0) {
		journal(JOURNAL_ERROR, "%s", error_message(&error));
		return EX_USAGE;
	}
	r = options.remove ? planes_remove(&options, &error) : serve(&options, &error);
	if (r < 0) {
		journal(JOURNAL_ERROR, "%s", error_message(&error));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
