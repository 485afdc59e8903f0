#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# New containers: how long after its interface is up one is answered, with the agent and without; and
# how many packets of theirs arrive where policy forbids. row_start.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
configurations=(none segd-ebpf segd-nft)
count=100

scratch=$(mktemp -d)
pairs 1 >"$scratch/pairs"
for configuration in "${configurations[@]}"; do
	progress "nodes: $configuration"
	world_up "$configuration"
	enter "$configuration"
	workload_up "$node-db" 13 db "app: db"
	for ((i = 0; i < count; i++)); do
		echo "- {name: c$i, netns: $node-c$i, labels: {app: web}}"
	done >>"$work/workloads.yaml"
	leave "$configuration"
	[ "$configuration" = none ] || {
		segd_up "$configuration"
		install "$configuration" "$scratch/pairs"
	}
	progress "$count containers: $configuration"
	round=0
	while read -r ms arrived; do
		round=$((round + 1))
		sample first-answer-ms "$configuration" "$ms"
		sample packets-before-policy "$configuration" "$arrived"
	done < <("$BUILD/tests/bench/container_start" "$node" $count |
		jq -r '"\(.ms) \(.arrived)"')
	[ $round = $count ] || give_up "no figures of $configuration"
done
