// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/mute.h"

#include "base/cleanup.h"
#include "flow/timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void mute_clear(struct mute *mute)
{
	free(mute->detector);
	free(mute->actor);
	free(mute->key);
	free(mute->reason);
	free(mute->user);
	*mute = (struct mute){0};
}

static void remove_at(struct mutes *mutes, size_t index)
{
	mute_clear(&mutes->items[index]);
	mutes->count--;
	memmove(&mutes->items[index], &mutes->items[index + 1],
		(mutes->count - index) * sizeof(mutes->items[0]));
	mutes->items[mutes->count] = (struct mute){0};
}

void mutes_drop_ended(struct mutes *mutes, uint64_t now_ns)
{
	for (size_t i = mutes->count; i-- > 0;)
		if (mutes->items[i].until_ns <= now_ns)
			remove_at(mutes, i);
}

void mutes_clear(struct mutes *mutes)
{
	while (mutes->count)
		remove_at(mutes, mutes->count - 1);
}

static size_t find(const struct mutes *mutes, const char *id)
{
	size_t i = 0;

	while (i < mutes->count && strcmp(mutes->items[i].id, id) != 0)
		i++;
	return i;
}

static void make_id(const struct mutes *mutes, struct mute *mute)
{
	uint32_t number = hash_bytes(&mute->since_ns, sizeof(mute->since_ns));

	do
		snprintf(mute->id, sizeof(mute->id), "%08" PRIx32, number++);
	while (find(mutes, mute->id) < mutes->count);
}

int mutes_add(struct mutes *mutes, struct mute *mute, struct error *error)
{
	if (!mute->detector && !mute->actor && !mute->key)
		return error_set(error, -EINVAL,
			"it would mute every alert: say which detector, actor or key");
	mutes_drop_ended(mutes, mute->since_ns);
	if (mutes->count == MUTES_MAX)
		return error_set(error, -ENOSPC, "there are %d mutes already", MUTES_MAX);
	if (!*mute->id)
		make_id(mutes, mute);
	mutes->items[mutes->count++] = *mute;
	*mute = (struct mute){0};
	return 0;
}

int mutes_remove(struct mutes *mutes, const char *id)
{
	size_t index = find(mutes, id);

	if (index == mutes->count)
		return -ENOENT;
	remove_at(mutes, index);
	return 0;
}

static bool is_about(const char *wanted, const char *text)
{
	return !wanted || !strcmp(wanted, text);
}

bool mutes_match(const struct mutes *mutes, const struct alert *alert, uint64_t time_ns)
{
	for (size_t i = 0; i < mutes->count; i++) {
		const struct mute *mute = &mutes->items[i];

		if (time_ns < mute->until_ns && is_about(mute->detector, alert->detector) &&
			is_about(mute->actor, alert->actor.id) && is_about(mute->key, alert->key))
			return true;
	}
	return false;
}

json_t *mute_to_json(const struct mute *mute)
{
	char since[TIMESTAMP_LENGTH + 1], until[TIMESTAMP_LENGTH + 1];

	return json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:s, s:s, s:s}", "id", mute->id, "detector",
		mute->detector, "actor", mute->actor, "key", mute->key, "reason", mute->reason,
		"user", mute->user, "since", timestamp_format(mute->since_ns, since), "until",
		timestamp_format(mute->until_ns, until));
}

int mute_copy(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return !text || *ret ? 0 : -ENOMEM;
}

int mute_from_json(const json_t *json, struct mute *ret)
{
	const char *id, *detector = NULL, *actor = NULL, *key = NULL, *reason, *user, *since,
			*until;
	_cleanup_mute_ struct mute mute = {0};

	if (json_unpack((json_t *)json, "{s:s, s?s, s?s, s?s, s:s, s:s, s:s, s:s}", "id", &id,
		    "detector", &detector, "actor", &actor, "key", &key, "reason", &reason, "user",
		    &user, "since", &since, "until", &until) < 0)
		return -EBADMSG;
	if (timestamp_parse(since, 0, &mute.since_ns) < 0 ||
		timestamp_parse(until, 0, &mute.until_ns) < 0)
		return -EBADMSG;
	snprintf(mute.id, sizeof(mute.id), "%s", id);
	if (mute_copy(detector, &mute.detector) < 0 || mute_copy(actor, &mute.actor) < 0 ||
		mute_copy(key, &mute.key) < 0 || mute_copy(reason, &mute.reason) < 0 ||
		mute_copy(user, &mute.user) < 0)
		return -ENOMEM;
	*ret = mute;
	mute = (struct mute){0};
	return 0;
}
