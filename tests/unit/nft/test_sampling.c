/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which packets are looked into, with real ones that are routed. */
#include "dataplane/nft/sampling.h"

#include "flow/sample.h"
#include "village.h"

#define GROUP       4712
#define SAMPLES_MAX 64

struct seen {
	struct sample {
		struct address source;
		uint16_t destination_port;
		uint8_t protocol;
		bool answers;
		char bytes[128];
		size_t size;
	} samples[SAMPLES_MAX];
	size_t count;
};

struct court {
	struct dataplane_options options;
	struct dataplane_callbacks callbacks;
	struct seen seen;
	sd_event *loop;
	struct sampling *sampling;
};

static void take(const struct flow_sample *sample, void *userdata)
{
	struct seen *seen = userdata;
	struct sample *copy = &seen->samples[seen->count++];

	assert_true(seen->count < SAMPLES_MAX);
	copy->source = sample->source;
	copy->destination_port = sample->destination_port;
	copy->protocol = sample->protocol;
	copy->answers = sample->answers;
	copy->size = sample->size < sizeof(copy->bytes) ? sample->size : sizeof(copy->bytes);
	memcpy(copy->bytes, sample->bytes, copy->size);
}

static int set_up(void **state)
{
	struct court *court = calloc(1, sizeof(*court));
	struct error error = ERROR_INIT;

	village_build();
	assert_int_equal(fixture_run("echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct"), 0);
	court->options = (struct dataplane_options){
		.nflog_group = GROUP, .samples = 1000, .sampled_connections = 1};
	court->callbacks = (struct dataplane_callbacks){.sample = take, .userdata = &court->seen};
	assert_int_equal(sd_event_new(&court->loop), 0);
	if (sampling_open(
		    &court->options, &court->callbacks, court->loop, &court->sampling, &error) < 0)
		fail_msg("%s", error_message(&error));
	*state = court;
	return 0;
}

static int tear_down(void **state)
{
	struct court *court = *state;

	sampling_free(court->sampling);
	sd_event_unref(court->loop);
	free(court);
	village_tear_down();
	return 0;
}

/* The kernel hands packets over in a batch: after a tenth of a second at the latest, and so does
 * whoever waits for as long as there is none. */
static const struct sample *await(
	struct court *court, uint8_t protocol, uint16_t port, bool answers)
{
	for (unsigned int tries = 0; tries < 300; tries++) {
		sampling_drain(court->sampling);
		for (size_t i = 0; i < court->seen.count; i++) {
			const struct sample *sample = &court->seen.samples[i];

			if (sample->protocol == protocol && sample->destination_port == port &&
				sample->answers == answers)
				return sample;
		}
		usleep(10000);
	}
	return NULL;
}

static void test_dns_both_ways(void **state)
{
	struct address client = fixture_address("10.77.0.4");
	const struct sample *sample;

	assert_true(village_reaches("db", SOCK_DGRAM, VILLAGE_WORLD, 53));
	for (int answers = 0; answers < 2; answers++) {
		sample = await(*state, IPPROTO_UDP, 53, answers);
		assert_non_null(sample);
		assert_int_equal(sample->size, 4);
		assert_memory_equal(sample->bytes, "word", 4);
		assert_true(address_equal(&sample->source, &client));
	}
}

static void test_beginnings_of_tcp(void **state)
{
	static const char words[] = "more than what only acknowledges";
	int fd = village_open("db", SOCK_STREAM, VILLAGE_WORLD, 443);
	const struct sample *sample;

	assert_true(fd >= 0);
	assert_int_equal(send(fd, words, sizeof(words), MSG_NOSIGNAL), sizeof(words));
	sample = await(*state, IPPROTO_TCP, 443, false);
	assert_non_null(sample);
	assert_int_equal(sample->size, sizeof(words));
	assert_memory_equal(sample->bytes, words, sizeof(words));
	assert_non_null(await(*state, IPPROTO_TCP, 443, true));
	close(fd);
}

/* Nobody looks into a ping, and it takes nothing of what others may have. */
static void test_nothing_of_ping(void **state)
{
	struct court *court = *state;

	village_command("db", 0,
		"for i in $(seq 20); do nsenter --net=/run/netns/$W busybox ping -c 1 -W 1 "
		"-s 100 " VILLAGE_WORLD "; done");
	assert_true(village_reaches("db", SOCK_DGRAM, VILLAGE_WORLD, 53));
	assert_non_null(await(court, IPPROTO_UDP, 53, true));
	for (size_t i = 0; i < court->seen.count; i++)
		assert_int_equal(court->seen.samples[i].protocol, IPPROTO_UDP);
	assert_int_equal(sampling_lost(court->sampling), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dns_both_ways, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_beginnings_of_tcp, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_of_ping, set_up, tear_down),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
