#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Policies to rule IR, on one core: 1,000 workloads, 250 policies (policy_compile.c).
# row_compile.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
for ((round = 1; round <= 5; round++)); do
	progress "round $round of 5"
	while IFS=$'\t' read -r name ms; do
		sample compile-ms "$name" "$ms"
	done < <("$BUILD/tests/bench/policy_compile" 1000 250 250 |
		sed -nE 's/^(([^ ]| [^ ])+)  +([0-9.]+) ms.*/\1\t\3/p')
done
