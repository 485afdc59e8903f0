/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jansson's values under the house's rules of ownership. */
#pragma once

#include <jansson.h>

static inline void json_releasep(json_t **json)
{
	json_decref(*json);
}

#define _cleanup_json_ __attribute__((cleanup(json_releasep)))
