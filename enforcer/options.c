/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include "base/cleanup.h"
#include "dataplane/lock/second_lock.h"
#include "quarantine_list.h"
#include "xdp/abi.h"
#include "xdp/connection_times.h"

#include <errno.h>
#include <getopt.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ETHERTYPE_MIN      0x600 /* below, it is a length (IEEE 802.3, 3.2.6) */
#define ETHERTYPE_QINQ     0x88a8
#define ETHERTYPE_OLD_QINQ 0x9100
#define SECONDS_MAX        (365ULL * 24 * 60 * 60)
#define RATE_MAX           1000000000U

enum {
	OPTION_DATAPLANE = 256,
	OPTION_SOCKET,
	OPTION_STATE,
	OPTION_LOG,
	OPTION_PIN,
	OPTION_DOCKER,
	OPTION_NO_DOCKER,
	OPTION_WORKLOADS,
	OPTION_NODE,
	OPTION_DETECT,
	OPTION_POSTURE,
	OPTION_RESTRICT_NODE,
	OPTION_ADOPTION,
	OPTION_NFLOG_GROUP,
	OPTION_ALLOW_ETHERTYPE,
	OPTION_CLSACT,
	OPTION_FAST_PATH,
	OPTION_SECOND_LOCK,
	OPTION_FAILSAFE,
	OPTION_CONNECTIONS,
	OPTION_DENY_LIST,
	OPTION_UPLINK,
	OPTION_UPLINK_LIMIT,
	OPTION_WORKLOAD_LIMIT,
	OPTION_LOG_SIZE,
	OPTION_LOG_AGE,
	OPTION_STORE_SIZE,
	OPTION_STORE_AGE,
	OPTION_NO_OBSERVE,
	OPTION_NO_TCP_STATISTICS,
	OPTION_DETECT_PROTOCOLS,
	OPTION_METRICS_LISTEN,
	OPTION_ENDPOINT_METRICS,
	OPTION_DOCTOR,
	OPTION_QUARANTINES,
	OPTION_REMOVE,
	OPTION_REMOVE_ON_EXIT,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{"dataplane", required_argument, NULL, OPTION_DATAPLANE},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"state-directory", required_argument, NULL, OPTION_STATE},
	{"log-directory", required_argument, NULL, OPTION_LOG},
	{"pin-directory", required_argument, NULL, OPTION_PIN},
	{"docker", required_argument, NULL, OPTION_DOCKER},
	{"no-docker", no_argument, NULL, OPTION_NO_DOCKER},
	{"workloads", required_argument, NULL, OPTION_WORKLOADS},
	{"node", required_argument, NULL, OPTION_NODE},
	{"detect-settings", required_argument, NULL, OPTION_DETECT},
	{"posture", required_argument, NULL, OPTION_POSTURE},
	{"restrict-node", no_argument, NULL, OPTION_RESTRICT_NODE},
	{"adoption", required_argument, NULL, OPTION_ADOPTION},
	{"nflog-group", required_argument, NULL, OPTION_NFLOG_GROUP},
	{"allow-ethertype", required_argument, NULL, OPTION_ALLOW_ETHERTYPE},
	{"clsact", no_argument, NULL, OPTION_CLSACT},
	{"fast-path", no_argument, NULL, OPTION_FAST_PATH},
	{"second-lock", optional_argument, NULL, OPTION_SECOND_LOCK},
	{"failsafe", required_argument, NULL, OPTION_FAILSAFE},
	{"workload-connections", required_argument, NULL, OPTION_CONNECTIONS},
	{"deny-list", required_argument, NULL, OPTION_DENY_LIST},
	{"uplink", required_argument, NULL, OPTION_UPLINK},
	{"new-connection-limit", required_argument, NULL, OPTION_UPLINK_LIMIT},
	{"workload-connection-limit", required_argument, NULL, OPTION_WORKLOAD_LIMIT},
	{"log-size", required_argument, NULL, OPTION_LOG_SIZE},
	{"log-file-age", required_argument, NULL, OPTION_LOG_AGE},
	{"store-size", required_argument, NULL, OPTION_STORE_SIZE},
	{"store-age", required_argument, NULL, OPTION_STORE_AGE},
	{"no-observe", no_argument, NULL, OPTION_NO_OBSERVE},
	{"no-tcp-statistics", no_argument, NULL, OPTION_NO_TCP_STATISTICS},
	{"detect-protocols", no_argument, NULL, OPTION_DETECT_PROTOCOLS},
	{"metrics-listen", required_argument, NULL, OPTION_METRICS_LISTEN},
	{"endpoint-metrics", no_argument, NULL, OPTION_ENDPOINT_METRICS},
	{"doctor", optional_argument, NULL, OPTION_DOCTOR},
	{"automatic-quarantines", required_argument, NULL, OPTION_QUARANTINES},
	{"remove", no_argument, NULL, OPTION_REMOVE},
	{"remove-on-exit", no_argument, NULL, OPTION_REMOVE_ON_EXIT},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

#define MIB     (1ULL << 20)
#define HOUR_NS (3600ULL * 1000000000ULL)

static int parse_number(const char *name, const char *text, unsigned long long max,
	unsigned long long *ret, struct error *error)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value > max)
		return error_set(
			error, -EINVAL, "%s: '%s' is no number from 0 to %llu", name, text, max);
	*ret = value;
	return 0;
}

static int parse_choice(const char *name, const char *text, const char *const choices[],
	size_t count, size_t *ret, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(text, choices[i])) {
			*ret = i;
			return 0;
		}
	}
	return error_set(error, -EINVAL, "%s: '%s' is not %s, %s or %s", name, text, choices[0],
		choices[1], choices[2]);
}

/* One's own bits of the packet mark. */
static int parse_mark(const char *text, uint32_t *ret, struct error *error)
{
	unsigned long long value = SECOND_LOCK_MARK;
	char *end = NULL;

	errno = 0;
	if (text)
		value = strtoull(text, &end, 0);
	if (errno || (text && (end == text || *end || *text == '-')) || !value ||
		value > UINT32_MAX)
		return error_set(error, -EINVAL,
			"--second-lock: '%s' is no packet mark from 0x1 to 0xffffffff", text);
	*ret = (uint32_t)value;
	return 0;
}

/* Types that carry IP, or that say who has an address, would pass unjudged. */
static bool is_judged(unsigned long type)
{
	static const uint16_t judged[] = {ETHERTYPE_IP, ETHERTYPE_IPV6, ETHERTYPE_ARP,
		ETHERTYPE_REVARP, ETHERTYPE_VLAN, ETHERTYPE_QINQ, ETHERTYPE_OLD_QINQ};

	for (size_t i = 0; i < ARRAY_SIZE(judged); i++)
		if (type == judged[i])
			return true;
	return false;
}

/* TYPE[,TYPE]..., added to those of earlier options. */
static int parse_ethertypes(struct options *options, const char *text, struct error *error)
{
	size_t count = 0;

	while (count < OPTIONS_ETHERTYPES && options->ethertypes[count])
		count++;
	for (const char *rest = text;; rest++) {
		char *end;
		unsigned long type = strtoul(rest, &end, 0);

		if (end == rest || (*end && *end != ',') || type < ETHERTYPE_MIN ||
			type > UINT16_MAX)
			return error_set(error, -EINVAL,
				"--allow-ethertype: '%s' is no list of types from 0x600 to 0xffff",
				text);
		if (is_judged(type))
			return error_set(error, -EINVAL,
				"--allow-ethertype: %#lx is IP, ARP or a tag: policies would say "
				"nothing about what passes in it",
				type);
		if (count == OPTIONS_ETHERTYPES)
			return error_set(error, -EINVAL, "--allow-ethertype: more than %d types",
				OPTIONS_ETHERTYPES);
		options->ethertypes[count++] = (uint16_t)type;
		if (!*end)
			return 0;
		rest = end;
	}
}

/* "100/s" or "100" */
static int parse_rate(const char *name, const char *text, uint32_t *ret, struct error *error)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || (*end && strcmp(end, "/s")) || *text == '-' || !value ||
		value > RATE_MAX)
		return error_set(error, -EINVAL,
			"%s: '%s' is no rate from 1/s to %u/s, such as 100/s", name, text,
			RATE_MAX);
	*ret = (uint32_t)value;
	return 0;
}

static int append(const char ***items, size_t *count, const char *text, struct error *error)
{
	const char **grown = reallocarray(*items, *count + 1, sizeof(**items));

	if (!grown)
		return error_nomem(error);
	*items = grown;
	grown[(*count)++] = text;
	return 0;
}

/* 1: it was none of early dropping's. */
static int parse_early_dropping(struct options *options, int option, struct error *error)
{
	switch (option) {
	case OPTION_DENY_LIST:
		return append(&options->deny_lists, &options->deny_lists_count, optarg, error);
	case OPTION_UPLINK:
		if (!*optarg || strlen(optarg) >= IF_NAMESIZE)
			return error_set(error, -EINVAL,
				"--uplink: '%s' is no name of an interface, which has 1 to %d "
				"characters",
				optarg, IF_NAMESIZE - 1);
		return append(&options->uplinks, &options->uplinks_count, optarg, error);
	case OPTION_UPLINK_LIMIT:
		return parse_rate("--new-connection-limit", optarg, &options->uplink_limit, error);
	case OPTION_WORKLOAD_LIMIT:
		return parse_rate(
			"--workload-connection-limit", optarg, &options->workload_limit, error);
	default:
		return 1;
	}
}

/* 1: it was none of what is kept about flows. */
static int parse_flows(struct options *options, int option, struct error *error)
{
	static const struct {
		int option;
		const char *name;
		size_t field;
		uint64_t unit;
		unsigned long long max;
	} amounts[] = {
		{OPTION_LOG_SIZE, "--log-size", offsetof(struct options, log_bytes), MIB, MIB},
		{OPTION_LOG_AGE, "--log-file-age", offsetof(struct options, log_file_ns), HOUR_NS,
			87600},
		{OPTION_STORE_SIZE, "--store-size", offsetof(struct options, store_bytes), MIB,
			MIB},
		{OPTION_STORE_AGE, "--store-age", offsetof(struct options, store_ns), 24 * HOUR_NS,
			3650},
	};

	for (size_t i = 0; i < ARRAY_SIZE(amounts); i++) {
		unsigned long long number = 0;
		int r;

		if (option != amounts[i].option)
			continue;
		r = parse_number(amounts[i].name, optarg, amounts[i].max, &number, error);
		if (!r && !number)
			r = error_set(error, -EINVAL, "%s: expected at least 1", amounts[i].name);
		*(uint64_t *)((char *)options + amounts[i].field) = number * amounts[i].unit;
		return r;
	}
	return 1;
}

static int parse_doctor(struct options *options, const char *format, struct error *error)
{
	if (format && strcmp(format, "json") != 0)
		return error_set(error, -EINVAL,
			"--doctor: '%s' is no form of a report; --doctor and --doctor=json are",
			format);
	options->doctor = true;
	options->doctor_json = format;
	return 0;
}

static int parse_enforcement(struct options *options, int option, struct error *error)
{
	static const char *const dataplanes[] = {"auto", "ebpf", "nft"};
	static const char *const postures[] = {"allow", "deny", "audit"};
	unsigned long long number = 0;
	size_t choice = 0;
	int r;

	switch (option) {
	case OPTION_DATAPLANE:
		r = parse_choice("--dataplane", optarg, dataplanes, 3, &choice, error);
		options->dataplane = dataplanes[choice];
		return r;
	case OPTION_POSTURE:
		r = parse_choice("--posture", optarg, postures, 3, &choice, error);
		options->policy.posture = (enum posture)choice;
		return r;
	case OPTION_ADOPTION:
		r = parse_number("--adoption", optarg, SECONDS_MAX, &number, error);
		options->adoption_ns = number * 1000000000ULL;
		return r;
	case OPTION_NFLOG_GROUP:
		r = parse_number("--nflog-group", optarg, UINT16_MAX - 2, &number, error);
		options->nflog_group = (uint16_t)number;
		return r;
	case OPTION_ALLOW_ETHERTYPE:
		return parse_ethertypes(options, optarg, error);
	case OPTION_CLSACT:
		options->clsact = true;
		return 0;
	case OPTION_FAST_PATH:
		options->fast_path = true;
		return 0;
	case OPTION_SECOND_LOCK:
		return parse_mark(optarg, &options->lock_mark, error);
	case OPTION_FAILSAFE:
		r = failsafe_parse(optarg, &options->failsafe, error);
		return r < 0 ? error_context(error, r, "--failsafe") : 0;
	case OPTION_CONNECTIONS:
		r = parse_number(
			"--workload-connections", optarg, ABI_MAX_CONNECTIONS, &number, error);
		options->share = (uint32_t)number;
		return r;
	case OPTION_QUARANTINES:
		r = parse_number(
			"--automatic-quarantines", optarg, QUARANTINES_MAX, &number, error);
		options->automatic_quarantines = (uint32_t)number;
		return r;
	case OPTION_NO_OBSERVE:
		options->no_observe = true;
		return 0;
	case OPTION_NO_TCP_STATISTICS:
		options->no_tcp_statistics = true;
		return 0;
	case OPTION_DETECT_PROTOCOLS:
		options->detect_protocols = true;
		return 0;
	case OPTION_ENDPOINT_METRICS:
		options->endpoint_metrics = true;
		return 0;
	case OPTION_RESTRICT_NODE:
		options->policy.restrict_node = true;
		return 0;
	case OPTION_DOCTOR:
		return parse_doctor(options, optarg, error);
	case OPTION_REMOVE:
		options->remove = true;
		return 0;
	default:
		options->remove_on_exit = true;
		return 0;
	}
}

/* true: the option was one that names a place or the node. */
static bool parse_place(struct options *options, int option)
{
	switch (option) {
	case OPTION_SOCKET:
		options->socket_path = optarg;
		return true;
	case OPTION_STATE:
		options->state_directory = optarg;
		return true;
	case OPTION_LOG:
		options->log_directory = optarg;
		return true;
	case OPTION_PIN:
		options->pin_directory = optarg;
		return true;
	case OPTION_DOCKER:
		options->docker_socket = optarg;
		return true;
	case OPTION_NO_DOCKER:
		options->docker_socket = NULL;
		return true;
	case OPTION_WORKLOADS:
		options->workloads_file = optarg;
		return true;
	case OPTION_NODE:
		options->node = optarg;
		return true;
	case OPTION_METRICS_LISTEN:
		options->metrics_listen = optarg;
		return true;
	case OPTION_DETECT:
		options->detect_settings = optarg;
		return true;
	default:
		return false;
	}
}

static void set_defaults(struct options *options)
{
	*options = (struct options){
		.dataplane = "auto",
		.socket_path = "/run/segd/segd.sock",
		.state_directory = "/var/lib/segd",
		.log_directory = "/var/log/segd",
		.pin_directory = "/sys/fs/bpf/segd",
		.docker_socket = "/run/docker.sock",
		.adoption_ns = CONNECTION_ADOPTION_NS,
		.nflog_group = 86,
		.automatic_quarantines = 3,
	};
	(void)failsafe_parse(FAILSAFE_DEFAULT, &options->failsafe, NULL);
	if (gethostname(options->hostname, sizeof(options->hostname) - 1) < 0)
		strcpy(options->hostname, "localhost");
}

int options_parse(struct options *options, int argc, char **argv, struct error *error)
{
	int option, r;

	set_defaults(options);
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(options_usage, stdout);
			return 1;
		}
		if (option == OPTION_VERSION) {
			puts("segd " SEGD_VERSION);
			return 1;
		}
		if (option == '?' || option == ':')
			return error_set(error, -EINVAL, "%s: %s (segd --help lists the options)",
				argv[optind - 1],
				option == '?' ? "no such option" : "needs a value");
		if (parse_place(options, option))
			continue;
		r = parse_early_dropping(options, option, error);
		if (r > 0)
			r = parse_flows(options, option, error);
		if (r > 0)
			r = parse_enforcement(options, option, error);
		if (r < 0)
			return r;
	}
	if (optind < argc)
		return error_set(error, -EINVAL, "%s: segd takes options only", argv[optind]);
	if (!options->node)
		options->node = options->hostname;
	return 0;
}

void options_clear(struct options *options)
{
	free(options->deny_lists);
	free(options->uplinks);
	options->deny_lists = NULL;
	options->uplinks = NULL;
	options->deny_lists_count = 0;
	options->uplinks_count = 0;
}
