/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/former_record.h"

#include <errno.h>
#include <string.h>

static const struct btf_type *struct_of(const struct btf *btf, uint32_t type)
{
	int id = btf__resolve_type(btf, type);
	const struct btf_type *resolved = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);

	return resolved && btf_is_struct(resolved) ? resolved : NULL;
}

/* -ENOENT; -EINVAL: it is there in another size, or no whole bytes. */
static int find(const struct btf *btf, const struct btf_type *type,
	const struct record_field *field, size_t *ret_offset)
{
	const struct btf_member *members = btf_members(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(btf, members[i].name_off);
		uint32_t bits = btf_member_bit_offset(type, i);
		int64_t size = btf__resolve_size(btf, members[i].type);

		if (!name || strcmp(name, field->name) != 0)
			continue;
		if (size != (int64_t)field->size || bits % 8 || btf_member_bitfield_size(type, i) ||
			bits / 8 + field->size > type->size)
			return -EINVAL;
		*ret_offset = bits / 8;
		return 0;
	}
	return -ENOENT;
}

int former_record_match(const struct btf *btf, uint32_t type, const struct record_field *fields,
	size_t count, struct former_record *ret)
{
	const struct btf_type *former = struct_of(btf, type);
	struct former_record match = {0};

	if (!former || count > FORMER_FIELDS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		size_t offset;
		int r = find(btf, former, &fields[i], &offset);

		if (r == -ENOENT && fields[i].optional)
			continue;
		if (r < 0)
			return -EINVAL;
		match.moves[match.count].from = offset;
		match.moves[match.count].to = fields[i].offset;
		match.moves[match.count++].size = fields[i].size;
	}
	*ret = match;
	return 0;
}

void former_record_read(const struct former_record *former, const void *from, void *ret)
{
	for (size_t i = 0; i < former->count; i++)
		memcpy((unsigned char *)ret + former->moves[i].to,
			(const unsigned char *)from + former->moves[i].from, former->moves[i].size);
}
