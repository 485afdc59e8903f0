/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives equal keys (bytes) equal numbers, counted from 0 in the order of their first use. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct intern_entry;

struct intern {
	struct intern_entry *entries;
	uint32_t count;
};

/* 1: the key is new; 0: it was there; -ENOMEM. *ret is its number. */
int intern(struct intern *intern, const void *key, size_t key_size, uint32_t *ret);
/* -ENOENT: not there. */
int intern_find(const struct intern *intern, const void *key, size_t key_size, uint32_t *ret);
/* Gives the key this number. -EEXIST: it has one; -ENOMEM. */
int intern_as(struct intern *intern, const void *key, size_t key_size, uint32_t number);
/* Forgets the key, if it is there; its number is not given again. */
void intern_remove(struct intern *intern, const void *key, size_t key_size);
void intern_clear(struct intern *intern);
