/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filter programs of any form: eight bytes an instruction, as the kernel has them, and behind the
 * first byte, which says how many there are, the frame that they look at. What is taken must end,
 * and stay within the frame.
 */
#include "capture/filter_program.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INSTRUCTION_BYTES 8

static json_t *write_program(const uint8_t *data, size_t count)
{
	json_t *json = json_array();

	for (size_t i = 0; i < count; i++, data += INSTRUCTION_BYTES) {
		uint16_t code;
		uint32_t k;

		memcpy(&code, data, sizeof(code));
		memcpy(&k, data + 4, sizeof(k));
		json_array_append_new(json, json_pack("[i, i, i, I]", (int)code, (int)data[2],
						    (int)data[3], (json_int_t)k));
	}
	return json;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_filter_program_ struct bpf_program program = {0};
	_cleanup_free_ uint8_t *frame = NULL; /* of its own, so that nothing is behind it */
	size_t count, length;
	json_t *json;

	if (!size || (size - 1) / INSTRUCTION_BYTES < *data)
		return 0;
	count = *data++;
	length = size - 1 - count * INSTRUCTION_BYTES;
	frame = malloc(length + 1);
	json = write_program(data, count);
	if (!frame || !json)
		abort();
	memcpy(frame, data + count * INSTRUCTION_BYTES, length);
	if (filter_program_from_json(json, &program, NULL) == 0)
		filter_program_matches(&program, frame, (uint32_t)length, (uint32_t)length + 4);
	json_decref(json);
	return 0;
}
