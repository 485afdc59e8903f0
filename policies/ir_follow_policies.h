/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "policies/ir_compile.h"

/*
 * Takes the policies of removed out of a finished compile, and puts those of added in; a document
 * that has changed is in both. 0; -EAGAIN: it must be compiled anew; like after -ENOMEM, compile is
 * of no use then.
 */
int follow_policies(struct compile *compile, const struct document_list *removed,
	const struct document_list *added);

/* Its steps for classes. Where the list of CIDRs changes, too, both are to be called. */
int follow_removed_bits(struct compile *compile, const struct bit_list *removed);
int follow_added_bits(struct compile *compile, const struct bit_list *added);
