#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What early dropping costs a packet, and a list of a million prefixes to load (early_cost.c).
# row_early.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
progress "deny lists, quarantine, floods"
while IFS=$'\t' read -r name ns; do
	sample early-us "$name" "$ns"
done < <("$BUILD/tests/bench/early_cost" -o json | jq -r '.[] | [.case, .median_ns / 1000] | @tsv')
