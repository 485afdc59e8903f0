#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a packet costs in the eBPF programs (program_cost.c). row_programs.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
progress "BPF_PROG_TEST_RUN"
"$BUILD/tests/bench/program_cost" -o json >"$BUILD/bench/programs.json" || give_up "cannot run the programs"
while IFS=$'\t' read -r packet ns ratio; do
	sample packet-ns "$packet" "$ns"
	sample packet-ratio "$packet" "$ratio"
done < <(jq -r '.[] | [.packet, .median_ns, .ratio] | @tsv' "$BUILD/bench/programs.json")
