/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "confirm.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "journal.h"
#include "json.h"
#include "policy_store.h"
#include "reconcile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define STORE_VERSION 1
#define STORE_NAME    "unconfirmed.json"
#define STORE_NEXT    "unconfirmed.json.next"
#define BOOT_ID_PATH  "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX   64
#define RETRY_NS      NS_PER_SECOND

struct confirm {
	struct document_list former;
	uint64_t deadline_ns; /* CLOCK_BOOTTIME */
	bool unstored;        /* what is to be confirmed is in force, and perhaps not on disk */
	sd_event_source *timer;
};

void confirm_free(struct confirm *confirm)
{
	if (!confirm)
		return;
	sd_event_source_disable_unref(confirm->timer);
	documents_clear(&confirm->former);
	free(confirm);
}

DEFINE_CLEANUP(struct confirm *, confirm_free)

bool confirm_is_open(const struct agent *agent)
{
	return agent->confirm;
}

/* --- on disk ------------------------------------------------------------------------------------
 */

/* "" where the kernel does not tell: then every restart is taken for one of the machine. */
static void read_boot_id(char id[static BOOT_ID_MAX])
{
	_cleanup_file_ FILE *file = fopen(BOOT_ID_PATH, "re");

	if (!file || !fgets(id, BOOT_ID_MAX, file))
		id[0] = '\0';
	id[strcspn(id, "\n")] = '\0';
}

static int sync_directory(const char *directory, struct error *error)
{
	_cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return error_errno(error, -errno, "sync state directory %s", directory);
	return 0;
}

static int store(const char *directory, const struct confirm *confirm, struct error *error)
{
	_cleanup_free_ char *next = NULL;
	_cleanup_json_ json_t *documents = policy_store_encode(&confirm->former), *root = NULL;
	char boot[BOOT_ID_MAX];
	int r;

	read_boot_id(boot);
	root = json_pack("{s:i, s:s, s:I, s:O}", "version", STORE_VERSION, "boot", boot,
		"deadline_ns", (json_int_t)confirm->deadline_ns, "former", documents);
	if (!root || asprintf(&next, "%s/" STORE_NEXT, directory) < 0)
		return error_nomem(error);
	r = policy_store_write(directory, next, root, error);
	if (r < 0)
		return r;
	return policy_store_replace(directory, STORE_NEXT, STORE_NAME, error);
}

static int forget(const char *directory, struct error *error)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/" STORE_NAME, directory) < 0)
		return error_nomem(error);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(error, -errno, "remove %s", path);
	return sync_directory(directory, error);
}

static int load(const char *path, struct confirm *confirm, struct error *error)
{
	_cleanup_json_ json_t *root = NULL;
	char boot[BOOT_ID_MAX];
	json_error_t problem;
	json_int_t deadline_ns;
	const char *of_boot;
	json_t *former;
	int version;

	root = json_load_file(path, 0, &problem);
	if (!root)
		return error_set(error, -EBADMSG, "line %d: %s", problem.line, problem.text);
	if (json_unpack(root, "{s:i, s:s, s:I, s:o}", "version", &version, "boot", &of_boot,
		    "deadline_ns", &deadline_ns, "former", &former) < 0 ||
		version != STORE_VERSION || deadline_ns < 0)
		return error_set(
			error, -EBADMSG, "not an open decision of version %d", STORE_VERSION);
	read_boot_id(boot);
	confirm->deadline_ns = *boot && !strcmp(boot, of_boot) ? (uint64_t)deadline_ns : 0;
	return policy_store_decode(former, &confirm->former, error);
}

/* --- the decision -------------------------------------------------------------------------------
 */

/* -ESTALE: the former policies are in force, which what is on disk cannot follow yet. */
static int roll_back(struct agent *agent, struct error *error)
{
	struct confirm *confirm = agent->confirm;
	int r = agent_fall_back(agent, &confirm->former, error);

	if (!r && forget(agent->options->state_directory, error) < 0)
		r = -ESTALE;
	if (r < 0) {
		error_context(error, r, "go back to the former policies");
		return r;
	}
	agent->confirm = NULL;
	confirm_free(confirm);
	return 0;
}

static int on_deadline(sd_event_source *source, uint64_t time_us, void *userdata)
{
	_cleanup_error_ struct error error = ERROR_INIT;
	struct agent *agent = userdata;
	uint64_t next_us;

	(void)time_us;
	if (!roll_back(agent, &error)) {
		journal(JOURNAL_WARNING,
			"nobody confirmed the policies in time: the former ones are back");
		return 0;
	}
	journal(JOURNAL_ERROR, "%s; trying again", error_message(&error));
	next_us = (clock_ns(CLOCK_BOOTTIME) + RETRY_NS) / 1000;
	sd_event_source_set_time(source, next_us);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int arm(struct agent *agent, struct confirm *confirm, struct error *error)
{
	int r = sd_event_add_time(agent->event, &confirm->timer, CLOCK_BOOTTIME,
		confirm->deadline_ns / 1000, 1000, on_deadline, agent);

	return r < 0 ? error_errno(error, r, "wait for a confirmation") : 0;
}

int confirm_open(struct agent *agent, struct error *error)
{
	_cleanup_(confirm_freep) struct confirm *confirm = calloc(1, sizeof(*confirm));
	_cleanup_free_ char *path = NULL;
	int r;

	if (!confirm || asprintf(&path, "%s/" STORE_NAME, agent->options->state_directory) < 0)
		return error_nomem(error);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = load(path, confirm, error);
	if (r < 0)
		return error_context(error, r, "read the open decision on policies from %s", path);
	if (confirm->deadline_ns > clock_ns(CLOCK_BOOTTIME)) {
		r = arm(agent, confirm, error);
		if (!r)
			agent->confirm = TAKE_PTR(confirm);
		return r;
	}
	agent->confirm = TAKE_PTR(confirm);
	r = roll_back(agent, error);
	if (!r)
		journal(JOURNAL_WARNING, "nobody confirmed the policies in time, while no agent "
					 "ran: the former ones are back");
	/* No reason not to start. */
	return r == -ESTALE ? arm(agent, agent->confirm, error) : r;
}

int confirm_apply(struct agent *agent, const struct document_list *documents, uint32_t seconds,
	struct error *error)
{
	_cleanup_(confirm_freep) struct confirm *confirm = calloc(1, sizeof(*confirm));
	const char *directory = agent->options->state_directory;
	int r;

	if (agent->confirm)
		return error_set(error, -EBUSY, "another apply waits for its confirmation");
	if (!confirm || documents_copy(&agent->documents, &confirm->former) < 0)
		return error_nomem(error);
	confirm->deadline_ns = clock_ns(CLOCK_BOOTTIME) + seconds * NS_PER_SECOND;
	r = arm(agent, confirm, error);
	if (!r)
		r = store(directory, confirm, error);
	if (r < 0)
		return r;
	r = agent_reconcile(agent, documents, error);
	if (r < 0 && r != -ESTALE) {
		(void)forget(directory, NULL);
		return r;
	}
	/* Whoever they lock out is let in again, whatever the disk does. */
	confirm->unstored = r < 0;
	agent->confirm = TAKE_PTR(confirm);
	if (r < 0)
		return error_context(
			error, r, "to be rolled back in %u s unless confirmed", seconds);
	return 0;
}

static int keep_for_good(struct agent *agent, struct error *error)
{
	int r = 0;

	if (agent->confirm->unstored)
		r = agent_reconcile(agent, &agent->documents, error);
	return r < 0 ? r : forget(agent->options->state_directory, error);
}

int confirm_decide(struct agent *agent, bool keep, struct error *error)
{
	struct confirm *confirm = agent->confirm;
	int r;

	if (!confirm)
		return error_set(error, -ENOENT, "no policies wait for a confirmation (any more)");
	if (!keep)
		return roll_back(agent, error);
	if (confirm->deadline_ns <= clock_ns(CLOCK_BOOTTIME))
		return error_set(error, -ENOENT, "the time is over: the former policies come back");
	r = keep_for_good(agent, error);
	if (r < 0)
		return r;
	agent->confirm = NULL;
	confirm_free(confirm);
	return 0;
}

json_t *confirm_describe(const struct agent *agent)
{
	uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
	double left = 0;

	if (!agent->confirm)
		return json_null();
	if (agent->confirm->deadline_ns > now_ns)
		left = (double)(agent->confirm->deadline_ns - now_ns) / 1e9;
	return json_pack("{s:f}", "seconds_left", left);
}
