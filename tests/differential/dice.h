/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chance that a seed brings back. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline struct dice dice_new(uint64_t seed)
{
	return (struct dice){seed};
}

/* SplitMix64 (Steele, Lea, Flood 2014): neighbouring seeds have nothing in common. */
static inline uint64_t dice_roll(struct dice *dice)
{
	uint64_t word = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
	return word ^ word >> 31;
}

static inline unsigned int dice_below(struct dice *dice, unsigned int bound)
{
	return (unsigned int)(dice_roll(dice) % bound);
}

static inline bool dice_one_in(struct dice *dice, unsigned int chances)
{
	return !dice_below(dice, chances);
}

/* One of the words; what is written twice is drawn twice as often. */
#define DICE_PICK(dice, ...)                                              \
	({                                                                \
		static const char *const words_[] = {__VA_ARGS__};        \
		words_[dice_below((dice), (unsigned)ARRAY_SIZE(words_))]; \
	})
