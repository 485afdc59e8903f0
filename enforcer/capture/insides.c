/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture/insides.h"

#include "capture/pcapng.h"

#include <errno.h>
#include <stdbool.h>

static void give_up(struct insides *insides, size_t i)
{
	insides->drops += tap_drops(insides->taps[i].tap);
	tap_free(insides->taps[i].tap);
	insides->taps[i] = insides->taps[--insides->count];
}

static bool is_tapped(const struct insides *insides, uint32_t number)
{
	for (size_t i = 0; i < insides->count; i++)
		if (insides->taps[i].number == number)
			return true;
	return false;
}

static bool is_to_be_tapped(const struct view *view, const struct view_interface *interface)
{
	return interface->netns && view_is_wanted(view, interface);
}

static bool wants(const struct view *view, uint32_t number)
{
	for (size_t i = 0; i < view->interfaces_count; i++)
		if (view->interfaces[i].number == number &&
			is_to_be_tapped(view, &view->interfaces[i]))
			return true;
	return false;
}

static int add(struct insides *insides, const struct view_interface *interface, sd_event *event,
	struct error *error)
{
	struct bpf_insn whole = BPF_STMT(BPF_RET | BPF_K, PCAPNG_SNAP_MAX);
	const struct bpf_program filter = {1, &whole};
	const struct tap_options options = {
		.netns = interface->netns,
		.ifindex = interface->ifindex,
		.filter = &filter,
		.packet = insides->packet,
		.userdata = insides->userdata,
	};
	struct tap *tap;
	int r = tap_new(&options, event, &tap, error);

	/* Its namespace has gone, or the interface within: the registry will say so. */
	if (r == -ENOENT || r == -ENODEV) {
		if (error)
			error_clear(error);
		return 0;
	}
	if (r == 0)
		insides->taps[insides->count++] = (struct inside){tap, interface->number};
	return r;
}

int insides_follow(
	struct insides *insides, const struct view *view, sd_event *event, struct error *error)
{
	int r = 0;

	for (size_t i = insides->count; i > 0; i--)
		if (!wants(view, insides->taps[i - 1].number))
			give_up(insides, i - 1);
	insides->untapped = 0;
	for (size_t i = 0; r == 0 && i < view->interfaces_count; i++) {
		const struct view_interface *interface = &view->interfaces[i];

		if (!is_to_be_tapped(view, interface) || is_tapped(insides, interface->number))
			continue;
		if (insides->count == INSIDES_MAX)
			insides->untapped++;
		else
			r = add(insides, interface, event, error);
	}
	return r;
}

uint32_t insides_number(const struct insides *insides, const struct tap *tap)
{
	for (size_t i = 0; i < insides->count; i++)
		if (insides->taps[i].tap == tap)
			return insides->taps[i].number;
	return 0;
}

uint64_t insides_drops(struct insides *insides)
{
	uint64_t drops = insides->drops;

	for (size_t i = 0; i < insides->count; i++)
		drops += tap_drops(insides->taps[i].tap);
	return drops;
}

void insides_clear(struct insides *insides)
{
	while (insides->count)
		give_up(insides, insides->count - 1);
}
