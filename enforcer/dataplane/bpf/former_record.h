/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of maps that an agent of another ABI made, read by the names of their fields: the kernel
 * keeps each map's types (BTF), so no agent needs to know the layouts of those before it.
 */
#pragma once

#include <bpf/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORMER_FIELDS_MAX 16

/* A field of our struct. */
struct record_field {
	const char *name;
	size_t offset, size;
	bool optional; /* an older struct may lack it: it is zero then */
};

#define RECORD_FIELD(type, field)                                            \
	{                                                                    \
		.name = #field, .offset = offsetof(struct type, field),      \
		.size = sizeof(((struct type *)0)->field), .optional = false \
	}
#define RECORD_FIELD_OPTIONAL(type, field)                                  \
	{                                                                   \
		.name = #field, .offset = offsetof(struct type, field),     \
		.size = sizeof(((struct type *)0)->field), .optional = true \
	}

/* How a former struct becomes ours. */
struct former_record {
	size_t count;
	struct {
		size_t from, to, size;
	} moves[FORMER_FIELDS_MAX];
};

/* type: id of the former struct in btf. -EINVAL: it is none, or lacks a field that is not optional,
 * or has one in another size. At most FORMER_FIELDS_MAX fields. */
int former_record_match(const struct btf *btf, uint32_t type, const struct record_field *fields,
	size_t count, struct former_record *ret);

/* Writes the fields; the rest of the record is left as it is. */
void former_record_read(const struct former_record *former, const void *from, void *ret);
