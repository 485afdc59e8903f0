// SPDX-License-Identifier: GPL-2.0-or-later
/* A capture on a node that changes, and that no packet tells of it. */
#include "fixture.h"

#include "capture/capture.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#define TURNS_MAX 100

/* The workload "api", once or twice, at the interfaces that the test gives it. */
struct node {
	sd_event *event;
	struct capture *capture;
	uint64_t changes;
	uint32_t ifindex;
	bool is_gone;
	bool has_namesake;
	int failure;
	char asked[32];
	unsigned int looks;
	bool is_over;
	enum capture_end why;
	char *words;
};

static int look(
	const char *const ends[static 2], struct view *ret, void *userdata, struct error *error)
{
	struct node *node = userdata;
	struct view_interface *interface;

	node->looks++;
	snprintf(node->asked, sizeof(node->asked), "%s", ends[0]);
	if (node->failure)
		return error_set(error, node->failure, "nobody answers");
	if (node->is_gone)
		return error_set(error, -ENOENT, "no workload is called %s", ends[0]);
	if (node->has_namesake && !strchr(ends[0], '/'))
		return error_set(error, -EEXIST, "several workloads are called %s", ends[0]);
	assert_int_equal(view_add_interface(ret, &interface), 0);
	interface->ifindex = interface->number = node->ifindex;
	interface->is_wanted[0] = true;
	interface->workload = strdup("shop/api");
	ret->ends[0].workload = strdup("shop/api");
	assert_int_equal(view_finish(ret), 0);
	return 0;
}

static uint64_t changes(void *userdata)
{
	return ((struct node *)userdata)->changes;
}

static const struct ir *policy(uint64_t *ret_generation, void *userdata)
{
	(void)userdata;
	*ret_generation = 1;
	return NULL;
}

static int connections(void (*add)(const struct packet_ends *ends, uint64_t last_ns, void *capture),
	void *capture, void *userdata, struct error *error)
{
	(void)add;
	(void)capture;
	(void)userdata;
	(void)error;
	return 0;
}

static bool on_write(const char *bytes, size_t length, void *userdata)
{
	(void)bytes;
	(void)length;
	(void)userdata;
	return true;
}

static void on_ended(enum capture_end why, const struct error *error, void *userdata)
{
	struct node *node = userdata;

	node->is_over = true;
	node->why = why;
	node->words = error ? strdup(error_message(error)) : NULL;
}

static void begin(struct node *node, const char *end, uint64_t bytes_max)
{
	const struct capture_wish wish = {.ends = {end, NULL}, .bytes_max = bytes_max};
	const struct capture_world world = {.view = look,
		.changes = changes,
		.policy = policy,
		.connections = connections,
		.userdata = node};
	const struct capture_sink sink = {on_write, on_ended, node};

	assert_int_equal(capture_new(&wish, &world, &sink, node->event, &node->capture, NULL), 0);
}

static int setup(void **state)
{
	struct node *node = calloc(1, sizeof(*node));

	node->ifindex = 7;
	*state = node;
	return sd_event_new(&node->event);
}

static int teardown(void **state)
{
	struct node *node = *state;

	capture_free(node->capture);
	sd_event_unref(node->event);
	free(node->words);
	free(node);
	return 0;
}

/* Until it has looked at the node so often, or is over. */
static void run(struct node *node, unsigned int looks)
{
	for (int i = 0; !node->is_over && node->looks < looks; i++) {
		assert_true(i < TURNS_MAX);
		assert_true(sd_event_run(node->event, SECOND / 1000) >= 0);
	}
}

static void change(struct node *node)
{
	const unsigned int looks = node->looks;

	node->changes++;
	run(node, looks + 1);
}

static void test_looks_again_without_packets(void **state)
{
	struct node *node = *state;

	begin(node, "api", 0);
	assert_true(capture_begin(node->capture));
	change(node);
	assert_int_equal(node->looks, 2);
	node->is_gone = true;
	change(node);
	node->is_gone = false;
	change(node);
	assert_false(node->is_over);
}

static void test_a_namesake_does_not_end_it(void **state)
{
	struct node *node = *state;

	begin(node, "api", 0);
	assert_true(capture_begin(node->capture));
	assert_string_equal(node->asked, "api");
	node->has_namesake = true;
	change(node);
	assert_string_equal(node->asked, "shop/api");
	assert_false(node->is_over);
}

static void test_says_why_it_fails(void **state)
{
	struct node *node = *state;

	begin(node, "api", 0);
	assert_true(capture_begin(node->capture));
	node->failure = -EIO;
	change(node);
	run(node, UINT32_MAX);
	assert_int_equal(node->why, CAPTURE_FAILED);
	assert_string_equal(node->words, "look at the node anew: nobody answers");
}

static void test_without_room_to_begin(void **state)
{
	struct node *node = *state;

	begin(node, "api", 10);
	assert_false(capture_begin(node->capture));
	run(node, UINT32_MAX);
	assert_int_equal(node->why, CAPTURE_FAILED);
	assert_non_null(strstr(node->words, "first blocks"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_looks_again_without_packets),
		TEST(test_a_namesake_does_not_end_it),
		TEST(test_says_why_it_fails),
		TEST(test_without_room_to_begin),
	};

	/* Of its own, so that no packet of the machine is seen. */
	if (geteuid() || unshare(CLONE_NEWNET) < 0) {
		puts("capture: skipped: packet sockets need root");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
