#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How many flow events one core takes, from the kernel's form to the flow log (flow_events.c).
# row_events.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
for ((round = 1; round <= 3; round++)); do
	progress "round $round of 3"
	sample_machine
	while read -r mix rate; do
		sample events-per-second "$mix" "$rate"
	done < <("$BUILD/tests/bench/flow_events" 300000 |
		sed -n 's/^flow events, \([a-z]*\) *\([0-9]*\) a second.*/\1 \2/p')
done
