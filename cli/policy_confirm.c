/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl policy confirm: the policies of an apply with --confirm stay, or go. */
#include "policy_confirm.h"

#include "command.h"
#include "output.h"
#include "text.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
	KEY_REVERT = 0x600
};

static const struct argp_option options[] = {
	{"revert", KEY_REVERT, NULL, 0, "Go back to the former policies at once", 0},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	(void)argument;
	if (key != KEY_REVERT)
		return ARGP_ERR_UNKNOWN;
	*(bool *)state->input = true;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Keeps the policies that were applied with --confirm. Exit status 1: none wait for it "
	       "(any more).",
};

int policy_confirm_decide(const struct settings *settings, struct client *client, bool keep)
{
	_cleanup_free_ char *url = text_format("/v1/policies/confirm?revert=%d", !keep);
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_json_ json_t *answer = NULL;
	struct client_reply reply;

	if (client_call(client, "POST", url, NULL, &reply, &error) < 0)
		return report(settings, &error);
	answer = reply.body;
	if (client_reply_check(&reply, &error) < 0)
		return report(settings, &error);
	puts(keep ? "confirmed: the policies stay" : "reverted: the former policies are back");
	return EXIT_YES;
}

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The first letter of the answer; 0: the time is over; 'n' where nobody can answer. */
static char read_answer(double seconds)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	double end = monotonic() + seconds, left;
	char line[80];

	while ((left = end - monotonic()) > 0) {
		printf("\rKeep this policy? [y/N] (%.0f s) ", left);
		fflush(stdout);
		if (poll(&input, 1, left < 1 ? (int)(left * 1000) + 1 : 1000) > 0)
			return fgets(line, sizeof(line), stdin) ? line[0] : 'n';
	}
	return 0;
}

int policy_confirm_ask(const struct settings *settings, struct client *client, double seconds)
{
	char answer = read_answer(seconds);

	if (!answer) {
		puts("\nnobody answered: the former policies are back");
		return EXIT_NO;
	}
	return policy_confirm_decide(settings, client, answer == 'y' || answer == 'Y');
}

int policy_confirm_run(struct settings *settings, int argc, char **argv)
{
	_cleanup_client_ struct client *client = NULL;
	bool revert = false;

	settings_parse(settings, &argp, 0, argc, argv, &revert);
	client = client_new(settings->socket_path);
	return policy_confirm_decide(settings, client, !revert);
}
