/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/workload/support.h"

#include "workload/netns_file.h"

#include <netinet/in.h>

static void parse(const char *text, struct netns_file *ret)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	int r = netns_file_parse("workloads.yaml", text, strlen(text), ret, &diagnostics);

	if (r < 0)
		diagnostics_print(&diagnostics, stderr);
	diagnostics_clear(&diagnostics);
	assert_int_equal(r, 0);
}

static void test_everything(void **state)
{
	struct address address = parse_address("fd00::2");
	struct netns_file file = {NULL, 0};
	const struct netns_spec *web;

	(void)state;
	parse("workloads:\n"
	      "- name: web\n"
	      "  namespace: shop\n"
	      "  netns: web-ns\n"
	      "  interface: eth0\n"
	      "  labels: {app: web, env: prod}\n"
	      "  ports: {http: tcp/8080, dns: udp/53}\n"
	      "  addresses: [10.0.0.2, \"fd00::2\"]\n"
	      "- name: api\n"
	      "  netns: /var/run/elsewhere/api\n",
		&file);
	assert_int_equal(file.count, 2);
	web = &file.items[0];
	assert_string_equal(web->name, "web");
	assert_string_equal(web->namespace, "shop");
	assert_string_equal(web->path, "/run/netns/web-ns");
	assert_string_equal(web->id, "web-ns:eth0");
	assert_string_equal(web->interface, "eth0");
	assert_string_equal(labels_get(&web->labels, "env"), "prod");
	assert_int_equal(web->ports_count, 2);
	assert_string_equal(web->ports[1].name, "dns");
	assert_int_equal(web->ports[1].protocol, IPPROTO_UDP);
	assert_int_equal(web->ports[1].port, 53);
	assert_int_equal(web->addresses_count, 2);
	assert_true(address_equal(&web->addresses[1], &address));
	assert_string_equal(file.items[1].namespace, "default");
	assert_string_equal(file.items[1].path, "/var/run/elsewhere/api");
	assert_string_equal(file.items[1].id, "/var/run/elsewhere/api");
	assert_null(file.items[1].interface);
	netns_file_clear(&file);
}

static void test_json(void **state)
{
	struct netns_file file = {NULL, 0};

	(void)state;
	parse("{\"workloads\": [{\"name\": \"web\", \"netns\": \"web\"}]}", &file);
	assert_int_equal(file.count, 1);
	netns_file_clear(&file);
	parse("workloads: []\n", &file);
	assert_int_equal(file.count, 0);
}

/* wanted: "line:column" of each mistake, in order. */
static void assert_mistakes(const char *text, const char *wanted)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct netns_file file = {NULL, 0};
	char places[256] = "";

	assert_int_equal(netns_file_parse("f", text, strlen(text), &file, &diagnostics), -EINVAL);
	assert_null(file.items);
	diagnostics_sort(&diagnostics);
	for (size_t i = 0; i < diagnostics.count; i++)
		snprintf(places + strlen(places), sizeof(places) - strlen(places), "%s%u:%u",
			i ? " " : "", diagnostics.items[i].location.line,
			diagnostics.items[i].location.column);
	if (strcmp(places, wanted) != 0)
		diagnostics_print(&diagnostics, stderr);
	assert_string_equal(places, wanted);
	diagnostics_clear(&diagnostics);
}

#define WEB "workloads:\n- name: web\n  netns: web\n"

static void test_mistakes(void **state)
{
	(void)state;
	assert_mistakes("", "0:0");
	assert_mistakes("a: [", "2:1");
	assert_mistakes("workloads: 7\n", "1:12");
	assert_mistakes("[]\n", "1:1");
	assert_mistakes("workload: []\n", "1:1 1:1");
	assert_mistakes(WEB "---\n" WEB, "0:0");
	assert_mistakes("workloads:\n- 7\n", "2:3");
	assert_mistakes("workloads:\n- name: web\n", "2:3");
	assert_mistakes(WEB "  lables: {}\n", "4:3");
	assert_mistakes(WEB "  labels: {app: [x]}\n", "4:17");
	assert_mistakes(WEB "  labels: [app]\n", "4:11");
	assert_mistakes(WEB "  interface: a/b\n", "4:14");
	assert_mistakes(WEB "  interface: name-of-16-bytes\n", "4:14");
	assert_mistakes(WEB "  namespace: a/b\n", "4:14");
	assert_mistakes(WEB "  ports: [http]\n", "4:10");
	assert_mistakes(WEB "  ports: {http: 80}\n", "4:17");
	assert_mistakes(WEB "  ports: {http: tcp/80-90}\n", "4:17");
	assert_mistakes(WEB "  ports: {\"!\": tcp/80}\n", "4:16");
	assert_mistakes(WEB "  addresses: 10.0.0.1\n", "4:14");
	assert_mistakes(WEB "  addresses: [10.0.0.1/8, 10.0.0.256]\n", "4:15 4:27");
	assert_mistakes("workloads:\n- name: web\n  netns: run/web\n", "3:10");
	assert_mistakes("workloads:\n- name: web\n  netns: ..\n", "3:10");
}

static void test_duplicates(void **state)
{
	(void)state;
	assert_mistakes(WEB "- {name: web, netns: api}\n", "4:3");
	assert_mistakes(WEB "- {name: api, netns: web}\n", "4:3");
	assert_mistakes(WEB "- {name: api, netns: web, interface: eth0}\n", "4:3");
	assert_mistakes(WEB "  addresses: [10.0.0.1]\n"
			    "- {name: api, netns: api, addresses: [10.0.0.1]}\n",
		"5:3");
	assert_mistakes(WEB "- {name: api, netns: /run/netns/web}\n", "4:3");
	assert_mistakes("workloads:\n"
			"- {name: web, netns: web, interface: eth0}\n"
			"- {name: admin, netns: web, interface: eth1}\n"
			"- {name: api, netns: web, interface: eth1}\n"
			"- {name: db, netns: web}\n",
		"4:3 5:3");
	/* What the agent knows it by would be one for both. */
	assert_mistakes("workloads:\n"
			"- {name: web, netns: web, interface: eth0}\n"
			"- {name: api, netns: \"web:eth0\"}\n",
		"3:3");
}

/* Its own address twice takes it from nobody. */
static void test_an_address_twice(void **state)
{
	struct netns_file file = {NULL, 0};

	(void)state;
	parse(WEB "  addresses: [10.0.0.1, 10.0.0.1]\n", &file);
	assert_int_equal(file.count, 1);
	netns_file_clear(&file);
}

static void test_two_interfaces_of_one_namespace(void **state)
{
	struct netns_file file = {NULL, 0};

	(void)state;
	parse("workloads:\n"
	      "- {name: web, netns: web, interface: eth0}\n"
	      "- {name: admin, netns: web, interface: eth1}\n",
		&file);
	assert_int_equal(file.count, 2);
	netns_file_clear(&file);
}

/* All of them, each with its place, as one error. */
static void test_load(void **state)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct netns_file file = {NULL, 0};
	char path[] = "/tmp/workload-file-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_true(dprintf(fd, "workloads:\n- name: 7\n  netns: web\n  color: red\n") > 0);
	close(fd);
	assert_int_equal(netns_file_load(path, &file, &error), -EINVAL);
	assert_non_null(strstr(error_message(&error), ":2:9: error: "));
	assert_non_null(strstr(error_message(&error), ":4:3: error: "));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(netns_file_load(path, &file, &error), -ENOENT);
	assert_non_null(strstr(error_message(&error), path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_an_address_twice),
		cmocka_unit_test(test_two_interfaces_of_one_namespace),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
