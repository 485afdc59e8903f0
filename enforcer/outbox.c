// SPDX-License-Identifier: GPL-2.0-or-later
#include "outbox.h"

#include <stdlib.h>

void outbox_add(struct outbox *outbox, char *message)
{
	if (!message) {
		outbox->dropped++;
		return;
	}
	if (outbox->count == OUTBOX_MAX) {
		free(outbox_take(outbox));
		outbox->dropped++;
	}
	outbox->messages[(outbox->first + outbox->count++) % OUTBOX_MAX] = message;
}

char *outbox_take(struct outbox *outbox)
{
	char *message;

	if (!outbox->count)
		return NULL;
	message = outbox->messages[outbox->first];
	outbox->messages[outbox->first] = NULL;
	outbox->first = (outbox->first + 1) % OUTBOX_MAX;
	outbox->count--;
	return message;
}

void outbox_clear(struct outbox *outbox)
{
	while (outbox->count)
		free(outbox_take(outbox));
}
