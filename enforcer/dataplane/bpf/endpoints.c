/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/endpoints.h"

#include <errno.h>
#include <string.h>

int endpoints_ensure(
	struct generations *generations, const struct dataplane_state *state, struct error *error)
{
	struct interfaces *interfaces = generations->interfaces;

	for (struct interface *interface = interfaces->items; interface;
		interface = interface->hh.next)
		interface->wanted = false;
	for (size_t i = 0; i < state->attachments_count; i++) {
		const struct attachment *attachment = &state->attachments[i];
		bool defer = attachment->adopt && attachment->workload >= 0;
		struct interface *interface;
		int r = (defer ? interfaces_note : interfaces_ensure)(
			interfaces, attachment, &interface, error);

		if (r == -ENODEV) {
			error_clear(error);
			continue;
		}
		if (r < 0)
			return r;
		interface->wanted = true;
		interface->waiting = false;
	}
	return 0;
}

static struct abi_endpoint endpoint_of(const struct generations *generations,
	const struct interface *interface, const struct attachment *attachment,
	const struct identity *identity)
{
	struct abi_endpoint endpoint = {
		.attached_ns = interface->endpoint.attached_ns,
		.adoption_ns =
			attachment->adopt || interface->carried ? generations->adoption_ns : 0,
	};

	if (!identity || attachment->workload < 0) {
		endpoint.flags = ABI_ENDPOINT_GUARD;
		return endpoint;
	}
	endpoint.identity = identity->number;
	memcpy(endpoint.mac, attachment->mac, sizeof(endpoint.mac));
	return endpoint;
}

static int grant(struct generations *generations, const struct attachment *attachment,
	struct interface *interface, struct error *error)
{
	const struct identity_key key = identity_key_interface(attachment->ifindex);
	const struct abi_endpoint endpoint = endpoint_of(generations, interface, attachment,
		identities_find(&generations->identities, &key));
	int r;

	if (!interface->known || memcmp(&endpoint, &interface->endpoint, sizeof(endpoint)) != 0) {
		r = interface_set(generations->interfaces, interface, &endpoint, error);
		if (r < 0)
			return r;
	}
	if (!interface->deferred)
		return 0;
	r = interfaces_attach(generations->interfaces, interface, error);
	if (r == -ENODEV) {
		error_clear(error);
		return interfaces_drop(generations->interfaces, interface, error);
	}
	interface->deferred = r < 0;
	return r;
}

int endpoints_grant(
	struct generations *generations, const struct dataplane_state *state, struct error *error)
{
	int result = 0;

	for (size_t i = 0; i < state->attachments_count; i++) {
		struct interface *interface =
			interfaces_find(generations->interfaces, state->attachments[i].ifindex);
		_cleanup_error_ struct error own = ERROR_INIT;
		int r;

		if (!interface)
			continue;
		r = grant(generations, &state->attachments[i], interface, &own);
		if (r < 0)
			result = error_set(error, r, "%s", error_message(&own));
	}
	return result;
}

void endpoints_give_up(struct generations *generations)
{
	struct interface *interface, *next;

	HASH_ITER (hh, generations->interfaces->items, interface, next) {
		if (interface->deferred)
			interfaces_guard(generations->interfaces, interface, NULL);
	}
}

int endpoints_leave(struct generations *generations, struct error *error)
{
	struct interface *interface, *next;
	int result = 0;

	HASH_ITER (hh, generations->interfaces->items, interface, next) {
		int r;

		if (interface->wanted || interface->waiting || interface->moved)
			continue;
		r = interfaces_drop(generations->interfaces, interface, error);
		if (r < 0)
			result = r;
	}
	return result;
}
