/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TCP ports at which something on the node listens, by the kernel's own word (sock_diag(7)):
 * whoever is at such a port has not opened the connection. As it was within the last second.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct listeners {
	uint64_t read_ns; /* CLOCK_MONOTONIC; 0: never */
	bool known;
	uint8_t ports[(UINT16_MAX + 1) / 8]; /* a bit for each */
};

/* 1, 0, or a negative errno where the kernel does not say. */
int listeners_have(struct listeners *listeners, uint16_t port);
