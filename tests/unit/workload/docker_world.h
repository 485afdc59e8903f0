/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world of test_docker.c: a daemon in a network namespace that plays the node, what the source
 * says of it, and what can be waited for. */
#pragma once

#include "tests/unit/workload/support.h"

#include "workload/source.h"

#include <signal.h>
#include <sys/wait.h>

#define NODE   "workload-docker"
#define SCRIPT "tests/docker/dockerd.sh"

struct fixture {
	char directory[64];
	sd_event *event;
	struct registry *registry;
	struct workload_source *source;
	unsigned int changes;
	bool told;
	bool healthy;
	char message[256];
	char bridges[16][16];
};

static struct fixture fixture;

static void on_changed(void *userdata)
{
	((struct fixture *)userdata)->changes++;
}

static void on_health(const char *source, bool healthy, const char *message, void *userdata)
{
	struct fixture *f = userdata;

	assert_string_equal(source, "docker");
	f->told = true;
	f->healthy = healthy;
	snprintf(f->message, sizeof(f->message), "%s", message);
}

static bool has_bridge(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(fixture.bridges); i++)
		if (strcmp(fixture.bridges[i], name) == 0)
			return true;
	return false;
}

static void on_bridge(const char *source, const char *bridge, bool present, void *userdata)
{
	struct fixture *f = userdata;
	const char *former = present ? "" : bridge, *next = present ? bridge : "";

	assert_string_equal(source, "docker");
	assert_int_equal(has_bridge(bridge), !present);
	for (size_t i = 0; i < ARRAY_SIZE(f->bridges); i++)
		if (strcmp(f->bridges[i], former) == 0) {
			snprintf(f->bridges[i], sizeof(f->bridges[i]), "%s", next);
			return;
		}
}

/* Runs the client, quietly. */
__attribute__((format(printf, 1, 2))) static int docker(const char *format, ...)
{
	char arguments[1024];
	va_list list;

	va_start(list, format);
	vsnprintf(arguments, sizeof(arguments), format, list);
	va_end(list);
	return shell("docker -H unix://%s/docker.sock %s >/dev/null", fixture.directory, arguments);
}

#define assert_docker(...) assert_int_equal(docker(__VA_ARGS__), 0)

static const struct workload *get(const char *reference)
{
	bool ambiguous;

	return registry_find(fixture.registry, reference, &ambiguous);
}

/* --- conditions ----------------------------------------------------------------------------------
 */

static bool is_known(const void *name)
{
	return get(name) != NULL;
}

static bool is_unknown(const void *name)
{
	return get(name) == NULL;
}

static bool is_told(const void *unused)
{
	(void)unused;
	return fixture.told;
}

static bool is_healthy(const void *unused)
{
	(void)unused;
	return fixture.told && fixture.healthy;
}

static bool is_unhealthy(const void *unused)
{
	(void)unused;
	return fixture.told && !fixture.healthy;
}

static bool has_two_interfaces(const void *name)
{
	return get(name) && get(name)->interfaces_count == 2;
}

static bool has_one_interface(const void *name)
{
	return get(name) && get(name)->interfaces_count == 1;
}

static bool bridge_is_there(const void *name)
{
	return has_bridge(name);
}

static bool bridge_is_gone(const void *name)
{
	return !has_bridge(name);
}

#define await(condition, data) assert_true(run_until(fixture.event, condition, data, 10000))

/* The other end is where it should be: a port of the bridge. */
static void assert_port(const struct workload_interface *interface, const char *bridge)
{
	assert_true(interface->ifindex > 0);
	assert_shell("ip -o link show dev %s | grep -q '^%u: .* master %s '", interface->name,
		interface->ifindex, bridge);
}

static void assert_address(const struct workload_interface *interface, const char *text)
{
	struct address wanted = parse_address(text);

	for (size_t i = 0; i < interface->addresses_count; i++)
		if (address_equal(&interface->addresses[i], &wanted))
			return;
	fail_msg("%s has no address %s", interface->name, text);
}
