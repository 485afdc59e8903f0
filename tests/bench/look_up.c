/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast the machine is just now: nanoseconds that the yardstick of the benchmark takes, one
 * look-up in a hash and a count, the median of some rounds. */
#include "tests/bench/one_lookup.skel.h"
#include "xdp/abi.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 9
#define REPEAT 1000000

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static int measure(const struct one_lookup_bpf *yardstick, uint32_t ns[static ROUNDS])
{
	uint8_t frame[ETH_HLEN + sizeof(struct abi_connection_key)] = {0};
	const uint64_t value[2] = {0};
	int r = bpf_map__update_elem(yardstick->maps.entries, frame + ETH_HLEN,
		sizeof(struct abi_connection_key), value, sizeof(value), BPF_ANY);

	for (size_t round = 0; !r && round < ROUNDS; round++) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame,
			.data_size_in = sizeof(frame), .repeat = REPEAT);

		r = bpf_prog_test_run_opts(bpf_program__fd(yardstick->progs.one_lookup), &options);
		ns[round] = options.duration;
	}
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	return r;
}

int main(void)
{
	struct one_lookup_bpf *yardstick = one_lookup_bpf__open_and_load();
	uint32_t ns[ROUNDS] = {0};
	int r = yardstick ? measure(yardstick, ns) : -errno;

	one_lookup_bpf__destroy(yardstick);
	if (r < 0) {
		fprintf(stderr, "look_up: cannot run the yardstick: %s\n", strerror(-r));
		return 1;
	}
	printf("%u\n", ns[ROUNDS / 2]);
	return 0;
}
