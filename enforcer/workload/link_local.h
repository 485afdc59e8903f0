/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that mean something on one link only: every interface may have them, so they name no
 * workload. */
#pragma once

#include "base/address.h"

/* 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291). */
bool link_local_contains(const struct address *address);
