/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segctl capture: packets of workloads, into a file or a pipe. */
#include "capture/filter_program.h"
#include "capture/limits.h"
#include "capture_output.h"
#include "client.h"
#include "clock.h"
#include "command.h"
#include "output.h"
#include "text.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_SECONDS 0.5

enum {
	KEY_WORKLOAD = 0x700,
	KEY_FROM,
	KEY_TO,
	KEY_DENIED,
	KEY_MAX,
	KEY_DURATION,
	KEY_FORMAT,
};

struct arguments {
	const struct settings *settings;
	const char *workloads[2];
	size_t workloads_count;
	const char *from;
	const char *to;
	unsigned long port;
	bool denied;
	const char *path;
	const char *format;
	double bytes_max;
	unsigned long seconds;
	unsigned long snap;
	char *filter;
};

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "What is captured:", 1},
	{"workload", KEY_WORKLOAD, "NAME|IP", 0,
		"What it sends and gets; given twice: what the two send each other", 1},
	{"from", KEY_FROM, "NAME|IP", 0, "Connections that this one opens", 1},
	{"to", KEY_TO, "NAME|IP", 0, "Connections to this one", 1},
	{"port", 'p', "NUMBER", 0, "Connections to this port", 1},
	{"denied", KEY_DENIED, NULL, 0, "Only what is refused", 1},
	{NULL, 0, NULL, 0, "Where to, and how much:", 2},
	{"write", 'w', "FILE", 0, "The file; '-' is standard output", 2},
	{"format", KEY_FORMAT, "pcapng|pcap", 0,
		"pcap keeps neither verdicts nor names (default by the file's name, else pcapng)",
		2},
	{"max", KEY_MAX, "SIZE", 0, "End before the file is larger, as in 100MB", 2},
	{"duration", KEY_DURATION, "TIME", 0, "End after 60s, 5m, 1h (default 24h)", 2},
	{"snap", 's', "BYTES", 0, "No more than so many bytes of each packet", 2},
	{0},
};

static const char doc[] =
	"Captures packets of this node's workloads, each once and with the verdict, the reason and "
	"the rule as its comment.\v"
	"FILTER is in pcap's syntax (pcap-filter(7)), as in 'tcp port 80'. An interrupt ends the "
	"capture in good order.";

/* --- arguments ----------------------------------------------------------------------------------
 */

static unsigned long parse_number(
	const struct settings *settings, const char *option, const char *text, unsigned long max)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !number || number > max)
		usage_error(settings, "%s: '%s' is no number from 1 to %lu", option, text, max);
	return number;
}

/* "100MB", "1GiB", "500000" */
static double parse_size(const struct settings *settings, const char *text)
{
	static const struct {
		const char *name;
		double bytes;
	} units[] = {{"", 1}, {"B", 1}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
		{"K", 1024}, {"KiB", 1024}, {"M", 1 << 20}, {"MiB", 1 << 20}, {"G", 1 << 30},
		{"GiB", 1 << 30}};
	char *unit;
	double number = strtod(text, &unit);

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (*text >= '0' && *text <= '9' && strcmp(unit, units[i].name) == 0 &&
			number * units[i].bytes >= 1 && number * units[i].bytes < 1e18)
			return number * units[i].bytes;
	usage_error(settings, "--max: '%s' is no size, as in 100MB", text);
}

static void add_word(struct arguments *arguments, const char *word)
{
	_cleanup_free_ char *before = arguments->filter;

	arguments->filter = before ? text_format("%s %s", before, word) : text_format("%s", word);
}

static void check(const struct arguments *arguments)
{
	const struct settings *settings = arguments->settings;

	if (!arguments->path)
		usage_error(settings, "-w FILE is missing ('-w -' writes to a pipe)");
	if (arguments->workloads_count && (arguments->from || arguments->to))
		usage_error(settings, "--workload is not for use with --from and --to");
	if (!arguments->workloads_count && !arguments->from && !arguments->to && !arguments->port &&
		!arguments->denied && !arguments->filter)
		usage_error(settings,
			"say what to capture: --workload, --from, --to, --port, --denied or a "
			"filter");
	if (strcmp(arguments->path, "-") == 0 && isatty(STDOUT_FILENO))
		usage_error(settings, "packets are not for a terminal: give a file, or a pipe");
}

static error_t parse_what(int key, char *argument, struct arguments *arguments)
{
	switch (key) {
	case KEY_WORKLOAD:
		if (arguments->workloads_count == ARRAY_SIZE(arguments->workloads))
			usage_error(arguments->settings, "--workload is given twice at most");
		arguments->workloads[arguments->workloads_count++] = argument;
		return 0;
	case KEY_FROM:
		arguments->from = argument;
		return 0;
	case KEY_TO:
		arguments->to = argument;
		return 0;
	case 'p':
		arguments->port = parse_number(arguments->settings, "--port", argument, 65535);
		return 0;
	case KEY_DENIED:
		arguments->denied = true;
		return 0;
	case ARGP_KEY_ARG:
		add_word(arguments, argument);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'w':
		arguments->path = argument;
		return 0;
	case KEY_FORMAT:
		if (strcmp(argument, "pcap") != 0 && strcmp(argument, "pcapng") != 0)
			usage_error(arguments->settings, "--format is pcapng or pcap, not '%s'",
				argument);
		arguments->format = argument;
		return 0;
	case KEY_MAX:
		arguments->bytes_max = parse_size(arguments->settings, argument);
		return 0;
	case KEY_DURATION:
		arguments->seconds = clock_parse_duration(argument, CAPTURE_DURATION_MAX_S);
		if (!arguments->seconds)
			usage_error(arguments->settings,
				"--duration: '%s' is no time from 1s to 24h", argument);
		return 0;
	case 's':
		arguments->snap =
			parse_number(arguments->settings, "--snap", argument, CAPTURE_SNAP_MAX);
		return 0;
	case ARGP_KEY_END:
		check(arguments);
		return 0;
	default:
		return parse_what(key, argument, arguments);
	}
}

static const struct argp argp = {
	.options = options, .parser = parse, .args_doc = "[FILTER…]", .doc = doc};

static bool wants_pcap(const struct arguments *arguments)
{
	size_t length = strlen(arguments->path);

	if (arguments->format)
		return strcmp(arguments->format, "pcap") == 0;
	return length > 5 && strcmp(arguments->path + length - 5, ".pcap") == 0;
}

/* --- the request --------------------------------------------------------------------------------
 */

/* NULL: the filter is wrong. */
static char *write_body(const struct arguments *arguments, struct error *error)
{
	_cleanup_filter_program_ struct bpf_program program = {0};
	_cleanup_json_ json_t *body = must(json_object());

	if (arguments->filter && filter_program_compile(arguments->filter, &program, error) < 0)
		return NULL;
	if (arguments->filter)
		json_object_set_new(body, "program", filter_program_to_json(&program));
	if (arguments->workloads_count) {
		json_t *workloads = must(json_array());

		for (size_t i = 0; i < arguments->workloads_count; i++)
			json_array_append_new(workloads, json_string(arguments->workloads[i]));
		json_object_set_new(body, "workloads", workloads);
	}
	if (arguments->from)
		json_object_set_new(body, "from", json_string(arguments->from));
	if (arguments->to)
		json_object_set_new(body, "to", json_string(arguments->to));
	if (arguments->denied)
		json_object_set_new(body, "denied", json_true());
	if (arguments->port)
		json_object_set_new(body, "port", json_integer((json_int_t)arguments->port));
	if (arguments->snap)
		json_object_set_new(body, "snap", json_integer((json_int_t)arguments->snap));
	if (arguments->seconds)
		json_object_set_new(body, "seconds", json_integer((json_int_t)arguments->seconds));
	return must(json_dumps(body, JSON_COMPACT));
}

/* --- while it runs ------------------------------------------------------------------------------
 */

static struct client *interruptible; /* for the signal handler */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
	client_interrupt(interruptible);
}

struct session {
	const struct settings *settings;
	const struct arguments *arguments;
	struct capture_output output;
	struct error *error;
	int result;
	bool shows_progress;
	double shown; /* when, in seconds */
	double started;
};

/* "42 packets, 6.2 kB, 0 dropped" */
static char *summary(const struct capture_output *output)
{
	_cleanup_free_ char *packets = output_plural((double)output->packets, "packet", "packets");
	_cleanup_free_ char *bytes = text_bytes((double)output->bytes);

	return text_format("%s, %s, %llu dropped", packets, bytes,
		(unsigned long long)output->dropped +
			(unsigned long long)output->dropped_by_reader);
}

static void show_progress(struct session *session)
{
	_cleanup_free_ char *text = NULL, *duration = NULL;
	double time = clock_monotonic();

	if (!session->shows_progress || time - session->shown < PROGRESS_SECONDS)
		return;
	session->shown = time;
	text = summary(&session->output);
	duration = clock_duration(time - session->started);
	fprintf(stderr, "\r%s, %s \033[K", text, duration);
}

static bool on_bytes(const char *bytes, size_t length, void *userdata)
{
	struct session *session = userdata;

	/* Not before: a capture that is refused leaves a file as it was. */
	if (!session->output.name)
		session->result = capture_output_open(session->arguments->path,
			wants_pcap(session->arguments), (uint64_t)session->arguments->bytes_max,
			&session->output, session->error);
	if (session->result == 0)
		session->result = capture_output_feed(
			&session->output, (const uint8_t *)bytes, length, session->error);
	show_progress(session);
	return session->result == 0 && !interrupted;
}

static void show_end(const struct session *session)
{
	_cleanup_free_ char *text = summary(&session->output);

	fprintf(stderr, "%s%s%s\n", session->shows_progress ? "\r" : "", text,
		session->shows_progress ? "\033[K" : "");
	if (session->output.dropped)
		fprintf(stderr,
			"%s: %llu packets came faster than the agent could take them; a filter of "
			"the workload helps\n",
			session->settings->program, (unsigned long long)session->output.dropped);
	if (session->output.dropped_by_reader)
		fprintf(stderr,
			"%s: %llu packets were lost since they were not written fast enough\n",
			session->settings->program,
			(unsigned long long)session->output.dropped_by_reader);
}

static int run(const struct arguments *arguments, const char *body, struct session *session)
{
	const struct settings *settings = arguments->settings;
	_cleanup_client_ struct client *client = client_new(settings->socket_path);
	const struct sigaction action = {.sa_handler = on_signal};
	/* A stream that on_bytes() stopped has an error of its own, which says less. */
	struct error stream_error = ERROR_INIT;
	int r;

	interruptible = client;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	r = client_stream(client, "/v1/capture", body, on_bytes, session, &stream_error);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (r < 0 && session->result == 0)
		*session->error = stream_error;
	else
		error_clear(&stream_error);
	if (interrupted || session->result > 0)
		return 0;
	return session->result < 0 ? session->result : r;
}

int capture_run(struct settings *settings, int argc, char **argv)
{
	struct arguments arguments = {.settings = settings};
	_cleanup_error_ struct error error = ERROR_INIT;
	_cleanup_free_ char *body = NULL;
	struct session session = {.settings = settings,
		.arguments = &arguments,
		.error = &error,
		.output.fd = -1,
		.started = clock_monotonic()};
	int r;

	settings_parse(settings, &argp, 0, argc, argv, &arguments);
	body = write_body(&arguments, &error);
	free(arguments.filter);
	if (!body) {
		fprintf(stderr, "%s: %s\n", settings->program, error_message(&error));
		return EXIT_USAGE;
	}
	session.shows_progress = isatty(STDERR_FILENO);
	r = run(&arguments, body, &session);
	/* Nothing came of a capture that was refused. */
	if (r == 0 || session.output.packets)
		show_end(&session);
	capture_output_close(&session.output);
	return r < 0 ? report(settings, &error) : EXIT_YES;
}
