/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts that are made to hurt: each is refused with a clear error or taken, within bounded memory
 * (RLIMIT_AS of a child, on top of what the sanitizers map) and without hanging (alarm).
 */
#include "policies/document.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#define HANG_SECONDS 120
#define MEMORY_BYTES (256L << 20) /* beyond what is mapped before */

#define HEAD   "apiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: "
#define POLICY HEAD "p%u}\nspec: {subject: app=a%u, ingress: [{ports: [tcp/%u]}]}\n"

/* What is expected of one text; the child's exit code tells whether it came. */
struct expectation {
	size_t documents; /* taken; 0: refused … */
	const char *code; /* … with this as its first error */
};

static void print_repeated(FILE *stream, const char *text, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		fputs(text, stream);
}

static void print_large(FILE *stream)
{
	fputs(HEAD "large}\nspec:\n  subject: app=db\n  ingress:\n", stream);
	for (unsigned int i = 0; ftell(stream) < 5 << 20; i++)
		fprintf(stream,
			"  - {from: [{workloads: 'app in (a%u,b%u)'}, {cidr: 10.%u.%u.0/24}], ports: "
			"[tcp/%u]}\n",
			i, i, i / 256 % 256, i % 256, 1 + i % 65535);
}

static void print_many(FILE *stream)
{
	for (unsigned int i = 0; i < 10000; i++)
		fprintf(stream, "---\n" POLICY, i, i, 1 + i);
}

static void print_too_many(FILE *stream)
{
	for (unsigned int i = 0; i < 20001; i++)
		fputs("---\n~\n", stream);
}

static void print_deep_flow(FILE *stream)
{
	fputs(HEAD "deep}\nspec: ", stream);
	print_repeated(stream, "[", 200);
	print_repeated(stream, "]", 200);
}

static void print_deep_block(FILE *stream)
{
	for (unsigned int i = 0; i < 200; i++)
		fprintf(stream, "%*sa:\n", (int)i, "");
}

static void print_deep_json(FILE *stream)
{
	print_repeated(stream, "{\"a\":", 1000000);
}

/* Each level holds ten times what is in the one before: 10^30 nodes. */
static void print_bomb(FILE *stream)
{
	fputs("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n", stream);
	for (unsigned int i = 1; i < 30; i++) {
		fprintf(stream, "a%u: &a%u [", i, i);
		for (unsigned int k = 0; k < 10; k++)
			fprintf(stream, "%s*a%u", k ? ", " : "", i - 1);
		fputs("]\n", stream);
	}
}

static void print_nul(FILE *stream)
{
	fputs(HEAD, stream);
	for (unsigned int i = 0; i < 1 << 20; i++)
		fputc('\0', stream);
}

static void print_bad_utf8(FILE *stream)
{
	fputs(HEAD "d\xc3\x28}\n", stream);
}

static void print_oversized(FILE *stream)
{
	fputs("# ", stream);
	print_repeated(stream, "0123456789abcdef", 1 << 20);
	fputs("\n", stream);
}

static void print_one_scalar(FILE *stream)
{
	fputs(HEAD, stream);
	print_repeated(stream, "aaaaaaaaaaaaaaaa", 5 << 16);
	fputs("}\nspec: {subject: '*', ingress: []}\n", stream);
}

static void print_wide_mapping(FILE *stream)
{
	fputs(HEAD "wide}\nspec: {subject: '*', ingress: []", stream);
	for (unsigned int i = 0; i < 200000; i++)
		fprintf(stream, ", f%u: 1", i);
	fputs("}\n", stream);
}

static void print_many_labels(FILE *stream)
{
	fputs("apiVersion: v1\nkind: Namespace\nmetadata: {name: many, labels: {", stream);
	for (unsigned int i = 0; i < 100000; i++)
		fprintf(stream, "l%u: v, ", i);
	fputs("}}\n", stream);
}

static void print_json(FILE *stream)
{
	fputs("{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [", stream);
	for (unsigned int i = 0; i < 20000; i++)
		fprintf(stream,
			"%s{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": "
			"\"p%u\"}, \"status\": {\"podIPs\": [{\"ip\": \"10.1.%u.%u\"}]}}",
			i ? ",\n" : "", i, i / 256, i % 256);
	fputs("]}", stream);
}

/* Pages that this process has mapped, in bytes: the sanitizers map terabytes. */
static rlim_t mapped_bytes(void)
{
	_cleanup_file_ FILE *stream = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!stream || fscanf(stream, "%lu", &pages) != 1)
		return RLIM_INFINITY;
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static bool as_expected(const struct expectation *expectation, int r,
	const struct document_list *list, const struct diagnostics *diagnostics)
{
	if (!expectation->code)
		return r == 0 && diagnostics->errors == 0 && list->count == expectation->documents;
	if (r != -EINVAL || list->count || !diagnostics->count)
		return false;
	return !strcmp(diagnostics->items[0].code, expectation->code) &&
	       strlen(diagnostics->items[0].message) < 1000;
}

static void parse_bounded(const char *text, size_t size, const struct expectation *expectation)
{
	struct rlimit limit = {
		.rlim_cur = mapped_bytes() + MEMORY_BYTES, .rlim_max = RLIM_INFINITY};
	struct document_list list = {0};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	bool good;
	int r;

	alarm(HANG_SECONDS);
	if (setrlimit(RLIMIT_AS, &limit) < 0)
		_exit(3);
	r = documents_parse(&list, "hostile", text, size, &diagnostics);
	diagnostics_sort(&diagnostics);
	good = as_expected(expectation, r, &list, &diagnostics);
	if (!good) {
		fprintf(stderr, "result %d, %zu documents\n", r, list.count);
		diagnostics_print(&diagnostics, stderr);
	}
	_exit(good ? 0 : 2);
}

static void check(void (*print)(FILE *stream), struct expectation expectation)
{
	_cleanup_free_ char *text = NULL;
	char *printed = NULL;
	size_t size;
	FILE *stream = open_memstream(&printed, &size);
	int status;
	pid_t child;

	assert_non_null(stream);
	print(stream);
	assert_int_equal(fclose(stream), 0);
	text = printed;
	child = fork();
	assert_true(child >= 0);
	if (!child)
		parse_bounded(text, size, &expectation);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_size(void **state)
{
	(void)state;
	check(print_large, (struct expectation){.documents = 1});
	check(print_oversized, (struct expectation){.code = "too-large"});
	check(print_one_scalar, (struct expectation){.code = "bad-name"});
}

static void test_number(void **state)
{
	(void)state;
	check(print_many, (struct expectation){.documents = 10000});
	check(print_too_many, (struct expectation){.code = "too-many"});
	check(print_wide_mapping, (struct expectation){.code = "unknown-field"});
	check(print_many_labels, (struct expectation){.code = "too-many"});
	check(print_json, (struct expectation){.documents = 20000});
}

static void test_depth(void **state)
{
	(void)state;
	check(print_deep_flow, (struct expectation){.code = "too-deep"});
	check(print_deep_block, (struct expectation){.code = "too-deep"});
	check(print_deep_json, (struct expectation){.code = "too-deep"});
	check(print_bomb, (struct expectation){.code = "alias"});
}

static void test_bytes(void **state)
{
	(void)state;
	check(print_nul, (struct expectation){.code = "encoding"});
	check(print_bad_utf8, (struct expectation){.code = "encoding"});
}

/* The limit must be able to refuse, or the tests above say nothing. */
static void test_limit_holds(void **state)
{
	struct rlimit limit = {.rlim_max = RLIM_INFINITY};
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (!child) {
		limit.rlim_cur = mapped_bytes() + MEMORY_BYTES;
		if (setrlimit(RLIMIT_AS, &limit) < 0)
			_exit(3);
		/* Not malloc(): a sanitizer's would end the process by itself. */
		_exit(mmap(NULL, 2 * MEMORY_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
			MAP_FAILED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit_holds),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
