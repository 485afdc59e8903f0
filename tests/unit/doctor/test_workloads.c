/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is not enforced, by name. */
#include "doctor/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void ignore(void *userdata)
{
	(void)userdata;
}

/* Takes nothing: a registry with one workload. */
static struct registry *registry_with(bool host_network, uint32_t ifindex, const char *netns)
{
	struct registry *registry;
	struct workload *workload;
	struct workload_interface *interface;
	sd_event *event;

	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(registry_new(event, ignore, NULL, &registry), 0);
	sd_event_unref(event);
	assert_int_equal(workload_new("docker", "0123456789ab", "shop", "odd", &workload), 0);
	workload->host_network = host_network;
	if (ifindex || netns) {
		assert_int_equal(workload_add_interface(workload, &interface), 0);
		interface->ifindex = ifindex;
		interface->netns = netns ? strdup(netns) : NULL;
	}
	assert_int_equal(registry_put(registry, workload), 0);
	return registry;
}

/* What it says, borrowed; NULL: there is none. */
static const char *finding(struct findings *findings, const char *check, const char *level)
{
	const json_t *item;
	size_t i;

	json_array_foreach (findings->list, i, item) {
		if (!strcmp(json_string_value(json_object_get(item, "check")), check) &&
			!strcmp(json_string_value(json_object_get(item, "level")), level))
			return json_string_value(json_object_get(item, "what"));
	}
	return NULL;
}

static void expect(struct registry *registry, const char *dataplane, const char *check,
	const char *level, const char *words)
{
	const struct doctor_view view = {.dataplane = dataplane, .workloads = registry};
	struct findings findings;
	const char *what;

	assert_int_equal(findings_init(&findings), 0);
	check_workloads(&view, &findings);
	what = finding(&findings, check, level);
	assert_non_null(what);
	assert_non_null(strstr(what, words));
	findings_clear(&findings);
	if (registry)
		registry_free(registry);
}

static void test_enforced(void **state)
{
	(void)state;
	expect(registry_with(false, 7, NULL), "nft", "workloads", "ok", "1 of 1");
	expect(registry_with(false, 7, "/run/netns/x"), "ebpf", "workloads", "ok", "1 of 1");
}

static void test_not_enforced(void **state)
{
	(void)state;
	expect(registry_with(true, 0, NULL), "ebpf", "host-network", "warning", "shop/odd");
	expect(registry_with(false, 0, NULL), "ebpf", "no-interface", "warning", "shop/odd");
	expect(registry_with(false, 7, "/run/netns/x"), "nft", "out-of-reach", "error", "shop/odd");
	expect(registry_with(true, 0, NULL), "ebpf", "workloads", "ok", "0 of 1");
}

static void test_nobody(void **state)
{
	(void)state;
	expect(NULL, "ebpf", "workloads", "note", "no workloads");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enforced),
		cmocka_unit_test(test_not_enforced),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
