/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random policies of all three kinds. Few labels, addresses and ports, so that they meet often. */
#pragma once

#include "dice.h"

#include <stdio.h>

void policies_text_write(FILE *stream, struct dice *dice);
