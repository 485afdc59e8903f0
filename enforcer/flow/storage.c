/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/storage.h"

#include "base/cleanup.h"

#include <stdlib.h>

struct flow_storage storage_look(const struct flow_log *log, struct flow_store *store)
{
	struct flow_storage storage = {0};

	if (log)
		flow_log_problem(log, &storage.log_error, &storage.log_lost);
	if (store)
		flow_store_problem(store, &storage.store_error, &storage.set_aside,
			&storage.store_turned_away);
	return storage;
}

void flow_storage_clear(struct flow_storage *storage)
{
	free(TAKE_PTR(storage->log_error));
	free(TAKE_PTR(storage->store_error));
	free(TAKE_PTR(storage->set_aside));
}
