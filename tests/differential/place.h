/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where packets come from and go to: network namespaces, the same ones for all models. */
#pragma once

#include "base/address.h"

#include <stddef.h>

#define PLACE_WORKLOADS     8
#define PLACE_ADDRESSES_MAX 6

/* 0..PLACE_WORKLOADS-1: behind a veth of their own, workloads if the model says so. */
enum {
	PLACE_OUTSIDE = PLACE_WORKLOADS, /* behind the node, routed */
	PLACE_NODE,
	PLACES
};

/* Of a workload's addresses: two of each family, on two networks. */
#define PLACE_WORKLOAD_ADDRESSES 4

struct place {
	char name[16];
	char texts[PLACE_ADDRESSES_MAX][ADDRESS_TEXT_MAX];
	struct address addresses[PLACE_ADDRESSES_MAX];
	size_t addresses_count;
};

struct place place_describe(unsigned int place);
