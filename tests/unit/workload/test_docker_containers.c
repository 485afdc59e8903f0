/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One container's trouble: told, tried again, and nothing that was known is lost by it. */
#include "tests/unit/workload/fake_server.h"
#include "tests/unit/workload/support.h"

#include "workload/docker_containers.h"

#include <sys/mman.h>

#define RECORDED "tests/unit/workload/data/inspect-host-network.json"

enum answer {
	ANSWER_BROKEN,
	ANSWER_FINE,
	ANSWER_GARBAGE,
	ANSWER_ANOTHER,
	ANSWER_NOT_FOUND,
	ANSWER_NONE,
};

static enum answer *answer; /* shared with the server's processes */
static char document[8192];
static char id[DOCKER_ID_LENGTH + 1];

static void send_body(int fd, const char *status, const char *body)
{
	char header[128];

	snprintf(header, sizeof(header), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status,
		strlen(body));
	send_text(fd, header);
	send_text(fd, body);
}

static void serve_path(int fd, const char *path)
{
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "/containers/%s/json", id);
	if (*answer == ANSWER_BROKEN)
		send_body(fd, "500 Internal Server Error", "{\"message\": \"on\\u001b fire\"}");
	else if (*answer == ANSWER_FINE && strcmp(path, wanted) == 0)
		send_body(fd, "200 OK", document);
	else if (*answer == ANSWER_GARBAGE)
		send_body(fd, "200 OK", "{\"State\": ");
	else if (*answer == ANSWER_ANOTHER)
		send_body(fd, "200 OK", document);
	else if (*answer == ANSWER_NOT_FOUND)
		send_body(fd, "404 Not Found", "{\"message\": \"No such container\"}");
	else
		pause();
}

static sd_event *event;
static struct docker_http *http;
static struct registry *registry;
static struct docker_containers *containers;
static unsigned int troubles;

static void on_changed(void *userdata)
{
	(void)userdata;
}

static void on_trouble(void *userdata)
{
	(void)userdata;
	troubles++;
}

static int start(void **state)
{
	_cleanup_file_ FILE *stream = fopen(RECORDED, "re");
	json_t *recorded;

	(void)state;
	assert_non_null(stream);
	assert_true(fread(document, 1, sizeof(document) - 1, stream) > 0);
	recorded = json_loads(document, 0, NULL);
	snprintf(id, sizeof(id), "%s", docker_string(recorded, "Id"));
	json_decref(recorded);
	answer = mmap(
		NULL, sizeof(*answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(answer, MAP_FAILED);
	return fake_server_start(serve_path);
}

static int stop(void **state)
{
	(void)state;
	munmap(answer, sizeof(*answer));
	return fake_server_stop();
}

static int set_up(void **state)
{
	(void)state;
	troubles = 0;
	assert_true(sd_event_new(&event) >= 0);
	assert_int_equal(registry_new(event, on_changed, NULL, &registry), 0);
	assert_int_equal(docker_http_new(fake_server_path, event, &http, NULL), 0);
	return docker_containers_new(http, registry, event, on_trouble, NULL, &containers);
}

static int tear_down(void **state)
{
	(void)state;
	docker_containers_free(containers);
	docker_http_free(http);
	registry_free(registry);
	sd_event_unref(event);
	return 0;
}

static bool is_troubled(const void *text)
{
	const char *trouble = docker_containers_trouble(containers);

	return trouble && strstr(trouble, text);
}

static bool is_fine(const void *unused)
{
	(void)unused;
	return !docker_containers_trouble(containers);
}

static bool is_known(const void *unused)
{
	(void)unused;
	return registry_count(registry) == 1;
}

static bool is_unknown(const void *unused)
{
	(void)unused;
	return registry_count(registry) == 0;
}

#define await(condition, data) assert_true(run_until(event, condition, data, 5000))

static void look(enum answer next)
{
	*answer = next;
	assert_int_equal(docker_containers_look(containers, id), 0);
}

static void test_is_tried_again(void **state)
{
	(void)state;
	look(ANSWER_BROKEN);
	await(is_troubled, "HTTP status 500: on? fire");
	assert_memory_equal(docker_containers_trouble(containers) + strlen("container "), id, 12);
	assert_true(is_unknown(NULL));
	*answer = ANSWER_FINE;
	await(is_known, NULL); /* though nobody asked again */
	assert_true(is_fine(NULL));
	assert_int_equal(troubles, 2);
}

static void test_last_known_stays(void **state)
{
	(void)state;
	look(ANSWER_FINE);
	await(is_known, NULL);
	look(ANSWER_GARBAGE);
	await(is_troubled, "not JSON");
	assert_true(is_known(NULL));
	look(ANSWER_BROKEN);
	await(is_troubled, "HTTP status 500");
	assert_true(is_known(NULL));
	look(ANSWER_FINE);
	await(is_fine, NULL);
	assert_true(is_known(NULL));
	look(ANSWER_NOT_FOUND);
	await(is_unknown, NULL);
	assert_true(is_fine(NULL));
}

/* Not to be taken for the one that was asked for. */
static void test_answer_about_another(void **state)
{
	char last = id[DOCKER_ID_LENGTH - 1];

	(void)state;
	id[DOCKER_ID_LENGTH - 1] = last == '0' ? '1' : '0';
	look(ANSWER_ANOTHER);
	await(is_troubled, "another container");
	assert_true(is_unknown(NULL));
	assert_int_equal(docker_containers_remove(containers, id), 0);
	assert_true(is_fine(NULL));
	id[DOCKER_ID_LENGTH - 1] = last;
}

static void test_gone_while_asked_for(void **state)
{
	(void)state;
	look(ANSWER_FINE);
	await(is_known, NULL);
	look(ANSWER_NONE);
	look(ANSWER_NONE);
	run_for(event, 50);
	assert_int_equal(docker_containers_remove(containers, id), 0);
	assert_true(is_unknown(NULL));
	/* What was under way does not bring it back. */
	*answer = ANSWER_FINE;
	run_for(event, 1200);
	assert_true(is_unknown(NULL));
	assert_true(is_fine(NULL));
}

static void test_asked_again_meanwhile(void **state)
{
	(void)state;
	look(ANSWER_FINE);
	look(ANSWER_FINE); /* its answer is not there yet */
	await(is_known, NULL);
	*answer = ANSWER_NOT_FOUND;
	await(is_unknown, NULL);
}

static void test_reset_keeps_what_is_known(void **state)
{
	(void)state;
	look(ANSWER_FINE);
	await(is_known, NULL);
	look(ANSWER_BROKEN);
	await(is_troubled, "500");
	docker_containers_reset(containers);
	assert_true(is_fine(NULL));
	assert_true(is_known(NULL));
	*answer = ANSWER_NOT_FOUND;
	run_for(event, 1200);
	assert_true(is_known(NULL)); /* nothing is tried again */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_is_tried_again),
		TEST(test_last_known_stays),
		TEST(test_answer_about_another),
		TEST(test_gone_while_asked_for),
		TEST(test_asked_again_meanwhile),
		TEST(test_reset_keeps_what_is_known),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
