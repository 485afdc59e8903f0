// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/attempts.h"

#include "detect/party.h"

struct pending {
	struct ledger_entry entry;
	struct attempt attempt;
};

static struct ledger_key key_of(uint64_t id)
{
	return (struct ledger_key){{id}};
}

static uint64_t service_key(const struct attempt *attempt)
{
	return party_join(attempt->target, attempt->service);
}

static void settle(struct attempts *attempts, uint64_t id)
{
	struct ledger_key key = key_of(id);
	struct pending *pending = ledger_find(&attempts->pending, &key);

	if (!pending || pending->attempt.was_answered)
		return;
	pending->attempt.was_answered = true;
	seen_add(&attempts->services, service_key(&pending->attempt));
	attempts->answered(&pending->attempt, attempts->userdata);
}

/* 0: it is not there any more. */
static uint64_t opened_ns(const struct attempts *attempts, uint64_t id)
{
	struct ledger_key key = key_of(id);
	const struct pending *pending = ledger_find(&attempts->pending, &key);

	return pending ? pending->attempt.time_ns : 0;
}

static void settle_until(struct attempts *attempts, uint64_t time_ns)
{
	while (attempts->queue_count) {
		uint64_t id = attempts->queue[attempts->queue_head];

		if (opened_ns(attempts, id) + CONTACT_SETTLE_NS > time_ns &&
			attempts->queue_count < ATTEMPTS_PENDING)
			return;
		attempts->queue_head = (attempts->queue_head + 1) % ATTEMPTS_PENDING;
		attempts->queue_count--;
		settle(attempts, id);
	}
}

static struct attempt attempt_of(const struct record *record)
{
	return (struct attempt){
		.source = party_key(record, RECORD_SOURCE),
		.target = party_key(record, RECORD_DESTINATION),
		.service = party_service(record),
		.time_ns = record->event.time_ns,
	};
}

static bool is_first(struct attempts *attempts, const struct attempt *attempt)
{
	return !seen_add(&attempts->tried, party_join(attempt->source, service_key(attempt)));
}

static void opened(struct attempts *attempts, const struct record *record)
{
	struct attempt attempt = attempt_of(record);
	struct ledger_key key = key_of(record->event.id);
	struct pending *pending;

	if (!is_first(attempts, &attempt))
		return;
	pending = ledger_touch(&attempts->pending, &key);
	if (!pending)
		return;
	pending->attempt = attempt;
	settle_until(attempts, attempt.time_ns);
	attempts->queue[(attempts->queue_head + attempts->queue_count++) % ATTEMPTS_PENDING] =
		record->event.id;
}

static void failed(struct attempts *attempts, const struct record *record)
{
	struct ledger_key key = key_of(record->event.id);
	struct pending *pending = ledger_find(&attempts->pending, &key);
	struct attempt attempt;

	if (!pending)
		return;
	attempt = pending->attempt;
	attempt.time_ns = record->event.time_ns;
	attempt.is_known =
		!attempt.was_answered && seen_has(&attempts->services, service_key(&attempt));
	ledger_remove(&attempts->pending, pending);
	attempts->failed(&attempt, record, attempts->userdata);
}

static void answered(struct attempts *attempts, const struct record *record)
{
	struct ledger_key key = key_of(record->event.id);
	struct pending *pending = ledger_find(&attempts->pending, &key);

	if (!pending)
		return;
	settle(attempts, record->event.id);
	ledger_remove(&attempts->pending, pending);
}

static void refused(struct attempts *attempts, const struct record *record)
{
	struct attempt attempt = attempt_of(record);

	attempt.was_refused = true;
	if (is_first(attempts, &attempt))
		attempts->failed(&attempt, record, attempts->userdata);
}

void attempts_record(struct attempts *attempts, const struct record *record)
{
	switch (contact_of(record)) {
	case CONTACT_OPENED:
		opened(attempts, record);
		break;
	case CONTACT_REFUSED:
		refused(attempts, record);
		break;
	case CONTACT_FAILED:
		failed(attempts, record);
		break;
	case CONTACT_ANSWERED:
		answered(attempts, record);
		break;
	case CONTACT_NONE:
		break;
	}
	settle_until(attempts, record->event.time_ns);
}

int attempts_open(struct attempts *attempts, size_t remembered_max)
{
	int r = seen_open(&attempts->tried, remembered_max);

	if (!r)
		r = seen_open(&attempts->services, remembered_max);
	attempts->pending = (struct ledger){
		.size = ATTEMPTS_PENDING,
		.entry_bytes = sizeof(struct pending),
	};
	return r;
}

void attempts_close(struct attempts *attempts)
{
	ledger_clear(&attempts->pending);
	seen_close(&attempts->tried);
	seen_close(&attempts->services);
}
