/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nDPI, loaded at run time: most agents do without, and need not carry it in their memory. */
#pragma once

#include "base/error.h"

#include <ndpi/ndpi_api.h>

/* The functions of ndpi_api.h that are used, by their names without ndpi_. */
/* clang-format off */
#define NDPI_FUNCTIONS(X)                                                        \
	X(init_detection_module) X(set_protocol_detection_bitmask2)                  \
	X(finalize_initialization) X(exit_detection_module)                          \
	X(detection_get_sizeof_ndpi_flow_struct) X(detection_process_packet)         \
	X(detection_giveup) X(free_flow_data) X(get_proto_name)
/* clang-format on */

struct ndpi_library {
	void *handle;
#define X(function) __typeof__(&ndpi_##function) function;
	NDPI_FUNCTIONS(X)
#undef X
};

/* -ELIBACC. */
int ndpi_library_open(struct ndpi_library *library, struct error *error);
void ndpi_library_close(struct ndpi_library *library);
