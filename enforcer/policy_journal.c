/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy_journal.h"

#include "base/cleanup.h"
#include "json.h"
#include "policy_store.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define NAME         "policies.journal"
#define NEXT         "policies.journal.next"
#define HEADER       "segd policies 1\n"
#define MARK         "commit %08lx\n"
#define MARK_MAX     32
#define GROWTH_BYTES (1 << 20) /* beyond what it was, before it is written anew */

#define _cleanup_documents_ _cleanup_(documents_clear)

struct policy_journal {
	char *directory;
	int fd;         /* -1: none that can be appended to */
	off_t size;     /* up to the last mark */
	off_t prepared; /* up to the end of the record that waits for its mark */
	uLong checksum; /* of that record */
	off_t limit;    /* at this size it is written anew */
	struct document_list stored;
	struct document_list next; /* what is stored with that mark */
};

void policy_journal_free(struct policy_journal *journal)
{
	if (!journal)
		return;
	closep(&journal->fd);
	documents_clear(&journal->stored);
	documents_clear(&journal->next);
	free(journal->directory);
	free(journal);
}

DEFINE_CLEANUP(struct policy_journal *, policy_journal_free)

static uLong checksum(const char *text, size_t size)
{
	return crc32(crc32(0, NULL, 0), (const Bytef *)text, (uInt)size);
}

/* --- reading ------------------------------------------------------------------------------------
 */

static int remove_deleted(struct document_list *list, json_t *deleted)
{
	json_t *item;
	size_t i;

	json_array_foreach (deleted, i, item) {
		const char *kind_text, *namespace, *name;
		enum document_kind kind;

		if (json_unpack(item, "{s:s, s:s, s:s}", "kind", &kind_text, "namespace",
			    &namespace, "name", &name) < 0 ||
			document_kind_parse(kind_text, &kind) < 0 ||
			documents_remove(list, kind, namespace, name) < 0)
			return -EBADMSG;
	}
	return 0;
}

static int replay_record(struct document_list *list, const char *record, struct error *error)
{
	_cleanup_documents_ struct document_list changed = {0};
	_cleanup_json_ json_t *root = NULL;
	json_error_t problem;
	int r;

	root = json_loads(record, 0, &problem);
	if (!root)
		return error_set(error, -EBADMSG, "%s", problem.text);
	r = policy_store_decode(root, &changed, error);
	if (r < 0)
		return r;
	if (remove_deleted(list, json_object_get(root, "deleted")) < 0)
		return error_set(error, -EBADMSG, "what it deletes is not there");
	return documents_merge(list, &changed) < 0 ? error_nomem(error) : 0;
}

/* The next whole line; 0: there is none (any more). */
static ssize_t read_line(FILE *file, char **line, size_t *size)
{
	ssize_t length = getline(line, size, file);

	return length > 0 && (*line)[length - 1] == '\n' ? length : 0;
}

/* A record that nobody came to mark, or one that has run together with its mark? */
static int check_unmarked(const char *record, struct error *error)
{
	_cleanup_json_ json_t *root = json_loads(record, 0, NULL);

	return root ? 0 : error_set(error, -EBADMSG, "the last record is damaged");
}

static int replay(FILE *file, struct document_list *list, struct error *error)
{
	_cleanup_free_ char *record = NULL, *mark = NULL;
	size_t record_size = 0, mark_size = 0, count = 0;
	ssize_t length;
	int r;

	if (!read_line(file, &record, &record_size) || strcmp(record, HEADER) != 0)
		return error_set(error, -EBADMSG, "not a journal of policies of version 1");
	for (;; count++) {
		char expected[MARK_MAX];

		length = read_line(file, &record, &record_size);
		if (!length)
			break;
		if (!read_line(file, &mark, &mark_size)) {
			r = check_unmarked(record, error);
			if (r < 0)
				return r;
			break;
		}
		snprintf(expected, sizeof(expected), MARK, checksum(record, (size_t)length));
		r = strcmp(mark, expected) ? error_set(error, -EBADMSG, "its mark does not match")
					   : replay_record(list, record, error);
		if (r < 0)
			return error_context(error, r, "record %zu is damaged", count);
	}
	if (ferror(file))
		return error_errno(error, -EIO, "read");
	return count ? 0 : error_set(error, -EBADMSG, "the first record is not whole");
}

/* *ret_found: there is a journal. */
static int load(
	const char *directory, struct document_list *list, bool *ret_found, struct error *error)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_file_ FILE *file = NULL;
	int r;

	if (asprintf(&path, "%s/" NAME, directory) < 0)
		return error_nomem(error);
	file = fopen(path, "re");
	if (!file && errno == ENOENT) {
		*ret_found = false;
		return policy_store_load(directory, list, error);
	}
	r = file ? replay(file, list, error) : error_errno(error, -errno, "open");
	if (r < 0)
		return error_context(error, r, "read applied policies from %s", path);
	*ret_found = true;
	return 0;
}

/* --- writing ------------------------------------------------------------------------------------
 */

static int write_at(int fd, const void *bytes, size_t size, off_t offset)
{
	while (size) {
		ssize_t written = pwrite(fd, bytes, size, offset);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written <= 0)
			continue;
		bytes = (const char *)bytes + written;
		size -= (size_t)written;
		offset += written;
	}
	return 0;
}

/* Takes root. Where it ends is in *offset, on success. */
static int write_record(int fd, json_t *root, off_t *offset, uLong *ret_checksum)
{
	_cleanup_json_ json_t *owned = root;
	_cleanup_free_ char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;
	size_t size;
	int r;

	if (!text)
		return -ENOMEM;
	size = strlen(text) + 1;
	text[size - 1] = '\n';
	r = write_at(fd, text, size, *offset);
	if (r < 0)
		return r;
	*offset += (off_t)size;
	*ret_checksum = checksum(text, size);
	return 0;
}

static int write_mark(int fd, uLong sum, off_t *offset)
{
	char mark[MARK_MAX];
	int size = snprintf(mark, sizeof(mark), MARK, sum);
	int r = write_at(fd, mark, (size_t)size, *offset);

	if (r < 0)
		return r;
	*offset += size;
	return 0;
}

static int write_whole(int fd, const struct document_list *list, off_t *ret_size)
{
	off_t size = sizeof(HEADER) - 1;
	uLong sum;
	int r;

	r = write_at(fd, HEADER, sizeof(HEADER) - 1, 0);
	if (r == 0)
		r = write_record(fd, policy_store_encode(list), &size, &sum);
	if (r == 0)
		r = write_mark(fd, sum, &size);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		*ret_size = size;
	return r;
}

/* A new file with all that is stored, in the place of the one that was. */
static int renew(struct policy_journal *journal, struct error *error)
{
	_cleanup_close_ int directory = -1, fd = -1;
	off_t size = 0;
	int r;

	if (mkdir(journal->directory, 0700) < 0 && errno != EEXIST)
		return error_errno(error, -errno, "make state directory %s", journal->directory);
	directory = open(journal->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return error_errno(error, -errno, "open state directory %s", journal->directory);
	fd = openat(directory, NEXT, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : write_whole(fd, &journal->stored, &size);
	if (r == 0 && renameat(directory, NEXT, directory, NAME) < 0)
		r = -errno;
	if (r < 0)
		return error_errno(error, r, "write %s/" NEXT, journal->directory);
	closep(&journal->fd);
	journal->fd = TAKE_FD(fd);
	journal->size = size;
	journal->limit = 2 * size + GROWTH_BYTES;
	if (fsync(directory) < 0)
		return error_errno(error, -errno, "sync state directory %s", journal->directory);
	return policy_store_remove(journal->directory, error);
}

int policy_journal_open(const char *directory, struct document_list *list,
	struct policy_journal **ret, struct error *error)
{
	_cleanup_(policy_journal_freep) struct policy_journal *journal =
		calloc(1, sizeof(*journal));
	bool found = false;
	int r;

	if (!journal)
		return error_nomem(error);
	journal->fd = -1;
	journal->directory = strdup(directory);
	if (!journal->directory)
		return error_nomem(error);
	r = load(directory, &journal->stored, &found, error);
	if (r < 0)
		return r;
	if (documents_merge(list, &journal->stored) < 0)
		return error_nomem(error);
	/* A disk that takes nothing hinders no start: the first change says so. */
	if (found || journal->stored.count)
		(void)renew(journal, NULL);
	*ret = TAKE_PTR(journal);
	return 0;
}

/* --- changes ------------------------------------------------------------------------------------
 */

static int compare_pointers(const void *one, const void *other)
{
	const struct document *a = *(struct document *const *)one;
	const struct document *b = *(struct document *const *)other;

	return (a > b) - (a < b);
}

static struct document **sorted(const struct document_list *list)
{
	struct document **items = calloc(list->count + 1, sizeof(struct document *));

	if (!items)
		return NULL;
	if (list->count)
		memcpy(items, list->items, list->count * sizeof(struct document *));
	qsort(items, list->count, sizeof(struct document *), compare_pointers);
	return items;
}

/* Those of list that are not in other; documents do not change, so their pointers tell. ret borrows
 * the documents. */
static int only_in(const struct document_list *list, const struct document_list *other,
	struct document_list *ret)
{
	_cleanup_free_ struct document **there = sorted(other);
	struct document **items = calloc(list->count + 1, sizeof(struct document *));
	size_t count = 0;

	if (!there || !items) {
		free(items);
		return -ENOMEM;
	}
	for (size_t i = 0; i < list->count; i++)
		if (!bsearch(&list->items[i], there, other->count, sizeof(struct document *),
			    compare_pointers))
			items[count++] = list->items[i];
	*ret = (struct document_list){items, count};
	return 0;
}

/* Of those that are gone, the ones that no other has replaced. */
static json_t *encode_deleted(const struct document_list *gone, const struct document_list *list)
{
	json_t *deleted = json_array();

	for (size_t i = 0; i < gone->count; i++) {
		const struct document *document = gone->items[i];

		if (!documents_find(list, document->kind, document->namespace, document->name))
			json_array_append_new(
				deleted, json_pack("{s:s, s:s, s:s}", "kind",
						 document_kind_name(document->kind), "namespace",
						 document->namespace, "name", document->name));
	}
	return deleted;
}

/* NULL: out of memory. */
static json_t *encode_change(const struct document_list *before, const struct document_list *after)
{
	struct document_list gone = {0}, fresh = {0};
	json_t *root = NULL;

	if (only_in(before, after, &gone) == 0 && only_in(after, before, &fresh) == 0) {
		root = policy_store_encode(&fresh);
		json_object_set_new(root, "deleted", encode_deleted(&gone, after));
	}
	free(gone.items);
	free(fresh.items);
	return root;
}

int policy_journal_prepare(
	struct policy_journal *journal, const struct document_list *list, struct error *error)
{
	int r;

	if (journal->fd < 0 || journal->size > journal->limit) {
		r = renew(journal, error);
		if (r < 0)
			return r;
	}
	if (documents_copy(list, &journal->next) < 0)
		return error_nomem(error);
	journal->prepared = journal->size;
	r = write_record(journal->fd, encode_change(&journal->stored, list), &journal->prepared,
		&journal->checksum);
	if (r < 0) {
		policy_journal_abort(journal);
		return error_errno(error, r, "write %s/" NAME, journal->directory);
	}
	return 0;
}

int policy_journal_commit(struct policy_journal *journal, struct error *error)
{
	off_t end = journal->prepared;
	int r;

	r = write_mark(journal->fd, journal->checksum, &end);
	if (r == 0 && fdatasync(journal->fd) < 0)
		r = -errno;
	documents_clear(&journal->stored);
	journal->stored = journal->next;
	journal->next = (struct document_list){0};
	journal->size = end;
	if (r == 0)
		return 0;
	/* What of it is on disk, nobody knows: the next change writes all of it anew. */
	closep(&journal->fd);
	journal->fd = -1;
	return error_errno(error, r, "write %s/" NAME, journal->directory);
}

void policy_journal_abort(struct policy_journal *journal)
{
	documents_clear(&journal->next);
	if (ftruncate(journal->fd, journal->size) == 0)
		return;
	/* The next change writes all of it anew. */
	closep(&journal->fd);
	journal->fd = -1;
}
