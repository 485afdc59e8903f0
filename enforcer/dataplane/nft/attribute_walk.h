/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attributes of a netlink message, or those inside of one of them, one after the other. For
 * whoever reads thousands of messages a second: libmnl's loops take five calls for each attribute,
 * and three times as long.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

struct attribute_walk {
	const char *at;
	const char *end;
};

/* header_bytes: what comes before the first one. */
static inline struct attribute_walk attribute_walk_message(
	const struct nlmsghdr *message, size_t header_bytes)
{
	const char *bytes = (const char *)message;

	return (struct attribute_walk){
		bytes + MNL_NLMSG_HDRLEN + MNL_ALIGN(header_bytes), bytes + message->nlmsg_len};
}

static inline struct attribute_walk attribute_walk_nest(const struct nlattr *nest)
{
	const char *bytes = (const char *)nest;

	return (struct attribute_walk){bytes + MNL_ATTR_HDRLEN, bytes + nest->nla_len};
}

/* NULL: there is none any more, or what there is reaches behind the end. */
static inline const struct nlattr *attribute_walk_next(struct attribute_walk *walk)
{
	const struct nlattr *attribute = (const void *)walk->at;
	ptrdiff_t left = walk->end - walk->at;

	if (left < (ptrdiff_t)sizeof(*attribute) || attribute->nla_len < sizeof(*attribute) ||
		attribute->nla_len > left)
		return NULL;
	walk->at += MNL_ALIGN(attribute->nla_len);
	return attribute;
}

static inline uint16_t attribute_type(const struct nlattr *attribute)
{
	return attribute->nla_type & NLA_TYPE_MASK;
}

/* The next one of that type; NULL: there is none. */
static inline const struct nlattr *attribute_walk_find(struct attribute_walk walk, uint16_t type)
{
	const struct nlattr *attribute = attribute_walk_next(&walk);

	while (attribute && attribute_type(attribute) != type)
		attribute = attribute_walk_next(&walk);
	return attribute;
}
