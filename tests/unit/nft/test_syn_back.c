/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a workload asks for a connection cannot open one to it by that. SYNs are sent by hand:
 * conntrack takes the second one for an answer to the first. */
#include "village_agent.h"

#include <netinet/ip.h>
#include <netinet/tcp.h>

#define WEB     "10.77.0.2"
#define DB      "10.77.0.4"
#define API     "10.77.0.3"
#define DB_PORT 7777
#define PORT    9999

/* Policy binds what may come to db, and not whom it asks. */
static const char closed[] = "apiVersion: segctl.io/v1\n"
			     "kind: SegmentPolicy\n"
			     "metadata: {name: db, namespace: shop}\n"
			     "spec: {subject: app=db, ingress: [{from: [{workloads: app=web}]}]}\n";

static int raw_socket(const char *workload, int protocol)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;
	char name[64];

	village_name(name, sizeof(name), workload);
	village_enter(name);
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);
	assert_true(fd >= 0);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	return fd;
}

static void send_packet(int fd, const void *packet, size_t size, const char *ip)
{
	struct sockaddr_in to = {.sin_family = AF_INET};

	inet_pton(AF_INET, ip, &to.sin_addr);
	assert_int_equal(sendto(fd, packet, size, 0, (void *)&to, sizeof(to)), size);
}

static void send_syn(int fd, uint16_t source_port, const char *ip, uint16_t port)
{
	struct tcphdr syn = {.doff = sizeof(syn) / 4, .syn = 1};

	syn.source = htons(source_port);
	syn.dest = htons(port);
	syn.window = htons(1024);
	send_packet(fd, &syn, sizeof(syn), ip);
}

/* SCTP's INIT (RFC 9260, 3.3.2). */
static void send_init(int fd, uint16_t source_port, const char *ip, uint16_t port)
{
	uint32_t init[8] = {htonl((uint32_t)source_port << 16 | port), 0, 0, htonl(0x01000014),
		htonl(source_port), htonl(65535), htonl(0x00010001), htonl(1)};

	send_packet(fd, init, sizeof(init), ip);
}

static bool syn_arrives(int fd, uint16_t source_port)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} packet;

	while (poll(&wait, 1, VILLAGE_SILENCE_MS) == 1)
		if (recv(fd, &packet, sizeof(packet), 0) == sizeof(packet) && packet.tcp.syn &&
			!packet.tcp.ack && packet.tcp.source == htons(source_port))
			return true;
	return false;
}

static bool init_arrives(int fd, uint16_t source_port)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	struct {
		struct iphdr ip;
		uint16_t source_port_be;
	} packet;

	while (poll(&wait, 1, VILLAGE_SILENCE_MS) == 1)
		if (recv(fd, &packet, sizeof(packet), 0) > (ssize_t)sizeof(packet.ip) &&
			packet.source_port_be == htons(source_port))
			return true;
	return false;
}

/* Else the workload's own TCP would end it at once. Nobody has made sums. */
static void hush(const char *workload, unsigned int number)
{
	village_command(workload, number,
		"echo 0 >/proc/sys/net/netfilter/nf_conntrack_checksum; "
		"nsenter --net=/run/netns/$W nft 'table ip quiet { chain leave { "
		"type filter hook output priority 0; tcp flags rst drop; }; }'");
}

/* How a protocol opens a connection. */
struct opening {
	int protocol;
	void (*send)(int fd, uint16_t source_port, const char *ip, uint16_t port);
	bool (*arrives)(int fd, uint16_t source_port);
};

static void expect_nothing_back(struct agent *agent, const struct opening *opening)
{
	int db = raw_socket("db", opening->protocol), api = raw_socket("api", opening->protocol);

	apply(agent, "");
	hush("api", 1);
	opening->send(api, PORT, DB, DB_PORT);
	assert_true(opening->arrives(db, PORT));
	apply(agent, closed);
	opening->send(api, PORT + 1, DB, DB_PORT);
	assert_false(opening->arrives(db, PORT + 1));

	opening->send(db, DB_PORT, API, PORT + 2);
	assert_true(opening->arrives(api, DB_PORT));
	opening->send(api, PORT + 2, DB, DB_PORT);
	assert_false(opening->arrives(db, PORT + 2));
	close(db);
	close(api);
}

static void test_opens_nothing_back(void **state)
{
	static const struct opening tcp = {IPPROTO_TCP, send_syn, syn_arrives};

	expect_nothing_back(*state, &tcp);
}

static void test_sctp_opens_nothing_back(void **state)
{
	static const struct opening sctp = {IPPROTO_SCTP, send_init, init_arrives};

	expect_nothing_back(*state, &sctp);
}

/* Where policy lets either open one, both may do so at once. */
static void test_opens_at_once(void **state)
{
	struct agent *agent = *state;
	int db = raw_socket("db", IPPROTO_TCP), web = raw_socket("web", IPPROTO_TCP);

	apply(agent, closed);
	hush("web", 0);
	send_syn(db, DB_PORT, WEB, PORT);
	assert_true(syn_arrives(web, DB_PORT));
	send_syn(web, PORT, DB, DB_PORT);
	assert_true(syn_arrives(db, PORT));
	close(db);
	close(web);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_opens_nothing_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sctp_opens_nothing_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_opens_at_once, set_up, tear_down),
	};

	if (geteuid() != 0) {
		print_message("skipped: needs root for network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
