/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/nft/sysctls.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NOTE_WORD "before "
#define ABSENT    '-'
#define NOT_OURS  '='

/* The first paths are for bridges. */
#define BRIDGE_PATHS 2

static const char *const paths[] = {
	"/proc/sys/net/bridge/bridge-nf-call-iptables",
	"/proc/sys/net/bridge/bridge-nf-call-ip6tables",
	"/proc/sys/net/netfilter/nf_conntrack_acct",
	"/proc/sys/net/netfilter/nf_conntrack_timestamp",
};

static char read_setting(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char value;

	return fd >= 0 && read(fd, &value, sizeof(value)) == sizeof(value) ? value : ABSENT;
}

static int write_setting(const char *path, char value)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, &value, sizeof(value)) != sizeof(value))
		return -errno;
	return 0;
}

static bool is_wanted(size_t path, enum sysctls_scope scope)
{
	return scope == SYSCTLS_ALL || path >= BRIDGE_PATHS;
}

void sysctls_note(enum sysctls_scope scope, char note[static SYSCTLS_NOTE_MAX])
{
	char values[ARRAY_SIZE(paths) + 1] = "";

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		values[i] = is_wanted(i, scope) ? read_setting(paths[i]) : NOT_OURS;
	snprintf(note, SYSCTLS_NOTE_MAX, NOTE_WORD "%s", values);
}

int sysctls_turn_on(enum sysctls_scope scope, const char **ret_was_off, struct error *error)
{
	const char *was_off = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		char value = is_wanted(i, scope) ? read_setting(paths[i]) : ABSENT;
		int r;

		if (value == ABSENT || value == '1')
			continue;
		r = write_setting(paths[i], '1');
		if (r < 0)
			return error_errno(error, r, "turn on %s", paths[i]);
		if (!was_off)
			was_off = paths[i];
	}
	if (was_off && ret_was_off)
		*ret_was_off = was_off;
	return 0;
}

void sysctls_restore(const char *note)
{
	const char *values = note + strlen(NOTE_WORD);

	if (strncmp(note, NOTE_WORD, strlen(NOTE_WORD)) != 0 || strlen(values) != ARRAY_SIZE(paths))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		/* Without its module it was as good as off; br_netfilter comes turned on. */
		char before = values[i] == ABSENT ? '0' : values[i];
		char now = read_setting(paths[i]);

		if (before != NOT_OURS && now != ABSENT && now != before)
			(void)write_setting(paths[i], before);
	}
}

bool sysctls_bridge_is_filtered(void)
{
	return read_setting(paths[0]) == '1' && read_setting(paths[1]) == '1';
}
