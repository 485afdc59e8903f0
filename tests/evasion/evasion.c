/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The suite's rows, one after the other, in one of three phases:
 *
 *	bare    no agent: the trick arrives, or the kernel alone stops it
 *	plain   the agent, no policy: the truthful frame behind each trick arrives
 *	denied  the policy: what becomes of each trick, and each refusal counted under its reason
 *
 * The policy allows ALLOWED_PORT of TCP and UDP, and the type 0x88cc, and nothing else between the
 * two. test_evasion.sh makes the place.
 */
#include "base/cleanup.h"
#include "post.h"
#include "tally.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 3

enum phase {
	PHASE_BARE,
	PHASE_PLAIN,
	PHASE_DENIED,
	PHASES
};

static const char *const phase_names[PHASES] = {"bare", "plain", "denied"};

struct suite {
	enum phase phase;
	bool nft;
	bool routed;
	const char *socket;
	struct scene scene;
	struct post post;
	struct tally tally;
	uint16_t serial;
	unsigned int passed, failed;
};

/* What a row has led to, over all rounds. */
struct result {
	unsigned int arrived[SHOT_FRAMES_MAX];
	unsigned int received;
	size_t frames;
};

static void conclude(struct suite *suite, const struct trick *trick, bool ipv6, const char *problem,
	const char *remark)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s%s", trick->name,
		trick->families == ANY_FAMILY ? ""
		: ipv6                        ? ", IPv6"
					      : ", IPv4",
		suite->routed ? ", routed" : "");
	if (*problem) {
		suite->failed++;
		printf("  FAIL  %s\n        %s\n", name, problem);
		return;
	}
	suite->passed++;
	printf("  ok    %s: %s\n", name, remark);
}

static int shoot(struct suite *suite, const struct trick *trick, bool ipv6, struct result *result,
	struct error *error)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct shot shot = {.scene = &suite->scene,
			.trick = trick,
			.ipv6 = ipv6,
			.serial = suite->serial++};
		unsigned int arrived, received;
		int r;

		if (suite->phase == PHASE_PLAIN)
			shot_twin(&shot);
		else
			trick->build(&shot);
		r = post_shoot(&suite->post, &shot, &arrived, &received, error);
		if (r < 0)
			return error_context(error, r, "%s", trick->name);
		for (size_t i = 0; i < shot.count; i++)
			result->arrived[i] += arrived >> i & 1;
		result->received += received;
		result->frames = shot.count;
	}
	return 0;
}

/* The word of an outcome for a frame. */
static const char *word(const char *outcome, size_t frame, size_t *ret_length)
{
	for (;;) {
		size_t length = strcspn(outcome, " ");

		if (!frame-- || !outcome[length]) {
			*ret_length = length;
			return outcome;
		}
		outcome += length + 1;
	}
}

static bool word_is(const char *outcome, size_t frame, const char *wanted)
{
	size_t length;
	const char *found = word(outcome, frame, &length);

	return strlen(wanted) == length && !strncmp(found, wanted, length);
}

static bool is_pass(int reason)
{
	return reason <= REASON_NEIGHBOUR;
}

/* Each refusal is in the counters and in the list, once and under its reason. */
static void compare_counts(const uint64_t expected[static REASON_COUNT], const struct tally *before,
	const struct tally *after, char *problem, size_t size)
{
	for (int i = 0; i < REASON_COUNT; i++) {
		uint64_t counted = after->counters[i] - before->counters[i];
		uint64_t listed = after->listed[i] - before->listed[i];

		if (is_pass(i) || (counted == expected[i] && listed == expected[i]))
			continue;
		snprintf(problem + strlen(problem), size - strlen(problem),
			"%s: expected %llu, counted %llu, listed %llu; ", tally_name(i),
			(unsigned long long)expected[i], (unsigned long long)counted,
			(unsigned long long)listed);
	}
}

static void compare_arrivals(
	const char *outcome, const struct result *result, char *problem, size_t size)
{
	for (size_t i = 0; i < result->frames; i++) {
		unsigned int wanted = word_is(outcome, i, "passed") ? ROUNDS : 0;

		if (result->arrived[i] != wanted)
			snprintf(problem + strlen(problem), size - strlen(problem),
				"frame %zu arrived %u times of %u; ", i + 1, result->arrived[i],
				ROUNDS);
	}
	if (result->received)
		snprintf(problem + strlen(problem), size - strlen(problem),
			"the denied port received %u; ", result->received);
}

static int try_denied(
	struct suite *suite, const struct trick *trick, bool ipv6, struct error *error)
{
	const char *outcome = suite->nft ? trick->nft : trick->ebpf;
	uint64_t expected[REASON_COUNT] = {0};
	struct result result = {0};
	char problem[512] = "", remark[512];
	struct tally after;
	bool held = false;
	int r = shoot(suite, trick, ipv6, &result, error);

	if (!r)
		r = tally_read(suite->socket, &after, error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < result.frames; i++) {
		size_t length;
		const char *text = word(outcome, i, &length);
		int reason = tally_reason(text, length);

		held |= word_is(outcome, i, "held");
		if (reason >= 0)
			expected[reason] += ROUNDS;
	}
	compare_arrivals(outcome, &result, problem, sizeof(problem));
	compare_counts(expected, &suite->tally, &after, problem, sizeof(problem));
	suite->tally = after;
	snprintf(remark, sizeof(remark), "%s", outcome);
	conclude(suite, trick, ipv6, problem, remark);
	if (held)
		printf("        not seen by nft: %s\n", trick->why ? trick->why : "?");
	return 0;
}

static int try_plain(struct suite *suite, const struct trick *trick, bool ipv6, struct error *error)
{
	struct result result = {0};
	char problem[128] = "";
	int r = shoot(suite, trick, ipv6, &result, error);

	if (r < 0)
		return r;
	if (result.arrived[0] != ROUNDS)
		snprintf(problem, sizeof(problem), "the truthful frame arrived %u times of %u",
			result.arrived[0], ROUNDS);
	else if (trick->twin == TWIN_UDP && result.received != ROUNDS)
		snprintf(problem, sizeof(problem), "the socket received %u of %u", result.received,
			ROUNDS);
	conclude(suite, trick, ipv6, problem, "the truthful frame arrives");
	return 0;
}

static int try_bare(struct suite *suite, const struct trick *trick, bool ipv6, struct error *error)
{
	struct result result = {0};
	char problem[128] = "", remark[256];
	int r = shoot(suite, trick, ipv6, &result, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < result.frames; i++) {
		unsigned int wanted = trick->bare ? 0 : ROUNDS;

		if (result.arrived[i] != wanted)
			snprintf(problem, sizeof(problem), "frame %zu arrived %u times of %u%s%s",
				i + 1, result.arrived[i], ROUNDS, trick->bare ? ", though " : "",
				trick->bare ? trick->bare : "");
	}
	snprintf(remark, sizeof(remark), "%s",
		trick->bare ? trick->bare : "arrives where nobody enforces");
	conclude(suite, trick, ipv6, problem, remark);
	return 0;
}

static int try_row(struct suite *suite, const struct trick *trick, struct error *error)
{
	static int (*const tries[PHASES])(struct suite *, const struct trick *, bool,
		struct error *) = {try_bare, try_plain, try_denied};
	int r = 0;

	if (suite->routed ? trick->places == ON_THE_BRIDGE : trick->places == ONLY_ROUTED)
		return 0;
	for (int ipv6 = 0; !r && ipv6 < 2; ipv6++)
		if (trick->families & (ipv6 ? ONLY_IPV6 : ONLY_IPV4))
			r = tries[suite->phase](suite, trick, ipv6, error);
	return r;
}

static int run(struct suite *suite, struct error *error)
{
	static const struct trick *const lists[] = {tricks_honest, tricks_link, tricks_claim,
		tricks_ipv4, tricks_ipv6, tricks_fragment, tricks_transport, tricks_icmp};
	int r = 0;

	if (suite->phase == PHASE_DENIED)
		r = post_victim_speaks(&suite->post, &suite->scene, error);
	if (!r && suite->phase == PHASE_DENIED)
		r = tally_read(suite->socket, &suite->tally, error);
	for (size_t i = 0; !r && i < ARRAY_SIZE(lists); i++)
		for (const struct trick *trick = lists[i]; !r && trick->name; trick++)
			r = try_row(suite, trick, error);
	return r;
}

static int parse_addresses(struct scene *scene, char **text)
{
	struct address *const addresses[] = {&scene->own[0], &scene->own[1], &scene->victim[0],
		&scene->victim[1], &scene->node[0], &scene->node[1], &scene->stranger[0],
		&scene->stranger[1]};

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		if (address_parse(text[i], addresses[i]) < 0)
			return -EINVAL;
	return 0;
}

static int parse(struct suite *suite, int argc, char **argv)
{
	uint8_t *mac = suite->scene.next_mac;

	if (argc != 16 || sscanf(argv[7], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1],
				  &mac[2], &mac[3], &mac[4], &mac[5]) != 6)
		return -EINVAL;
	for (suite->phase = 0; strcmp(argv[1], phase_names[suite->phase]);)
		if (++suite->phase == PHASES)
			return -EINVAL;
	suite->nft = !strcmp(argv[2], "nft");
	suite->routed = !strcmp(argv[3], "routed");
	suite->socket = argv[6];
	suite->scene.port = (uint16_t)(5000 + 10 * suite->phase);
	suite->serial = (uint16_t)(10000 + 10000 * suite->phase + 5000 * suite->routed);
	return parse_addresses(&suite->scene, argv + 8);
}

int main(int argc, char **argv)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct suite suite = {.post = POST_INIT};
	int r;

	if (parse(&suite, argc, argv) < 0) {
		fputs("usage: evasion bare|plain|denied ebpf|nft bridged|routed FROM-NETNS TO-NETNS "
		      "SOCKET NEXT-MAC OWN4 OWN6 VICTIM4 VICTIM6 NODE4 NODE6 STRANGER4 STRANGER6\n",
			stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	r = post_open(&suite.post, argv[4], argv[5], &suite.scene, &error);
	if (!r)
		r = run(&suite, &error);
	post_close(&suite.post);
	if (r < 0) {
		suite.failed++;
		printf("  FAIL  %s\n", error_message(&error));
	}
	printf("%u passed, %u failed, 0 skipped\n", suite.passed, suite.failed);
	return suite.failed ? 1 : 0;
}
