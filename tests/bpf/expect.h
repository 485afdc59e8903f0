/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests say about a world, in the words of the design. Failures are cmocka's. */
#pragma once

#include "world.h"

/* cmocka's own order of includes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Rules' numbers, so that a wrong one is seen. */
#define RULE_ALLOW       100
#define RULE_DENY        200
#define RULE_NONE_ALLOWS 300

#define DECISION_ALLOW                                    \
	(struct abi_decision)                             \
	{                                                 \
		.rule = RULE_ALLOW, .verdict = ABI_ALLOW, \
	}
#define DECISION_DENY                                   \
	(struct abi_decision)                           \
	{                                               \
		.rule = RULE_DENY, .verdict = ABI_DENY, \
	}
#define DECISION_NONE                                          \
	(struct abi_decision)                                  \
	{                                                      \
		.rule = RULE_NONE_ALLOWS, .verdict = ABI_DENY, \
	}

/* The same test for both families. The world is loaded once for a program and reset for a test. */
#define FOR_IPV4(test) cmocka_unit_test_setup(test, expect_setup_ipv4)
#define FOR_IPV6(test) cmocka_unit_test_setup(test, expect_setup_ipv6)
#define FOR_BOTH(test) FOR_IPV4(test), FOR_IPV6(test)

int expect_group_setup(void **state);
int expect_group_teardown(void **state);
int expect_setup_ipv4(void **state);
int expect_setup_ipv6(void **state);

/* A skip that says why, where there is no root. */
int expect_main(const struct CMUnitTest *tests, size_t count, const char *name);

/* Through one hook. */
void expect_pass_at(struct world *world, const struct frame_description *description,
	enum abi_direction hook, const struct end *end);
void expect_refused_at(struct world *world, const struct frame_description *description,
	enum abi_direction hook, const struct end *end, enum reason reason);
void expect_frame_pass(struct world *world, const struct frame *frame, enum abi_direction hook,
	const struct end *end);
void expect_frame_refused(struct world *world, const struct frame *frame, enum abi_direction hook,
	const struct end *end, enum reason reason);

/* A frame that is none of the end's business: it does not get it and it is counted, but nobody is
 * said to have been refused anything. */
void expect_frame_kept(struct world *world, const struct frame *frame, const struct end *end);
void expect_kept(
	struct world *world, const struct frame_description *description, const struct end *end);

/* The whole way: leaving the source and entering the destination, as far as they are local. */
void expect_pass(struct world *world, const struct frame_description *description);
/* Refused at the first hook on the way. */
void expect_refused(
	struct world *world, const struct frame_description *description, enum reason reason);

struct abi_connection expect_connection(
	struct world *world, const struct frame_description *description);
void expect_no_connection(struct world *world, const struct frame_description *description);

void expect_apply(struct world *world);
void expect_reset(struct world *world);

/* Descriptions. */
struct frame_description tcp(const struct end *from, const struct end *to, uint16_t from_port,
	uint16_t to_port, uint8_t flags);
struct frame_description udp(
	const struct end *from, const struct end *to, uint16_t from_port, uint16_t to_port);
/* Echo request or reply of either family. */
struct frame_description echo(
	const struct end *from, const struct end *to, uint16_t identifier, bool reply);
struct frame_description reversed(const struct frame_description *description);

/* TCP's handshake, all three packets. */
void expect_handshake(struct world *world, const struct frame_description *syn);
