/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expect.h"

/* TCP through its whole life. */
static void tcp_opens_by_a_handshake(void **state)
{
	struct world *world = *state;
	struct frame_description syn = tcp(&world->web, &world->api, 40000, 8080, TCP_SYN);
	struct abi_connection c;

	expect_handshake(world, &syn);
	c = expect_connection(world, &syn);
	assert_true(c.flags & ABI_CONNECTION_ESTABLISHED);
	assert_true(c.flags & ABI_CONNECTION_REPLIED);
	assert_int_equal(c.packets[ABI_ORIGINATOR], 2);
	assert_int_equal(c.packets[ABI_RESPONDER], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOR_BOTH(tcp_opens_by_a_handshake),
	};

	return expect_main(tests, sizeof(tests) / sizeof(tests[0]), "connection");
}
