/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segd: the node agent. See segd(8). */
#include "agent.h"
#include "base/cleanup.h"
#include "examine.h"
#include "journal.h"
#include "lock.h"
#include "options.h"
#include "planes.h"

#include <stdlib.h>
#include <sysexits.h>

/* Locks come first and go last: whatever an agent does to the kernel, it does alone. */
static int serve(const struct options *options, struct error *error)
{
	_cleanup_close_ int network = -1, directory = -1;
	_cleanup_(agent_freep) struct agent *agent = NULL;
	int r;

	r = lock_network(&network, error);
	if (r < 0)
		return r;
	r = lock_directory(options->state_directory, &directory, error);
	if (r < 0)
		return r;
	r = agent_new(options, &agent, error);
	return r < 0 ? r : agent_run(agent, error);
}

static int take_away(const struct options *options, struct error *error)
{
	_cleanup_close_ int network = -1;
	int r;

	r = lock_network(&network, error);
	return r < 0 ? r : planes_remove(options, error);
}

static int examine(const struct options *options)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	bool healthy = false;

	if (examine_node(options, &healthy, &error) < 0)
		journal(JOURNAL_ERROR, "%s", error_message(&error));
	return healthy ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_options_ struct options options = {0};
	int r;

	r = options_parse(&options, argc, argv, &error);
	if (r > 0)
		return EXIT_SUCCESS;
	if (r < 0) {
		journal(JOURNAL_ERROR, "%s", error_message(&error));
		return EX_USAGE;
	}
	if (options.doctor)
		return examine(&options);
	r = options.remove ? take_away(&options, &error) : serve(&options, &error);
	if (r < 0) {
		journal(JOURNAL_ERROR, "%s", error_message(&error));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
