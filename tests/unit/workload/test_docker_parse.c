/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Against documents recorded from Docker 20.10, and against what nobody should send. */
#include "tests/unit/workload/support.h"

#include "workload/docker_parse.h"

#include <netinet/in.h>

#define DATA "tests/unit/workload/data/"

static json_t *load(const char *name)
{
	char path[256];
	json_error_t error;
	json_t *document;

	snprintf(path, sizeof(path), DATA "%s", name);
	document = json_load_file(path, 0, &error);
	if (!document)
		fail_msg("%s: %s", path, error.text);
	return document;
}

static void parse(json_t *document, struct docker_container *ret)
{
	_cleanup_error_ struct error error = ERROR_INIT;

	if (docker_parse_container(document, ret, &error) < 0)
		fail_msg("%s", error_message(&error));
	json_decref(document);
}

static void assert_refused(json_t *document, const char *message)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct docker_container container = {0};

	assert_int_equal(docker_parse_container(document, &container, &error), -EBADMSG);
	assert_null(container.workload);
	if (!strstr(error_message(&error), message))
		fail_msg("\"%s\" says nothing of \"%s\"", error_message(&error), message);
	json_decref(document);
}

/* The object at path ("Config", "Labels", NULL) of the recorded container with two networks. */
static json_t *two_networks(json_t **ret_object, ...)
{
	json_t *document = load("inspect-two-networks.json");
	va_list names;
	const char *name;

	*ret_object = document;
	va_start(names, ret_object);
	while ((name = va_arg(names, const char *)))
		*ret_object = json_object_get(*ret_object, name);
	va_end(names);
	assert_non_null(*ret_object);
	return document;
}

static const struct workload_interface *on_network(
	const struct workload *workload, const char *network)
{
	for (size_t i = 0; i < workload->interfaces_count; i++)
		if (strcmp(workload->interfaces[i].network, network) == 0)
			return &workload->interfaces[i];
	fail_msg("not on network %s", network);
	return NULL;
}

static void test_two_networks(void **state)
{
	static const uint8_t mac[] = {0x02, 0x42, 0xac, 0x1e, 0x00, 0x02};
	struct address ipv4 = parse_address("172.30.0.2"), ipv6 = parse_address("fd00:30::2");
	const struct workload_interface *interface;
	struct docker_container container = {0};

	(void)state;
	parse(load("inspect-two-networks.json"), &container);
	assert_string_equal(container.workload->source, "docker");
	assert_int_equal(strlen(container.workload->id), DOCKER_ID_LENGTH);
	assert_string_equal(container.workload->namespace, "shop");
	assert_string_equal(container.workload->name, "shop-web-1");
	assert_string_equal(container.workload->image, "segd-test");
	assert_string_equal(labels_get(&container.workload->labels, "app"), "web");
	assert_false(container.workload->host_network);
	assert_true(container.pid > 1);
	assert_non_null(strstr(container.sandbox, "/netns/"));
	assert_null(container.problem);

	assert_int_equal(container.workload->ports_count, 2);
	assert_string_equal(container.workload->ports[0].name, "http");
	assert_int_equal(container.workload->ports[0].protocol, IPPROTO_TCP);
	assert_int_equal(container.workload->ports[0].port, 8080);
	assert_string_equal(container.workload->ports[1].name, "dns");
	assert_int_equal(container.workload->ports[1].protocol, IPPROTO_UDP);

	assert_int_equal(container.workload->interfaces_count, 2);
	interface = on_network(container.workload, "shop_default");
	assert_memory_equal(interface->mac, mac, sizeof(mac));
	assert_int_equal(interface->ifindex, 0);
	assert_int_equal(interface->addresses_count, 2);
	assert_true(address_equal(&interface->addresses[0], &ipv4));
	assert_true(address_equal(&interface->addresses[1], &ipv6));
	assert_int_equal(on_network(container.workload, "backbone")->addresses_count, 1);
	docker_container_clear(&container);
}

static void test_host_network(void **state)
{
	struct docker_container container = {0};

	(void)state;
	parse(load("inspect-host-network.json"), &container);
	assert_true(container.workload->host_network);
	assert_int_equal(container.workload->interfaces_count, 0);
	assert_string_equal(container.workload->namespace, "default");
	docker_container_clear(&container);
}

static void test_no_network(void **state)
{
	struct docker_container container = {0};

	(void)state;
	parse(load("inspect-no-network.json"), &container);
	assert_non_null(container.workload);
	assert_false(container.workload->host_network);
	assert_int_equal(container.workload->interfaces_count, 0);
	docker_container_clear(&container);
}

static void test_no_workload(void **state)
{
	struct docker_container container = {0};

	(void)state;
	parse(load("inspect-stopped.json"), &container);
	assert_null(container.workload);
	parse(load("inspect-shared-network.json"), &container);
	assert_null(container.workload);
	docker_container_clear(&container);
}

static uint64_t started(const char *text)
{
	struct docker_container container = {0};
	json_t *object, *document = two_networks(&object, "State", NULL);
	uint64_t started_ns;

	json_object_set_new(object, "StartedAt", json_string(text));
	parse(document, &container);
	started_ns = container.workload->started_ns;
	docker_container_clear(&container);
	return started_ns;
}

static void test_start_times(void **state)
{
	(void)state;
	assert_int_equal(started("1970-01-01T00:00:01Z"), 1000000000);
	assert_int_equal(started("1970-01-01T00:00:01.5Z"), 1500000000);
	assert_int_equal(started("1970-01-01T00:00:01.000000001Z"), 1000000001);
	assert_int_equal(started("1970-01-01T02:00:01.25+02:00"), 1250000000);
	assert_int_equal(started("1969-12-31T22:30:01-01:30"), 1000000000);
	assert_int_equal(started("0001-01-01T00:00:00Z"), 0);
	assert_int_equal(started("yesterday"), 0);
	assert_int_equal(started(""), 0);
}

static void assert_names(const char *label, const char *value, const char *docker_name,
	const char *namespace, const char *name)
{
	struct docker_container container = {0};
	json_t *labels, *document = two_networks(&labels, "Config", "Labels", NULL);

	json_object_clear(labels);
	if (label)
		json_object_set_new(labels, label, json_string(value));
	json_object_set_new(document, "Name", json_string(docker_name));
	parse(document, &container);
	assert_string_equal(container.workload->namespace, namespace);
	assert_string_equal(container.workload->name, name);
	docker_container_clear(&container);
}

static void test_names(void **state)
{
	(void)state;
	assert_names(NULL, NULL, "/web", "default", "web");
	assert_names("com.docker.compose.project", "shop", "/shop_web_1", "shop", "shop_web_1");
	assert_names(
		"io.kubernetes.pod.namespace", "kube-system", "/k8s_x", "kube-system", "k8s_x");
	assert_names("io.kubernetes.pod.name", "coredns-1", "/k8s_x", "default", "coredns-1");
	assert_names("com.docker.compose.project", "", "/web", "default", "web");
	/* Nothing passes for another namespace, and nothing does anything to a terminal. */
	assert_names("com.docker.compose.project", "a/b\x1b[2J", "/w/e b", "a-b--2J", "w-e-b");
}

static void test_nameless(void **state)
{
	struct docker_container container = {0};
	json_t *object, *document = two_networks(&object, NULL);

	(void)state;
	json_object_del(document, "Name");
	parse(document, &container);
	assert_int_equal(strlen(container.workload->name), 12);
	assert_memory_equal(container.workload->name, container.workload->id, 12);
	docker_container_clear(&container);
}

static void test_hostile_labels(void **state)
{
	struct docker_container container = {0};
	json_t *labels, *document = two_networks(&labels, "Config", "Labels", NULL);
	char longest[2 * DOCKER_LABEL_VALUE_MAX_BYTES + 1], key[400];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	/* A character of two bytes across the bound. */
	memcpy(longest + DOCKER_LABEL_VALUE_MAX_BYTES - 1, "\xc3\xa9", 2);
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	json_object_set_new(labels, "long", json_string(longest));
	json_object_set_new(labels, "escape", json_string("a\x1b[31m\n"));
	json_object_set_new(labels, key, json_string("dropped"));
	json_object_set_new(labels, "new\nline", json_string("dropped"));
	json_object_set_new(labels, "", json_string("dropped"));
	parse(document, &container);
	assert_string_equal(labels_get(&container.workload->labels, "app"), "web");
	assert_int_equal(strlen(labels_get(&container.workload->labels, "long")),
		DOCKER_LABEL_VALUE_MAX_BYTES - 1);
	assert_string_equal(labels_get(&container.workload->labels, "escape"), "a?[31m?");
	for (size_t i = 0; i < container.workload->labels.count; i++)
		assert_string_not_equal(container.workload->labels.items[i].value, "dropped");
	docker_container_clear(&container);
}

/* To drop some would let whoever builds the image push out those that policies are about. */
static void test_too_many_labels(void **state)
{
	json_t *labels, *document = two_networks(&labels, "Config", "Labels", NULL);

	(void)state;
	for (int i = 0; i < DOCKER_LABELS_MAX; i++) {
		char key[16];

		snprintf(key, sizeof(key), "a%d", i);
		json_object_set_new(labels, key, json_string("x"));
	}
	assert_refused(document, "labels");
}

static void assert_ports(const char *value, size_t count, const char *problem)
{
	struct docker_container container = {0};
	json_t *labels, *document = two_networks(&labels, "Config", "Labels", NULL);

	json_object_set_new(labels, DOCKER_PORTS_LABEL, json_string(value));
	parse(document, &container);
	assert_int_equal(container.workload->ports_count, count);
	if (!problem)
		assert_null(container.problem);
	else if (!container.problem || !strstr(container.problem, problem))
		fail_msg("\"%s\" says nothing of \"%s\"",
			container.problem ? container.problem : "nothing", problem);
	docker_container_clear(&container);
}

static void test_ports(void **state)
{
	(void)state;
	assert_ports("", 0, NULL);
	assert_ports("http=tcp/80,  dns=udp/53,dns=tcp/53,sig=sctp/38412", 4, NULL);
	assert_ports("http=tcp/80,http=tcp/81", 1, "twice");
	assert_ports("http", 0, "name=protocol/number");
	assert_ports("http=80,ok=tcp/1", 1, "http");
	assert_ports("http=tcp/0", 0, "http");
	assert_ports("http=tcp/65536", 0, "http");
	assert_ports("http=tcp/1-2", 0, "expected one port");
	assert_ports("http=icmp/echo-request", 0, "expected one port");
	assert_ports("HTTP!=tcp/1", 0, "HTTP!");
}

static void set_network(const char *field, const char *value, const char *message)
{
	json_t *network,
		*document = two_networks(&network, "NetworkSettings", "Networks", "backbone", NULL);

	json_object_set_new(network, field, json_string(value));
	assert_refused(document, message);
}

static void test_bad_networks(void **state)
{
	(void)state;
	set_network("MacAddress", "02:42:ac:1f:00", "MacAddress");
	set_network("MacAddress", "02:42:ac:1f:00:02:03", "MacAddress");
	set_network("MacAddress", "+2:42:ac:1f:00:02", "MacAddress");
	set_network("MacAddress", "02:42:ac:1f:00:0g", "MacAddress");
	set_network("IPAddress", "172.31.0.2/24", "IPAddress");
	set_network("IPAddress", "172.31.0.256", "IPAddress");
	set_network("GlobalIPv6Address", "fd00::g", "GlobalIPv6Address");
}

static void test_link_local_addresses_name_nobody(void **state)
{
	struct docker_container container = {0};
	json_t *network,
		*document = two_networks(&network, "NetworkSettings", "Networks", "backbone", NULL);

	(void)state;
	json_object_set_new(network, "IPAddress", json_string("169.254.7.7"));
	json_object_set_new(network, "GlobalIPv6Address", json_string("fe80::7"));
	parse(document, &container);
	assert_int_equal(on_network(container.workload, "backbone")->addresses_count, 0);
	docker_container_clear(&container);
}

/* Each member in turn is absent, or of another type: refused or passed over, never worse. */
static void test_wrong_types(void **state)
{
	static const char *const texts[] = {"null", "[]", "{}", "\"\"", "7", "true", "[[{}]]"};
	static const char *const paths[][4] = {
		{"State"},
		{"Config"},
		{"HostConfig"},
		{"NetworkSettings"},
		{"Id"},
		{"Name"},
		{"State", "Pid"},
		{"State", "Running"},
		{"State", "StartedAt"},
		{"Config", "Labels"},
		{"Config", "Labels", "app"},
		{"Config", "Image"},
		{"HostConfig", "NetworkMode"},
		{"NetworkSettings", "SandboxKey"},
		{"NetworkSettings", "Networks"},
		{"NetworkSettings", "Networks", "backbone"},
		{"NetworkSettings", "Networks", "backbone", "MacAddress"},
		{"NetworkSettings", "Networks", "backbone", "IPAddress"},
	};
	size_t taken = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		for (size_t j = 0; j < ARRAY_SIZE(texts); j++) {
			json_t *document = load("inspect-two-networks.json"), *object = document;
			struct docker_container container = {0};
			size_t depth = 0;

			while (depth + 1 < ARRAY_SIZE(paths[i]) && paths[i][depth + 1])
				object = json_object_get(object, paths[i][depth++]);
			json_object_set_new(object, paths[i][depth],
				json_loads(texts[j], JSON_DECODE_ANY, NULL));
			if (docker_parse_container(document, &container, NULL) < 0)
				refused++;
			else
				taken++;
			docker_container_clear(&container);
			json_decref(document);
		}
	assert_true(taken > 0);
	assert_true(refused > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_networks),
		cmocka_unit_test(test_host_network),
		cmocka_unit_test(test_no_network),
		cmocka_unit_test(test_no_workload),
		cmocka_unit_test(test_start_times),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_nameless),
		cmocka_unit_test(test_hostile_labels),
		cmocka_unit_test(test_too_many_labels),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_bad_networks),
		cmocka_unit_test(test_link_local_addresses_name_nobody),
		cmocka_unit_test(test_wrong_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
