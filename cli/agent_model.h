/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The running agent's policies and workloads, as if they had been read from files. */
#pragma once

#include "client.h"
#include "policies/document.h"
#include "policies/ir.h"
#include "policies/model.h"

struct agent_model {
	struct document_list documents; /* in the places that the agent remembers */
	struct model *model;            /* not finished: files may add to it */
	struct ir_options options;      /* what the agent was started with */
};

/* Asks the agent, and the machine that both run on for its own addresses. Errors as in client.h;
 * -EPROTO also where the agent's policies cannot be read by this version. */
int agent_model_fetch(struct client *client, struct agent_model *ret, struct error *error);
/* The number of a protocol that the agent names; 0: policies have no word for it either. */
uint8_t agent_model_protocol(const char *name);
void agent_model_clear(struct agent_model *agent);

#define _cleanup_agent_model_ __attribute__((cleanup(agent_model_clear)))
