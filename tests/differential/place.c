// SPDX-License-Identifier: GPL-2.0-or-later
#include "place.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>

/* The second of each family may be a workload on another node. */
static const char *const outside[] = {"192.0.2.10", "192.0.2.70", "198.51.100.5", "2001:db8::10",
	"2001:db8::70", "2001:db8:1::5"};
static const char *const node[] = {"10.77.0.1", "192.0.2.1", "fd77::1", "2001:db8::1"};

static void add_address(struct place *place, const char *text)
{
	size_t i = place->addresses_count++;

	snprintf(place->texts[i], sizeof(place->texts[i]), "%s", text);
	if (address_parse(text, &place->addresses[i]) < 0)
		abort(); /* they are all written here */
}

static void add_workload_addresses(struct place *place, unsigned int number)
{
	static const char *const networks[PLACE_WORKLOAD_ADDRESSES] = {
		"10.77.0.", "10.77.1.", "fd77::", "fd77:0:0:1::"};
	char text[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
		snprintf(text, sizeof(text), "%s%u", networks[i], number + 2);
		add_address(place, text);
	}
}

struct place place_describe(unsigned int number)
{
	struct place place = {0};

	if (number == PLACE_NODE) {
		snprintf(place.name, sizeof(place.name), "node");
		for (size_t i = 0; i < ARRAY_SIZE(node); i++)
			add_address(&place, node[i]);
	} else if (number == PLACE_OUTSIDE) {
		snprintf(place.name, sizeof(place.name), "outside");
		for (size_t i = 0; i < ARRAY_SIZE(outside); i++)
			add_address(&place, outside[i]);
	} else {
		snprintf(place.name, sizeof(place.name), "p%u", number);
		add_workload_addresses(&place, number);
	}
	return place;
}
