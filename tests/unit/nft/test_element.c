/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/element.h"

#include "dataplane/nft/comment.h"
#include "fixture.h"

#include <linux/netfilter/nf_tables.h>

static struct element element(const char *address, struct target target)
{
	struct element element = {.target = target};
	struct address parsed = fixture_address(address);

	element_key_add_address(&element, &parsed);
	return element;
}

static void add(struct element_list *list, const char *address, uint64_t chain)
{
	struct element item = element(address, (struct target){NFT_GOTO, chain});

	assert_int_equal(element_list_add(list, &item), 0);
}

static void test_keys_are_whole_words(void **state)
{
	struct element item = element("10.0.0.1", (struct target){0});
	const uint8_t protocol = 6;

	(void)state;
	assert_int_equal(item.key_length, 4);
	element_key_add(&item, &protocol, sizeof(protocol));
	assert_int_equal(item.key_length, 8);
	assert_memory_equal(item.key, "\x0a\x00\x00\x01\x06\x00\x00\x00", 8);
	item = element("fd77::1", (struct target){0});
	assert_int_equal(item.key_length, 16);
}

static void test_diff(void **state)
{
	struct element_list before = {0}, after = {0}, removed = {0}, added = {0};

	(void)state;
	add(&before, "10.0.0.3", 1);
	add(&before, "10.0.0.1", 1);
	add(&before, "10.0.0.2", 1);
	add(&after, "10.0.0.4", 1);
	add(&after, "10.0.0.2", 2);
	add(&after, "10.0.0.1", 1);
	add(&after, "10.0.0.1", 1);
	element_list_sort(&before);
	element_list_sort(&after);
	assert_int_equal(after.count, 3);
	assert_int_equal(element_list_diff(&before, &after, &removed, &added), 0);
	/* .2 leads elsewhere, .3 is gone, .4 is new. */
	assert_int_equal(removed.count, 2);
	assert_int_equal(removed.items[0].key[3], 2);
	assert_int_equal(removed.items[0].target.chain, 1);
	assert_int_equal(removed.items[1].key[3], 3);
	assert_int_equal(added.count, 2);
	assert_int_equal(added.items[0].key[3], 2);
	assert_int_equal(added.items[0].target.chain, 2);
	assert_int_equal(added.items[1].key[3], 4);
	element_list_clear(&before);
	element_list_clear(&after);
	element_list_clear(&removed);
	element_list_clear(&added);
}

static const char *name_chain(uint64_t id, void *userdata)
{
	(void)id;
	(void)userdata;
	return "a-chain-with-a-name-of-some-length";
}

/* No attribute may pass 64 KiB, whatever the number of elements. */
static void test_long_lists_become_several_messages(void **state)
{
	struct element_list list = {0};
	struct batch *batch;

	(void)state;
	assert_int_equal(batch_new(&batch), 0);
	for (unsigned int i = 0; i < 20000; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.1.%u.%u", i / 250, i % 250);
		add(&list, text, 1);
	}
	assert_int_equal(
		element_list_write(batch, NFT_MSG_NEWSETELEM, 0, "set", &list, name_chain, NULL),
		0);
	assert_true(batch_count(batch) > 20000 * 60 / 65536);
	assert_true(batch_bytes(batch) / batch_count(batch) < 65536);
	element_list_clear(&list);
	batch_free(batch);
}

static void test_comments_can_be_read_back(void **state)
{
	struct comment comment;
	char text[300];

	(void)state;
	comment_encode(&comment, 5, "rule \"x\"\n\x80");
	assert_string_equal(comment_decode(comment.bytes, comment.size, 5), "rule 'x'  ");
	assert_null(comment_decode(comment.bytes, comment.size, 4));
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	comment_encode(&comment, 0, text);
	assert_int_equal(comment.size, 2 + 128);
	assert_int_equal(strlen(comment_decode(comment.bytes, comment.size, 0)), 127);
	/* Cut short: nothing is read beyond. */
	assert_null(comment_decode(comment.bytes, comment.size - 1, 0));
}

static void add_some(struct element_list *list, unsigned int in_a_hundred)
{
	char text[32];

	for (unsigned int i = 0; i < 100; i++) {
		if ((unsigned int)rand() % 100 >= in_a_hundred)
			continue;
		snprintf(text, sizeof(text), "10.0.0.%u", i);
		add(list, text, 1 + (unsigned int)rand() % 2);
	}
	element_list_sort(list);
}

static void test_patch_and_back(void **state)
{
	(void)state;
	srand(7);
	for (unsigned int i = 0; i < 500; i++) {
		struct element_list before = {0}, after = {0}, removed = {0}, added = {0};
		struct element_list list = {0};

		add_some(&before, (unsigned int)rand() % 101);
		add_some(&after, (unsigned int)rand() % 101);
		assert_int_equal(element_list_diff(&before, &after, &removed, &added), 0);
		assert_int_equal(element_list_patch(&list, &removed, &before), 0);
		assert_true(element_list_equal(&list, &before));
		assert_int_equal(element_list_patch(&list, &removed, &added), 0);
		assert_true(element_list_equal(&list, &after));
		assert_int_equal(element_list_patch(&list, &added, &removed), 0);
		assert_true(element_list_equal(&list, &before));
		element_list_clear(&before);
		element_list_clear(&after);
		element_list_clear(&removed);
		element_list_clear(&added);
		element_list_clear(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_are_whole_words),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_patch_and_back),
		cmocka_unit_test(test_long_lists_become_several_messages),
		cmocka_unit_test(test_comments_can_be_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
