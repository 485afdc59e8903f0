// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/party.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fnv.h"
#include "base/utf8.h"
#include "detect/role.h"
#include "flow/protocol.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static uint64_t hash(const void *bytes, size_t length, uint64_t seed)
{
	return fnv_add(seed ^ FNV_BEGIN, bytes, length);
}

uint64_t party_join(uint64_t a, uint64_t b)
{
	unsigned __int128 product =
		(unsigned __int128)(a ^ 0xa0761d6478bd642fULL) * (b ^ 0xe7037ed1a0b428dbULL);

	return (uint64_t)product ^ (uint64_t)(product >> 64) ^ a;
}

const struct name *party_name(const struct record *record, enum record_end end)
{
	return end == RECORD_SOURCE ? record->source : record->destination;
}

static const struct address *address_of(const struct record *record, enum record_end end)
{
	return end == RECORD_SOURCE ? &record->event.source : &record->event.destination;
}

uint64_t party_address_key(const struct address *address)
{
	return hash(address->bytes, sizeof(address->bytes), 0);
}

uint64_t party_key(const struct record *record, enum record_end end)
{
	const struct name *name = party_name(record, end);

	if (!name || !name->is_workload)
		return party_address_key(address_of(record, end));
	if (!name->party)
		((struct name *)name)->party = hash(name->workload, strlen(name->workload),
			name->namespace ? hash(name->namespace, strlen(name->namespace), 1) : 1);
	return name->party;
}

uint64_t party_edge(const struct record *record)
{
	char texts[2][ROLE_MAX], service[SERVICE_MAX];
	const char *source = role_of(record->source, texts[0]);
	const char *peer = role_of_peer(record->destination, &record->event.destination, texts[1]);

	role_service(&record->event, service);
	return hash(service, strlen(service),
		hash(peer, strlen(peer), hash(source, strlen(source), 2)));
}

uint64_t party_service(const struct record *record)
{
	const struct flow_event *event = &record->event;
	uint64_t port = protocol_has_ports(event->protocol) ? event->destination_port : 0;

	return (uint64_t)event->protocol << 16 | port;
}

bool party_is_workload(const struct record *record, enum record_end end)
{
	const struct name *name = party_name(record, end);

	return name && name->is_workload;
}

bool party_is_world(const struct record *record, enum record_end end)
{
	const struct name *name = party_name(record, end);

	return !name || (!name->is_workload && (!name->entity || !strcmp(name->entity, "world")));
}

bool party_is_group(const struct address *address)
{
	const uint8_t *bytes = address->bytes;

	if (!address_is_ipv4(address))
		return bytes[0] == 0xff;
	return bytes[12] >= 224 || bytes[15] == 255;
}

const char *party_format(
	const struct name *name, const struct address *address, char text[static PARTY_TEXT_MAX])
{
	char id[NAME_ID_MAX], number[ADDRESS_TEXT_MAX];
	const char *entity = name_entity(name);

	address_format(address, number);
	if (name_workload(name))
		snprintf(
			text, PARTY_TEXT_MAX, "%.*s", (int)utf8_length(name_id(name, id), 150), id);
	else if (entity && strcmp(entity, "world") != 0)
		snprintf(text, PARTY_TEXT_MAX, "the %.*s %s", (int)utf8_length(entity, 60), entity,
			number);
	else
		snprintf(text, PARTY_TEXT_MAX, "%s", number);
	return text;
}

const char *service_format(const struct record *record, char text[static SERVICE_TEXT_MAX])
{
	const struct flow_event *event = &record->event;
	char protocol[PROTOCOL_TEXT_MAX];
	const char *name = protocol_format(event->ethertype, event->protocol, protocol);

	if (protocol_has_ports(event->protocol))
		snprintf(text, SERVICE_TEXT_MAX, "%s/%u", name, event->destination_port);
	else
		snprintf(text, SERVICE_TEXT_MAX, "%s", name);
	return text;
}

const char *duration_format(uint64_t duration_ns, char text[static DURATION_TEXT_MAX])
{
	double seconds = (double)duration_ns / (double)NS_PER_SECOND;

	if (seconds < 10)
		snprintf(text, DURATION_TEXT_MAX, "%.1f s", seconds);
	else if (seconds < 120)
		snprintf(text, DURATION_TEXT_MAX, "%.0f s", seconds);
	else if (seconds < 7200)
		snprintf(text, DURATION_TEXT_MAX, "%.0f min", seconds / 60);
	else
		snprintf(text, DURATION_TEXT_MAX, "%.0f h", seconds / 3600);
	return text;
}

const char *bytes_format(uint64_t bytes, char text[static BYTES_TEXT_MAX])
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1000 && unit < ARRAY_SIZE(units) - 1) {
		value /= 1000;
		unit++;
	}
	snprintf(text, BYTES_TEXT_MAX, value < 10 && unit ? "%.1f %s" : "%.0f %s", value,
		units[unit]);
	return text;
}
