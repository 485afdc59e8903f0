/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/workload/support.h"

static unsigned int told;

static void on_changed(void *userdata)
{
	(void)userdata;
	told++;
}

struct fixture {
	sd_event *event;
	struct registry *registry;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	told = 0;
	*state = fixture;
	return sd_event_new(&fixture->event) < 0 ||
	       registry_new(fixture->event, on_changed, NULL, &fixture->registry) < 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	registry_free(fixture->registry);
	sd_event_unref(fixture->event);
	free(fixture);
	return 0;
}

/* How often the agent was told since the last call. */
static unsigned int settle(const struct fixture *fixture)
{
	told = 0;
	while (sd_event_run(fixture->event, 0) > 0)
		;
	return told;
}

struct sketch {
	const char *id;
	const char *name;
	const char *namespace;
	uint32_t ifindex;
	const char *addresses[3];
	uint64_t started_ns;
	bool adopt;
	bool observed;
};

static struct workload *draw(const struct sketch *sketch)
{
	struct workload_interface *interface;
	struct workload *workload;

	assert_int_equal(workload_new("docker", sketch->id,
				 sketch->namespace ? sketch->namespace : "default",
				 sketch->name ? sketch->name : sketch->id, &workload),
		0);
	workload->started_ns = sketch->started_ns;
	workload->adopt = sketch->adopt;
	workload->observed = sketch->observed;
	assert_int_equal(workload_add_interface(workload, &interface), 0);
	interface->ifindex = sketch->ifindex;
	interface->mac[5] = (uint8_t)sketch->ifindex;
	for (size_t i = 0; i < ARRAY_SIZE(sketch->addresses) && sketch->addresses[i]; i++) {
		struct address address = parse_address(sketch->addresses[i]);

		assert_int_equal(workload_interface_add_address(interface, &address), 0);
	}
	return workload;
}

static void put(const struct fixture *fixture, const struct sketch *sketch)
{
	assert_int_equal(registry_put(fixture->registry, draw(sketch)), 0);
}

static const struct workload *get(const struct fixture *fixture, const char *reference)
{
	bool ambiguous;

	return registry_find(fixture->registry, reference, &ambiguous);
}

static const char *owner(const struct fixture *fixture, const char *text)
{
	struct address address = parse_address(text);
	const struct workload *workload = registry_find_address(fixture->registry, &address);

	return workload ? workload->id : "nobody";
}

static void test_tells_once_for_a_burst(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(settle(fixture), 0);
	put(fixture, &(struct sketch){.id = "aaaaaaaa", .ifindex = 1});
	put(fixture, &(struct sketch){.id = "bbbbbbbb", .ifindex = 2});
	assert_int_equal(registry_remove(fixture->registry, "docker", "aaaaaaaa"), 0);
	assert_int_equal(settle(fixture), 1);
	put(fixture, &(struct sketch){.id = "cccccccc", .ifindex = 3});
	assert_int_equal(settle(fixture), 1);
}

static void test_tells_nothing_where_nothing_changed(void **state)
{
	const struct sketch web = {.id = "aaaaaaaa", .ifindex = 1, .addresses = {"10.0.0.1"}};
	const struct fixture *fixture = *state;
	const struct workload *before;
	struct workload *labelled;

	put(fixture, &web);
	assert_int_equal(settle(fixture), 1);
	before = get(fixture, "aaaaaaaa");
	put(fixture, &web);
	assert_int_equal(registry_remove(fixture->registry, "docker", "unknown"), 0);
	assert_int_equal(registry_remove(fixture->registry, "netns", "aaaaaaaa"), 0);
	assert_int_equal(registry_drop_interface(fixture->registry, 99), 0);
	assert_int_equal(settle(fixture), 0);
	assert_ptr_equal(get(fixture, "aaaaaaaa"), before);

	labelled = draw(&web);
	assert_int_equal(labels_set(&labelled->labels, "app", "web"), 0);
	assert_int_equal(registry_put(fixture->registry, labelled), 0);
	assert_int_equal(settle(fixture), 1);
	assert_string_equal(labels_get(&get(fixture, "aaaaaaaa")->labels, "app"), "web");
}

static void test_is_ordered_by_namespace_and_name(void **state)
{
	static const char *const wanted[] = {"a/y", "a/z", "b/a", "b/x"};
	const struct fixture *fixture = *state;

	put(fixture, &(struct sketch){.id = "1", .namespace = "b", .name = "x"});
	put(fixture, &(struct sketch){.id = "2", .namespace = "a", .name = "z"});
	put(fixture, &(struct sketch){.id = "3", .namespace = "b", .name = "a"});
	put(fixture, &(struct sketch){.id = "4", .namespace = "a", .name = "y"});
	assert_int_equal(registry_count(fixture->registry), ARRAY_SIZE(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const struct workload *workload = registry_at(fixture->registry, i);

		assert_int_equal(workload->namespace[0], wanted[i][0]);
		assert_string_equal(workload->name, wanted[i] + 2);
	}
}

static void test_second_of_a_name_gets_its_id(void **state)
{
	const struct sketch second = {.id = "3f2a91bb", .name = "web"};
	const struct fixture *fixture = *state;

	put(fixture, &(struct sketch){.id = "00000001", .name = "web"});
	put(fixture, &second);
	put(fixture, &(struct sketch){.id = "3f2a91cc3f2a91cc", .name = "web"});
	put(fixture, &(struct sketch){.id = "44444444", .name = "web", .namespace = "shop"});
	assert_string_equal(get(fixture, "3f2a91bb")->name, "web-3f2a91");
	assert_string_equal(get(fixture, "3f2a91cc")->name, "web-3f2a91cc3f2a");
	assert_string_equal(get(fixture, "shop/web")->id, "44444444");

	/* A name is kept for as long as its owner is called the same. */
	settle(fixture);
	assert_int_equal(registry_remove(fixture->registry, "docker", "00000001"), 0);
	put(fixture, &second);
	assert_string_equal(get(fixture, "3f2a91bb")->name, "web-3f2a91");
	put(fixture, &(struct sketch){.id = "3f2a91bb", .name = "api"});
	put(fixture, &second);
	assert_string_equal(get(fixture, "3f2a91bb")->name, "web");
}

static void test_newest_claim_wins(void **state)
{
	const struct sketch old = {
		.id = "aaaaaaaa", .ifindex = 1, .addresses = {"10.0.0.1", "fd00::1"}};
	const struct fixture *fixture = *state;

	put(fixture, &old);
	put(fixture, &(struct sketch){.id = "bbbbbbbb", .ifindex = 2, .addresses = {"10.0.0.1"}});
	assert_string_equal(owner(fixture, "10.0.0.1"), "bbbbbbbb");
	assert_string_equal(owner(fixture, "fd00::1"), "aaaaaaaa");
	assert_int_equal(get(fixture, "aaaaaaaa")->interfaces[0].addresses_count, 1);

	/* A repeated claim of the same run is no newer one. */
	settle(fixture);
	put(fixture, &old);
	assert_string_equal(owner(fixture, "10.0.0.1"), "bbbbbbbb");
	assert_int_equal(settle(fixture), 0);

	/* A restart is. */
	put(fixture, &(struct sketch){.id = "aaaaaaaa",
			     .ifindex = 3,
			     .addresses = {"10.0.0.1"},
			     .started_ns = 5});
	assert_string_equal(owner(fixture, "10.0.0.1"), "aaaaaaaa");
	assert_string_equal(owner(fixture, "fd00::1"), "nobody");
}

/* Who sets its own addresses could otherwise take a neighbour's, and its rights with it. */
static void test_observed_addresses_displace_nobody(void **state)
{
	const struct sketch thief = {.id = "bbbbbbbb",
		.ifindex = 2,
		.addresses = {"10.0.0.2", "10.0.0.1"},
		.observed = true};
	const struct fixture *fixture = *state;

	put(fixture, &(struct sketch){.id = "aaaaaaaa",
			     .ifindex = 1,
			     .addresses = {"10.0.0.1"},
			     .observed = true});
	put(fixture, &(struct sketch){.id = "bbbbbbbb",
			     .ifindex = 2,
			     .addresses = {"10.0.0.2"},
			     .observed = true});
	put(fixture, &thief);
	assert_string_equal(owner(fixture, "10.0.0.1"), "aaaaaaaa");
	assert_string_equal(owner(fixture, "10.0.0.2"), "bbbbbbbb");
	assert_int_equal(get(fixture, "bbbbbbbb")->interfaces[0].addresses_count, 1);

	/* What nobody has is there for the taking. */
	assert_int_equal(registry_remove(fixture->registry, "docker", "aaaaaaaa"), 0);
	put(fixture, &thief);
	assert_string_equal(owner(fixture, "10.0.0.1"), "bbbbbbbb");
}

static void test_removed_claim_frees_the_address(void **state)
{
	const struct sketch old = {.id = "aaaaaaaa", .addresses = {"10.0.0.1"}};
	const struct fixture *fixture = *state;

	put(fixture, &old);
	put(fixture, &(struct sketch){.id = "bbbbbbbb", .addresses = {"10.0.0.1"}});
	assert_int_equal(registry_remove(fixture->registry, "docker", "bbbbbbbb"), 0);
	assert_string_equal(owner(fixture, "10.0.0.1"), "nobody");
	put(fixture, &old);
	assert_string_equal(owner(fixture, "10.0.0.1"), "aaaaaaaa");
}

static void test_an_address_counts_once(void **state)
{
	const struct fixture *fixture = *state;
	struct workload *workload = draw(&(struct sketch){
		.id = "aaaaaaaa", .ifindex = 1, .addresses = {"10.0.0.1", "10.0.0.1"}});
	struct address address = parse_address("10.0.0.1");
	struct workload_interface *second;

	assert_int_equal(workload_add_interface(workload, &second), 0);
	second->ifindex = 2;
	assert_int_equal(workload_interface_add_address(second, &address), 0);
	assert_int_equal(registry_put(fixture->registry, workload), 0);
	assert_int_equal(get(fixture, "aaaaaaaa")->interfaces[0].addresses_count, 1);
	assert_int_equal(get(fixture, "aaaaaaaa")->interfaces[1].addresses_count, 0);
}

static void test_gone_interface_takes_its_addresses_along(void **state)
{
	const struct sketch old = {.id = "aaaaaaaa", .ifindex = 7, .addresses = {"10.0.0.1"}};
	const struct fixture *fixture = *state;

	put(fixture, &old);
	settle(fixture);
	assert_int_equal(registry_drop_interface(fixture->registry, 7), 0);
	assert_int_equal(settle(fixture), 1);
	assert_string_equal(owner(fixture, "10.0.0.1"), "nobody");
	assert_int_equal(get(fixture, "aaaaaaaa")->interfaces_count, 0);
	/* Its claim is gone, too: after another's it is the newer one. */
	put(fixture, &(struct sketch){.id = "bbbbbbbb", .ifindex = 8, .addresses = {"10.0.0.1"}});
	put(fixture, &old);
	assert_string_equal(owner(fixture, "10.0.0.1"), "aaaaaaaa");
}

static void test_interface_index_comes_back(void **state)
{
	const struct fixture *fixture = *state;

	put(fixture, &(struct sketch){.id = "aaaaaaaa", .ifindex = 7});
	put(fixture, &(struct sketch){.id = "bbbbbbbb", .ifindex = 7});
	assert_int_equal(get(fixture, "aaaaaaaa")->interfaces[0].ifindex, 0);
	assert_int_equal(get(fixture, "bbbbbbbb")->interfaces[0].ifindex, 7);
}

static void test_adoption_belongs_to_a_run(void **state)
{
	const struct fixture *fixture = *state;

	put(fixture, &(struct sketch){.id = "aaaaaaaa", .started_ns = 1, .adopt = false});
	put(fixture, &(struct sketch){.id = "aaaaaaaa", .started_ns = 1, .adopt = true});
	assert_false(get(fixture, "aaaaaaaa")->adopt);
	put(fixture, &(struct sketch){.id = "aaaaaaaa", .started_ns = 2, .adopt = true});
	assert_true(get(fixture, "aaaaaaaa")->adopt);
}

static void test_retain_removes_the_rest_of_a_source(void **state)
{
	static const char *const ids[] = {"bbbbbbbb", "unknown"};
	const struct fixture *fixture = *state;
	struct workload *other;

	put(fixture, &(struct sketch){.id = "aaaaaaaa", .addresses = {"10.0.0.1"}});
	put(fixture, &(struct sketch){.id = "bbbbbbbb"});
	assert_int_equal(workload_new("netns", "web", "default", "web", &other), 0);
	assert_int_equal(registry_put(fixture->registry, other), 0);
	settle(fixture);
	assert_int_equal(registry_retain(fixture->registry, "docker", ids, ARRAY_SIZE(ids)), 0);
	assert_int_equal(settle(fixture), 1);
	assert_int_equal(registry_count(fixture->registry), 2);
	assert_string_equal(owner(fixture, "10.0.0.1"), "nobody");
	assert_int_equal(registry_retain(fixture->registry, "docker", ids, ARRAY_SIZE(ids)), 0);
	assert_int_equal(settle(fixture), 0);
}

static void test_references(void **state)
{
	const struct fixture *fixture = *state;
	bool ambiguous;

	put(fixture, &(struct sketch){.id = "abcdef01", .name = "web", .namespace = "shop"});
	put(fixture, &(struct sketch){.id = "abcdef02", .name = "web", .namespace = "blog"});
	put(fixture, &(struct sketch){.id = "12345678", .name = "db", .namespace = "shop"});
	assert_string_equal(get(fixture, "shop/web")->id, "abcdef01");
	assert_string_equal(get(fixture, "db")->id, "12345678");
	assert_string_equal(get(fixture, "123456")->id, "12345678");
	assert_null(registry_find(fixture->registry, "web", &ambiguous));
	assert_true(ambiguous);
	assert_null(registry_find(fixture->registry, "abcdef", &ambiguous));
	assert_true(ambiguous);
	assert_null(registry_find(fixture->registry, "12345", &ambiguous));
	assert_false(ambiguous);
	put(fixture, &(struct sketch){.id = "frontend-2", .name = "front", .namespace = "shop"});
	assert_string_equal(get(fixture, "frontend-2")->name, "front");
	assert_null(registry_find(fixture->registry, "frontend", &ambiguous));
	assert_false(ambiguous);
	assert_null(registry_find(fixture->registry, "shop/", &ambiguous));
	assert_false(ambiguous);
}

/* Whatever is put and removed, in whatever order: every address has one owner, the one that lists
 * it, and names are unique and in order. */
static void check_invariants(const struct fixture *fixture)
{
	size_t listed = 0, indexed = 0;

	for (size_t i = 0; i < registry_count(fixture->registry); i++) {
		const struct workload *workload = registry_at(fixture->registry, i);
		const struct workload_interface *interface = workload->interfaces;

		for (size_t j = 0; workload->interfaces_count && j < interface->addresses_count;
			j++) {
			assert_ptr_equal(
				registry_find_address(fixture->registry, &interface->addresses[j]),
				workload);
			listed++;
		}
		if (i > 0)
			assert_true(strcmp(registry_at(fixture->registry, i - 1)->name,
					    workload->name) < 0);
	}
	for (int i = 0; i < 8; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.0.0.%d", i);
		indexed += strcmp(owner(fixture, text), "nobody") != 0;
	}
	assert_int_equal(listed, indexed);
}

static void test_random_changes(void **state)
{
	const struct fixture *fixture = *state;

	srand(4711);
	for (int i = 0; i < 20000; i++) {
		char id[16], name[8], addresses[2][32];
		int choice = rand() % 10;

		snprintf(id, sizeof(id), "%08d", rand() % 12);
		if (choice < 7) {
			snprintf(name, sizeof(name), "n%d", rand() % 4);
			for (int j = 0; j < 2; j++)
				snprintf(addresses[j], sizeof(addresses[j]), "10.0.0.%d",
					rand() % 8);
			put(fixture, &(struct sketch){.id = id,
					     .name = name,
					     .ifindex = (uint32_t)(rand() % 6),
					     .started_ns = (uint64_t)(rand() % 2),
					     .addresses = {addresses[0], addresses[1]}});
		} else if (choice < 9) {
			assert_int_equal(registry_remove(fixture->registry, "docker", id), 0);
		} else {
			assert_int_equal(registry_drop_interface(
						 fixture->registry, (uint32_t)(1 + rand() % 5)),
				0);
		}
		check_invariants(fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_tells_once_for_a_burst),
		TEST(test_tells_nothing_where_nothing_changed),
		TEST(test_is_ordered_by_namespace_and_name),
		TEST(test_second_of_a_name_gets_its_id),
		TEST(test_newest_claim_wins),
		TEST(test_observed_addresses_displace_nobody),
		TEST(test_removed_claim_frees_the_address),
		TEST(test_an_address_counts_once),
		TEST(test_gone_interface_takes_its_addresses_along),
		TEST(test_interface_index_comes_back),
		TEST(test_adoption_belongs_to_a_run),
		TEST(test_retain_removes_the_rest_of_a_source),
		TEST(test_references),
		TEST(test_random_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
