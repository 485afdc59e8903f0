/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings that somebody turns off, and a kernel without br_netfilter. */
#include "dataplane/nft/settings.h"

#include "dataplane/nft/modules.h"
#include "fixture.h"

#include <sched.h>
#include <sys/mount.h>

#define BRIDGES "/proc/sys/net/bridge"

struct told {
	unsigned int count;
	bool repaired;
	char last[256];
};

static void take_trouble(const char *message, bool repaired, void *userdata)
{
	struct told *told = userdata;

	told->count++;
	told->repaired = repaired;
	snprintf(told->last, sizeof(told->last), "%s", message);
}

static int enter_namespaces(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
		print_message("skipped: no namespaces without root\n");
		return -1;
	}
	modules_load();
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	       fixture_run("mount -t proc proc /proc"); /* that of this network */
}

static void test_turns_on_again_and_tells(void **state)
{
	struct told told = {0};
	const struct dataplane_callbacks callbacks = {.trouble = take_trouble, .userdata = &told};
	struct settings settings = {.scope = SYSCTLS_ALL};

	(void)state;
	assert_int_equal(sysctls_turn_on(SYSCTLS_ALL, NULL, NULL), 0);
	settings_hold(&settings, &callbacks);
	assert_int_equal(told.count, 0);
	assert_int_equal(fixture_run("echo 0 >" BRIDGES "/bridge-nf-call-ip6tables"), 0);
	assert_false(sysctls_bridge_is_filtered());
	settings_hold(&settings, &callbacks);
	assert_true(sysctls_bridge_is_filtered());
	assert_int_equal(told.count, 1);
	assert_true(told.repaired);
	assert_non_null(strstr(told.last, "bridge-nf-call-ip6tables: it is on again"));
}

static void test_leaves_bridges_to_others(void **state)
{
	struct told told = {0};
	const struct dataplane_callbacks callbacks = {.trouble = take_trouble, .userdata = &told};
	struct settings settings = {.scope = SYSCTLS_CONNTRACK};

	(void)state;
	assert_int_equal(fixture_run("echo 0 >" BRIDGES "/bridge-nf-call-iptables"), 0);
	settings_hold(&settings, &callbacks);
	assert_int_equal(told.count, 0);
	assert_false(sysctls_bridge_is_filtered());
	assert_int_equal(fixture_run("echo 1 >" BRIDGES "/bridge-nf-call-iptables"), 0);
}

/* As where the module is not there: told once, and when it has come. */
static void test_without_br_netfilter(void **state)
{
	struct told told = {0};
	const struct dataplane_callbacks callbacks = {.trouble = take_trouble, .userdata = &told};
	struct settings settings = {.scope = SYSCTLS_ALL};

	(void)state;
	assert_int_equal(mount("none", BRIDGES, "tmpfs", 0, NULL), 0);
	modules_load();
	assert_int_equal(sysctls_turn_on(SYSCTLS_ALL, NULL, NULL), 0);
	for (unsigned int i = 0; i < 3; i++)
		settings_hold(&settings, &callbacks);
	assert_int_equal(told.count, 1);
	assert_false(told.repaired);
	assert_non_null(strstr(told.last, "the kernel has no br_netfilter"));
	assert_int_equal(umount(BRIDGES), 0);
	settings_hold(&settings, &callbacks);
	assert_int_equal(told.count, 2);
	assert_true(told.repaired);
}

/* One that cannot be turned on again: told once, not each second. */
static void test_a_setting_that_resists(void **state)
{
	struct told told = {0};
	const struct dataplane_callbacks callbacks = {.trouble = take_trouble, .userdata = &told};
	struct settings settings = {.scope = SYSCTLS_ALL};

	(void)state;
	assert_int_equal(fixture_run("echo 0 >" BRIDGES "/bridge-nf-call-iptables && "
				     "mount --bind " BRIDGES " " BRIDGES " && "
				     "mount -o remount,bind,ro " BRIDGES),
		0);
	for (unsigned int i = 0; i < 3; i++)
		settings_hold(&settings, &callbacks);
	assert_int_equal(told.count, 1);
	assert_false(told.repaired);
	assert_non_null(strstr(told.last, "bridge-nf-call-iptables: Read-only file system"));
	assert_int_equal(umount(BRIDGES), 0);
	settings_hold(&settings, &callbacks);
	assert_int_equal(told.count, 2);
	assert_true(told.repaired);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns_on_again_and_tells),
		cmocka_unit_test(test_leaves_bridges_to_others),
		cmocka_unit_test(test_without_br_netfilter),
		cmocka_unit_test(test_a_setting_that_resists),
	};

	return cmocka_run_group_tests(tests, enter_namespaces, NULL);
}
