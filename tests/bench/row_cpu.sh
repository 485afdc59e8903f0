#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the agent itself takes of the processor while two workloads open 10,000 connections a second.
# What the kernel does for a packet is the traffic's own: row_rules.sh has it. row_cpu.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
configurations=(segd-ebpf segd-nft)
rounds=5
# Over some files of the log, which is compressed and rotated meanwhile.
ms=15000
rate=10000
# Conntrack tells of the end of a connection when it has forgotten it, ten seconds later: before that,
# with nftables, beginnings alone would be measured.
before_ms=11000

busy_ns() { # time on a processor so far, all threads
	awk '{ sum += $1 } END { printf "%.0f\n", sum }' /proc/"$agent_pid"/task/*/schedstat
}

# Sets idle: what the agent takes in half a second in which nothing happens. What it still has to do of
# the last round, such as compressing a log, comes first.
look_at_idle() {
	local before tries
	for ((tries = 0; tries < 10; tries++)); do
		before=$(busy_ns)
		sleep 0.5
		idle=$(($(busy_ns) - before))
		[ $idle -gt 5000000 ] || break
	done
}

scratch=$(mktemp -d)
pairs 10 >"$scratch/pairs"
for configuration in "${configurations[@]}"; do
	progress "nodes: $configuration"
	world_up "$configuration"
	segd_up "$configuration"
	install "$configuration" "$scratch/pairs"
done
for ((round = 1; round <= rounds; round++)); do
	sample_machine
	for configuration in "${configurations[@]}"; do
		progress "10,000 connections a second, round $round of $rounds: $configuration"
		enter "$configuration"
		look_at_idle
		traffic "$configuration" $before_ms connections=$rate >/dev/null
		start=$EPOCHREALTIME before=$(busy_ns)
		opened=$(traffic "$configuration" $ms connections=$rate | jq .connections)
		after=$(busy_ns) end=$EPOCHREALTIME
		sample connections "$configuration" "$opened" $rate
		# Of one core, less what it takes when nothing happens; a slow machine opens fewer, so for as
		# many.
		sample agent-cpu-percent "$configuration" "$(awk -v idle="$idle" \
			-v busy=$((after - before)) -v start="$start" -v end="$end" -v opened="$opened" -v rate=$rate \
			'BEGIN { s = end - start; printf "%.3f", (busy - idle * s / 0.5) / s / 1e7 * rate / opened }')" $rate
	done
	sample_machine
done
