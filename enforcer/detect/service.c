// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/service.h"

#include "base/cleanup.h"

#include <netinet/in.h>

#include <stdlib.h>

struct service {
	uint16_t port;
	enum service_class class;
	bool authenticates;
	const char *technique;
};

/* By port. */
static const struct service services[] = {
	{21, SERVICE_OTHER, true, "T1021"},
	{22, SERVICE_REMOTE, true, "T1021.004"},
	{23, SERVICE_REMOTE, true, "T1021"},
	{88, SERVICE_ACCOUNT, false, "T1558"},
	{110, SERVICE_OTHER, true, "T1021"},
	{135, SERVICE_REMOTE, false, "T1021.003"},
	{139, SERVICE_REMOTE, true, "T1021.002"},
	{143, SERVICE_OTHER, true, "T1021"},
	{389, SERVICE_ACCOUNT, true, "T1087.002"},
	{445, SERVICE_REMOTE, true, "T1021.002"},
	{636, SERVICE_ACCOUNT, true, "T1087.002"},
	{1080, SERVICE_PROXY, false, "T1090.001"},
	{1433, SERVICE_STORE, true, "T1213"},
	{1521, SERVICE_STORE, true, "T1213"},
	{2375, SERVICE_CONTROL, false, "T1613"},
	{2376, SERVICE_CONTROL, false, "T1613"},
	{2379, SERVICE_CONTROL, false, "T1613"},
	{2380, SERVICE_CONTROL, false, "T1613"},
	{3128, SERVICE_PROXY, false, "T1090.001"},
	{3306, SERVICE_STORE, true, "T1213"},
	{3389, SERVICE_REMOTE, true, "T1021.001"},
	{5432, SERVICE_STORE, true, "T1213"},
	{5900, SERVICE_REMOTE, true, "T1021.005"},
	{5985, SERVICE_REMOTE, true, "T1021.006"},
	{5986, SERVICE_REMOTE, true, "T1021.006"},
	{6379, SERVICE_STORE, true, "T1213"},
	{6443, SERVICE_CONTROL, false, "T1613"},
	{9042, SERVICE_STORE, true, "T1213"},
	{9050, SERVICE_PROXY, false, "T1090.001"},
	{9200, SERVICE_STORE, false, "T1213"},
	{10250, SERVICE_CONTROL, false, "T1613"},
	{10255, SERVICE_CONTROL, false, "T1613"},
	{11211, SERVICE_STORE, false, "T1213"},
	{27017, SERVICE_STORE, true, "T1213"},
};

static int compare(const void *key, const void *item)
{
	const uint16_t *port = key;
	const struct service *service = item;

	return (int)*port - service->port;
}

/* NULL: none that is known. */
static const struct service *find(const struct record *record)
{
	const struct flow_event *event = &record->event;

	if (event->protocol != IPPROTO_TCP)
		return NULL;
	return bsearch(&event->destination_port, services, ARRAY_SIZE(services),
		sizeof(services[0]), compare);
}

enum service_class service_class(const struct record *record)
{
	const struct service *service = find(record);

	return service ? service->class : SERVICE_OTHER;
}

bool service_authenticates(const struct record *record)
{
	const struct service *service = find(record);

	return service && service->authenticates;
}

const char *service_technique(const struct record *record)
{
	const struct service *service = find(record);

	return service ? service->technique : "T1021";
}
