// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixture.h"

#include "capture/insides.h"

#include <net/if.h>
#include <stdio.h>

#define HERE "/proc/self/ns/net"

struct room {
	struct view view;
	struct insides insides;
	sd_event *event;
};

static void on_packet(struct tap *tap, const struct tap_packet *packet, void *userdata)
{
	(void)tap;
	(void)packet;
	(void)userdata;
}

static int setup(void **state)
{
	struct room *room = calloc(1, sizeof(*room));

	room->insides.packet = on_packet;
	*state = room;
	return sd_event_new(&room->event);
}

static int teardown(void **state)
{
	struct room *room = *state;

	insides_clear(&room->insides);
	view_clear(&room->view);
	sd_event_unref(room->event);
	free(room);
	return 0;
}

static struct view_interface *add(struct room *room, uint32_t number, const char *netns)
{
	struct view_interface *interface;

	assert_int_equal(view_add_interface(&room->view, &interface), 0);
	interface->ifindex = if_nametoindex("lo");
	interface->number = number;
	interface->netns = strdup(netns);
	interface->is_wanted[0] = true;
	return interface;
}

static void follow(struct room *room, size_t taps, size_t untapped)
{
	assert_int_equal(insides_follow(&room->insides, &room->view, room->event, NULL), 0);
	assert_int_equal(room->insides.count, taps);
	assert_int_equal(room->insides.untapped, untapped);
}

static void test_gives_up_what_has_gone(void **state)
{
	struct room *room = *state;
	const struct tap *kept;

	add(room, 1, HERE);
	add(room, 2, HERE);
	add(room, 3, HERE)->is_wanted[0] = false;
	follow(room, 2, 0);
	kept = room->insides.taps[1].tap;
	assert_int_equal(insides_number(&room->insides, kept), 2);
	view_clear(&room->view);
	add(room, 2, HERE);
	add(room, 4, HERE);
	follow(room, 2, 0);
	assert_int_equal(insides_number(&room->insides, kept), 2);
	room->view.interfaces[0].is_wanted[0] = false;
	follow(room, 1, 0);
	assert_int_equal(room->insides.taps[0].number, 4);
	assert_int_equal(insides_drops(&room->insides), 0);
}

/* Between the registry's word and the tap. */
static void test_a_namespace_that_goes_meanwhile_is_no_error(void **state)
{
	struct room *room = *state;

	add(room, 1, "/proc/self/ns/nothing");
	add(room, 2, HERE)->ifindex = 0x7fffffff;
	add(room, 3, HERE);
	follow(room, 1, 0);
	assert_int_equal(room->insides.taps[0].number, 3);
}

static void test_is_bounded_and_says_so(void **state)
{
	struct room *room = *state;

	for (uint32_t i = 1; i <= INSIDES_MAX + 2; i++)
		add(room, i, HERE);
	follow(room, INSIDES_MAX, 2);
	room->view.interfaces[0].is_wanted[0] = false;
	follow(room, INSIDES_MAX, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_gives_up_what_has_gone),
		TEST(test_a_namespace_that_goes_meanwhile_is_no_error),
		TEST(test_is_bounded_and_says_so),
	};

	if (geteuid()) {
		puts("insides: skipped: packet sockets need root");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
