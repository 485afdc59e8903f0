/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data plane as a whole, with real packets on a bridge and routed. */
#include "village_agent.h"

static void test_verdicts(void **state)
{
	static const char *const db[] = {"fd77::4", "10.77.0.4"};
	struct agent *agent = *state;

	apply(agent, "");
	for (int ipv4 = 0; ipv4 < 2; ipv4++) {
		assert_true(village_reaches("web", SOCK_STREAM, db[ipv4], 5432));
		assert_true(village_reaches("api", SOCK_STREAM, db[ipv4], 8080));
		assert_true(village_reaches("web", SOCK_DGRAM, db[ipv4], 5005));
		assert_true(village_reaches("api", SOCK_DGRAM, db[ipv4], 5011));
		assert_true(village_pings("web", db[ipv4]));
	}
	assert_true(village_reaches("db", SOCK_STREAM, VILLAGE_FORBIDDEN, 443));
	assert_true(village_reaches("db", SOCK_STREAM, "10.77.0.2", 80));

	apply(agent, FIXTURE_POLICY);
	for (int ipv4 = 0; ipv4 < 2; ipv4++) {
		assert_true(village_reaches("api", SOCK_STREAM, db[ipv4], 5432));
		assert_true(village_is_shut("api", SOCK_STREAM, db[ipv4], 8080));
		assert_true(village_is_shut("web", SOCK_STREAM, db[ipv4], 5432));
		assert_true(village_is_shut("intruder", SOCK_STREAM, db[ipv4], 5432));
		assert_true(village_reaches("api", SOCK_DGRAM, db[ipv4], 5005));
		assert_true(village_reaches("api", SOCK_DGRAM, db[ipv4], 5010));
		assert_true(village_is_shut("api", SOCK_DGRAM, db[ipv4], 5011));
		assert_true(village_is_shut("web", SOCK_DGRAM, db[ipv4], 5005));
		assert_true(village_pings("api", db[ipv4]));
		assert_false(village_pings("web", db[ipv4]));
		/* The node reaches its own workloads. */
		assert_true(village_reaches(NULL, SOCK_STREAM, db[ipv4], 8080));
	}
	assert_true(village_reaches("web", SOCK_STREAM, "10.77.0.3", 80));
	/* Routed, by prefix; and out of it. */
	assert_true(village_reaches("db", SOCK_STREAM, VILLAGE_WORLD, 443));
	assert_true(village_is_shut("db", SOCK_STREAM, VILLAGE_WORLD, 80));
	assert_true(village_is_shut("db", SOCK_STREAM, VILLAGE_FORBIDDEN, 443));
	assert_true(village_is_shut("db", SOCK_STREAM, "10.77.0.2", 80));
	assert_true(village_is_shut("world", SOCK_STREAM, "10.77.0.4", 5432));
	assert_string_equal(agent->seen.trouble, "");
}

/* A reset instead of silence, for the first packet and for the next; bridged and routed. */
static void test_rejects(void **state)
{
	static const char rejecting[] = "apiVersion: segctl.io/v1\n"
					"kind: SegmentPolicy\n"
					"metadata: {name: closed, namespace: shop}\n"
					"spec:\n"
					"  subject: app=db\n"
					"  egress:\n"
					"  - to: [{entity: world}]\n"
					"    ports: [tcp/443]\n"
					"    onDeny: reject\n"
					"  - to: [{workloads: app=web}, {entity: world}]\n"
					"    ports: [tcp/80]\n"
					"    action: deny\n"
					"    onDeny: reject\n";
	struct agent *agent = *state;

	apply(agent, rejecting);
	assert_true(village_reaches("db", SOCK_STREAM, VILLAGE_WORLD, 443));
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(village_is_reset("db", VILLAGE_WORLD, 80));
		assert_true(village_is_reset("db", "10.77.0.2", 80));
		assert_true(village_is_reset("db", "fd77::2", 80));
	}
	collect(agent);
	assert_int_equal(count_denied(agent, "10.77.0.4", VILLAGE_WORLD, 80), 2);
}

static void test_reports_flows(void **state)
{
	struct agent *agent = *state;
	const struct flow_event *event;

	apply(agent, FIXTURE_POLICY);
	assert_true(village_reaches("api", SOCK_DGRAM, "10.77.0.4", 5005));
	assert_true(village_is_shut("web", SOCK_STREAM, "fd77::4", 5432));
	assert_true(village_is_shut("db", SOCK_STREAM, "10.77.0.2", 80));
	collect(agent);

	event = find_event(agent, FLOW_NEW, "10.77.0.3", "10.77.0.4");
	assert_non_null(event);
	assert_int_equal(event->verdict, FLOW_ALLOWED);
	assert_int_equal(event->reason, REASON_POLICY_ALLOWED);
	assert_int_equal(event->direction, DIRECTION_INGRESS);
	assert_int_equal(event->destination_port, 5005);
	assert_int_not_equal(event->rule, 0);
	assert_int_equal(event->ifindex, if_nametoindex("v1"));
	assert_memory_equal(event->source_mac, ((uint8_t[]){2, 0x77, 0, 0, 0, 3}), 6);
	assert_memory_equal(event->destination_mac, ((uint8_t[]){2, 0x77, 0, 0, 0, 4}), 6);

	event = find_event(agent, FLOW_UPDATE, "10.77.0.3", "10.77.0.4");
	assert_non_null(event);
	assert_int_equal(event->packets[0], 1);
	assert_int_equal(event->packets[1], 1);
	assert_int_equal(event->bytes[0], 32);

	event = find_event(agent, FLOW_DENIED, "fd77::2", "fd77::4");
	assert_non_null(event);
	assert_int_equal(event->verdict, FLOW_REFUSED);
	assert_int_equal(event->reason, REASON_POLICY_DENIED);
	assert_int_equal(event->direction, DIRECTION_INGRESS);
	assert_int_equal(event->destination_port, 5432);
	assert_int_equal(event->tcp_flags, 2);
	assert_int_equal(event->ifindex, if_nametoindex("v0"));
	assert_int_not_equal(event->rule, 0);
	assert_int_not_equal(event->source_port, 0);

	event = find_event(agent, FLOW_DENIED, "10.77.0.4", "10.77.0.2");
	assert_non_null(event);
	assert_int_equal(event->direction, DIRECTION_EGRESS);
}

static void test_counts_every_refused_packet(void **state)
{
	struct agent *agent = *state;
	int fd;

	apply(agent, FIXTURE_POLICY);
	fd = village_open("web", SOCK_DGRAM, "10.77.0.4", 5005);
	for (unsigned int i = 0; i < 10000; i++) {
		while (send(fd, "word", 4, 0) < 0)
			assert_true(errno == EAGAIN || errno == ENOBUFS);
		/* In the middle of it the policy is written again. */
		if (i == 5000)
			apply(agent, FIXTURE_POLICY_CLOSED);
	}
	close(fd);
	collect(agent);
	assert_int_equal(count_denied(agent, "10.77.0.2", "10.77.0.4", 5005), 10000);
	assert_true(agent->seen.count < 20);

	assert_int_equal(count_refused(agent), 10000);
}

/*
 * More kinds of refusals than the kernel's set holds: the rest is counted without its port. Under a
 * burst the kernel may also have no memory at hand for an element's counter, which it allocates per
 * processor and without waiting. Then neither set can take the packet, and it is in a gap.
 *
 * Nobody reads the log meanwhile: it overruns, and most have no details. All are counted, and what
 * has a record is in no gap.
 */
static void test_accounts_for_a_scan(void **state)
{
	static const char *const scanners[] = {"web", "intruder"};
	const unsigned int ports = 35000;
	struct agent *agent = *state;
	uint64_t reported = 0, lost = 0;

	apply(agent, FIXTURE_POLICY);
	for (size_t i = 0; i < 2; i++) {
		struct sockaddr_in address = {.sin_family = AF_INET};
		int fd = village_open(scanners[i], SOCK_DGRAM, "10.77.0.4", 1);

		inet_pton(AF_INET, "10.77.0.4", &address.sin_addr);
		for (unsigned int port = 1; port <= ports; port++) {
			address.sin_port = htons((uint16_t)port);
			while (sendto(fd, "word", 4, 0, (void *)&address, sizeof(address)) < 0)
				assert_true(errno == EAGAIN || errno == ENOBUFS);
		}
		close(fd);
	}
	/* A listing may pass over elements while the kernel enlarges the set; the next has them. */
	for (unsigned int i = 0; i < 3; i++)
		collect(agent);
	for (size_t i = 0; i < agent->seen.count; i++) {
		const struct flow_event *event = &agent->seen.events[i];

		reported += event->type == FLOW_DENIED ? event->packets[0] : 0;
		lost += event->type == FLOW_GAP ? event->lost : 0;
	}
	/* The network may drop some before they come here: the rules' own counter says how many
	 * did. */
	assert_int_equal(reported + lost, count_refused(agent));
	assert_int_equal(lost, count_loss(agent, "denial_aggregates"));
	assert_true(count_loss(agent, "denial_details") > 0);
	assert_true(reported > 65536);
	assert_true(count_denied(agent, "10.77.0.5", "10.77.0.4", 0) > 0);
	assert_string_equal(agent->seen.trouble, "");
}

static void test_cuts_connections(void **state)
{
	struct agent *agent = *state;
	const struct flow_event *event;
	int fd;

	apply(agent, FIXTURE_POLICY);
	fd = open_allowed();
	apply(agent, FIXTURE_POLICY);
	assert_true(village_ask(fd, VILLAGE_HOPE_MS));
	apply(agent, FIXTURE_POLICY_CLOSED);
	assert_false(village_ask(fd, 1000));
	close(fd);
	collect(agent);
	event = find_event(agent, FLOW_END, "10.77.0.3", "10.77.0.4");
	assert_non_null(event);
	assert_int_equal(event->reason, REASON_REVOKED);
	assert_true(event->packets[0] >= 4);
	event = find_event(agent, FLOW_DENIED, "10.77.0.3", "10.77.0.4");
	assert_non_null(event);
	assert_int_equal(event->reason, REASON_NO_CONNECTION);
}

static void apply_to_nobody(struct agent *agent)
{
	struct model *model = fixture_model(0);
	struct ir *ir = fixture_ir(model, FIXTURE_POLICY);
	const struct dataplane_state state = {.ir = ir, .model = model};
	struct error error = ERROR_INIT;

	for (size_t i = 0; i < ir->subjects_count; i++)
		ir->subjects[i] = (struct ir_subject){{IR_PEER_TABLE_NONE, IR_PEER_TABLE_NONE}};
	assert_int_equal(nft_dataplane_ops.apply(agent->dataplane, &state, &error), 0);
	ir_free(ir);
	model_free(model);
}

/* From when no policy bound the ends of these connections; the agent knows that they are there. */
static void test_cuts_what_concerned_nobody(void **state)
{
	struct agent *agent = *state;
	const struct flow_event *event;
	int allowed, forbidden;

	apply_to_nobody(agent);
	allowed = open_allowed();
	forbidden = village_open("web", SOCK_STREAM, "10.77.0.4", 5432);
	assert_true(village_ask(forbidden, VILLAGE_HOPE_MS));
	apply(agent, FIXTURE_POLICY);
	assert_true(village_ask(allowed, VILLAGE_HOPE_MS));
	assert_false(village_ask(forbidden, VILLAGE_SILENCE_MS));
	/* Nobody has missed that it began. */
	assert_int_equal(fixture_run("conntrack -D -s 10.77.0.3 -d 10.77.0.4 >/dev/null 2>&1"), 0);
	collect(agent);
	event = find_event(agent, FLOW_END, "10.77.0.3", "10.77.0.4");
	assert_non_null(event);
	assert_int_equal(event->reason, REASON_POLICY_ALLOWED);
	assert_non_null(find_event(agent, FLOW_NEW, "10.77.0.3", "10.77.0.4"));
	assert_int_equal(count_loss(agent, "connection_events"), 0);
	close(allowed);
	close(forbidden);
}

/* The agent hears of no connection, and has to find out that there is one. */
static void test_cuts_what_nobody_announced(void **state)
{
	struct agent *agent = *state;
	int fd;

	apply(agent, FIXTURE_POLICY);
	collect(agent);
	assert_int_equal(fixture_run("echo 0 >/proc/sys/net/netfilter/nf_conntrack_events"), 0);
	fd = open_allowed();
	apply(agent, FIXTURE_POLICY_CLOSED);
	assert_false(village_ask(fd, VILLAGE_SILENCE_MS));
	close(fd);
}

/* Let in at the last moment by the policy before, and the kernel had no room to say so. */
static void test_cuts_what_a_listing_finds(void **state)
{
	struct agent *agent = *state;
	const struct flow_event *event;

	apply(agent, FIXTURE_POLICY);
	collect(agent);
	assert_int_equal(fixture_run("echo 0 >/proc/sys/net/netfilter/nf_conntrack_events"), 0);
	assert_int_equal(
		fixture_run("conntrack -I -p tcp -s 10.77.0.2 -d 10.77.0.4 --sport 4000 "
			    "--dport 5432 -t 60 --state ESTABLISHED -u SEEN_REPLY,ASSURED 2>&1"),
		0);
	assert_int_equal(fixture_run("conntrack -L 2>&1 | grep -q dport=5432"), 0);
	collect(agent);
	assert_int_equal(fixture_run("! conntrack -L 2>&1 | grep dport=5432"), 0);
	event = find_event(agent, FLOW_END, "10.77.0.2", "10.77.0.4");
	assert_non_null(event);
	assert_int_equal(event->reason, REASON_REVOKED);
	assert_null(find_event(agent, FLOW_NEW, "10.77.0.2", "10.77.0.4"));
}

static void test_goes_on_without_an_agent(void **state)
{
	struct agent *agent = *state;
	json_t *description;
	int fd;

	apply(agent, FIXTURE_POLICY);
	fd = open_allowed();
	stop(agent, false);
	assert_true(village_ask(fd, VILLAGE_HOPE_MS));
	assert_true(village_is_shut("web", SOCK_STREAM, "10.77.0.4", 5432));
	assert_true(village_reaches("api", SOCK_STREAM, "10.77.0.4", 5432));
	start(agent);
	assert_true(village_ask(fd, VILLAGE_HOPE_MS));
	assert_true(village_is_shut("web", SOCK_STREAM, "10.77.0.4", 5432));
	apply(agent, FIXTURE_POLICY);
	assert_true(village_ask(fd, VILLAGE_HOPE_MS));
	description = nft_dataplane_ops.describe(agent->dataplane);
	/* Nothing had to be changed. */
	assert_int_equal(json_integer_value(json_object_get(description, "generation")), 0);
	json_decref(description);
	close(fd);
	collect(agent);
	assert_true(count_denied(agent, "10.77.0.2", "10.77.0.4", 5432) >= 2);
	assert_non_null(find_event(agent, FLOW_UPDATE, "10.77.0.3", "10.77.0.4"));
}

/* From before there was any enforcement: one that policy allows, one that it does not. */
struct running {
	int allowed;
	int forbidden;
};

static struct running open_running(void)
{
	struct running running = {
		open_allowed(), village_open("web", SOCK_STREAM, "10.77.0.4", 5432)};

	assert_true(village_ask(running.forbidden, VILLAGE_HOPE_MS));
	return running;
}

static void expect_adoption(struct agent *agent, const struct running *running)
{
	apply_with(agent, FIXTURE_POLICY, true);
	assert_int_equal(send(running->allowed, "word", 4, 0), 4);
	assert_int_equal(send(running->forbidden, "word", 4, 0), 4);
	run(agent, 1500);
	assert_true(village_ask(running->allowed, 1500));
	assert_false(village_ask(running->forbidden, 500));
	close(running->allowed);
	close(running->forbidden);
}

static void test_adopts_running_connections(void **state)
{
	const struct running running = open_running();
	struct agent *agent = *state;
	const struct flow_event *event;

	expect_adoption(agent, &running);
	collect(agent);
	event = find_event(agent, FLOW_NEW, "10.77.0.3", "10.77.0.4");
	assert_non_null(event);
	assert_int_equal(event->reason, REASON_ADOPTED);
	event = find_event(agent, FLOW_DENIED, "10.77.0.2", "10.77.0.4");
	assert_non_null(event);
	assert_int_equal(event->reason, REASON_POLICY_DENIED);
}

/* Where somebody told conntrack to take nothing in by itself. */
static void test_adopts_what_conntrack_calls_invalid(void **state)
{
	const struct running running = open_running();

	assert_int_equal(fixture_run("echo 0 >/proc/sys/net/netfilter/nf_conntrack_tcp_loose"), 0);
	expect_adoption(*state, &running);
}

/* Somebody's "flush ruleset" within that time takes nothing of it away. */
static void test_adopts_when_the_table_is_back(void **state)
{
	struct agent *agent = *state;
	int allowed = open_allowed();

	apply_with(agent, FIXTURE_POLICY, true);
	assert_int_equal(fixture_run("nft flush ruleset"), 0);
	run(agent, 1500);
	assert_int_equal(fixture_run("nft list table inet segd >/dev/null"), 0);
	assert_int_equal(send(allowed, "word", 4, 0), 4);
	run(agent, 1500);
	assert_true(village_ask(allowed, 1500));
	close(allowed);
}

static void test_guards(void **state)
{
	struct agent *agent = *state;
	struct error error = ERROR_INIT;

	assert_true(village_reaches("web", SOCK_STREAM, "10.77.0.3", 80));
	assert_true(village_reaches("api", SOCK_DGRAM, "10.77.0.2", 53));
	assert_int_equal(
		nft_dataplane_ops.guard(agent->dataplane, if_nametoindex("v0"), "v0", &error), 0);
	assert_true(village_is_shut("web", SOCK_STREAM, "10.77.0.3", 80));
	assert_true(village_is_shut("api", SOCK_DGRAM, "10.77.0.2", 53));
	assert_int_equal(fixture_run("nft list ruleset >/dev/null"), 0);
	apply(agent, "");
	assert_true(village_reaches("web", SOCK_STREAM, "10.77.0.3", 80));
	assert_true(village_reaches("api", SOCK_DGRAM, "10.77.0.2", 53));
}

static void test_leaves_nothing_behind(void **state)
{
	struct agent *agent = *state;
	struct error error = ERROR_INIT;

	apply(agent, FIXTURE_POLICY);
	nft_dataplane_ops.guard(agent->dataplane, if_nametoindex("w0"), "w0", &error);
	assert_int_equal(fixture_run("grep -qx 1 /proc/sys/net/bridge/bridge-nf-call-iptables"), 0);
	/* Also where another agent has begun. */
	stop(agent, false);
	start(agent);
	stop(agent, true);
	assert_int_equal(fixture_run("test -z \"$(nft list ruleset)\""), 0);
	assert_int_equal(fixture_run("grep -qx 0 /proc/sys/net/bridge/bridge-nf-call-iptables"), 0);
	assert_true(village_reaches("web", SOCK_STREAM, "10.77.0.4", 5432));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_verdicts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rejects, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reports_flows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_counts_every_refused_packet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_accounts_for_a_scan, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cuts_connections, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cuts_what_concerned_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cuts_what_nobody_announced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cuts_what_a_listing_finds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_goes_on_without_an_agent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_adopts_running_connections, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_adopts_what_conntrack_calls_invalid, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_adopts_when_the_table_is_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_guards, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_leaves_nothing_behind, set_up, tear_down),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
