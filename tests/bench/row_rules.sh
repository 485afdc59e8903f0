#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Traffic between two workloads on one bridge, under 10 to 10,000 rules that say who reaches the
# second one. row_rules.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
configurations=(none segd-ebpf segd-nft nftables iptables-ipset iptables-linear segd-fast)
! "$BUILD/segd" --help | grep -q -- --second-lock || configurations+=(segd-lock)
rounds=${BENCH_ROUNDS:-12}
ms=${BENCH_MS:-120}

# rates CONFIGURATION RULES KIND...
rates() {
	local rates
	progress "$2 rules, round $round of $rounds: $1"
	rates=$(traffic "$1" "$ms" "${@:3}") || give_up "no traffic under $1 with $2 rules"
	while read -r kind rate; do
		sample "$kind" "$1" "$rate" "$2"
	done < <(jq -r 'to_entries[] | "\(.key) \(.value)"' <<<"$rates")
}

scratch=$(mktemp -d)
for configuration in "${configurations[@]}"; do
	progress "nodes: $configuration"
	world_up "$configuration"
	[[ $configuration != segd-* ]] || segd_up "$configuration"
done
for rules in 10 100 1000 10000; do
	pairs $rules >"$scratch/pairs"
	for configuration in "${configurations[@]}"; do
		progress "$rules rules: $configuration"
		[ "$configuration" = none ] || install "$configuration" "$scratch/pairs"
	done
	kinds=(connections)
	[[ $rules != 10 && $rules != 10000 ]] || kinds=(bytes round-trips datagrams connections)
	for ((round = 1; round <= rounds; round++)); do
		for configuration in "${configurations[@]}"; do
			rates "$configuration" $rules "${kinds[@]}"
		done
	done
done

# The same workload with few rules and with all of them, by turns: between the sizes above minutes pass, in
# which the machine's speed changes by more than is to be seen.
few=segd-nft-few
world_up $few
segd_up $few
pairs 10 >"$scratch/pairs"
install $few "$scratch/pairs"
for ((round = 1; round <= 4 * rounds; round++)); do
	for world in "$few 10" "segd-nft 10000"; do
		progress "few and many rules by turns, round $round of $((4 * rounds)): ${world#* }"
		sample connections-by-turns segd-nft "$(traffic "${world% *}" "$ms" connections | jq .connections)" "${world#* }"
	done
done
