#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A node of 10, 100 and 1,000 endpoints: what a connection costs between two of them, and at 1,000,
# with 250 policies, how long a change of one policy and a new workload take until they are enforced,
# and the agent's memory. Each further endpoint is a bare veth pair; the far ends share some namespaces.
# row_endpoints.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
planes=(segd-ebpf segd-nft)
configurations=(none "${planes[@]}" nftables iptables-ipset iptables-linear)
sizes=(10 100 1000)
policies=250
rounds=${BENCH_ROUNDS:-12}
ms=${BENCH_MS:-120}
changes=${BENCH_CHANGES:-100}
shares=50 # the agent lists all interfaces of a namespace for each of its workloads

address() { # NUMBER
	echo "10.78.$(($1 / 250)).$(($1 % 250 + 1))"
}

# endpoints FROM TO: up to 1,000 and what is added later.
endpoints() {
	local i
	for ((i = $1; i < $2; i++)); do
		echo "- {name: w$i, netns: $node-$((i % shares)), interface: e$i, labels: {app: a$((i % policies))}," \
			"addresses: [$(address "$i"), \"fd78::$(printf %x "$i")\"]}"
	done
}

policy() { # NUMBER [PORT]
	cat <<-END
		---
		apiVersion: segctl.io/v1
		kind: SegmentPolicy
		metadata: {name: p$1}
		spec:
		  subject: app=a$1
		  ingress:
		  - {from: [{workloads: "app in (a$((($1 + 1) % policies)), a$(($1 * 7 % policies)))"}], ports: [tcp/${2:-$((1000 + $1))}]}
		  - {from: [{cidr: 192.0.$(($1 % 40)).0/24}], ports: [tcp/443]}
		  egress: [{to: [{workloads: app=a$((($1 + 3) % policies))}]}, {to: [{entity: world}], ports: [tcp/443]}]
	END
}

# The pairs that these policies come to among the first SIZE endpoints, for the peers.
policy_pairs() { # SIZE
	awk -v size="$1" -v policies=$policies '
		function address(i) { return "10.78." int(i / 250) "." i % 250 + 1 }
		BEGIN {
			for (i = 0; i < size - 2; i++)
				for (j = i % policies; j < size - 2; j += policies) {
					print address((j + 1) % (size - 2)), address(i), 1000 + i % policies
					print address((j * 7) % (size - 2)), address(i), 1000 + i % policies
				}
			print "10.77.0.11 10.77.0.12 8080" }' | sort -u | sort -s -k3,3n
}

add_veths() { # the far ends' namespaces and all pairs
	local i
	for ((i = 0; i < shares; i++)); do
		ip netns add "$node-$i" && namespaces+=("$node-$i") || give_up "no namespace"
	done
	for ((i = 0; i < ${sizes[-1]} + 60; i++)); do
		echo "link add vx$i up type veth peer name e$i netns $node-$((i % shares))"
	done | ip -n "$node" -batch - || give_up "no endpoints"
	{ for ((i = 0; i < policies; i++)); do policy "$i"; done; } >"$work/policies.yaml"
}

enforced() { # COUNT
	[ "$(segctl status -o json | jq .workloads)" = "$1" ]
}

# request FILE: seconds from the request's first byte to the last of its answer, by when the next packet obeys
request() {
	curl -sS --unix-socket "$work/segd.sock" -o "$work/reply" -w '%{time_total}\n' \
		--data-binary @"$1" "http://localhost/v1/policies?file=change.yaml"
}

milliseconds() { awk '{ printf "%.3f\n", $1 * 1000 }'; }

# grow SIZE: the worlds have so many endpoints, web and api among them.
grow() {
	local configuration
	policy_pairs "$1" >"$scratch/pairs"
	for configuration in "${planes[@]}"; do
		progress "$1 endpoints: $configuration"
		enter "$configuration"
		endpoints "$listed" $(($1 - 2)) >>"$work/workloads.yaml"
		kill -HUP "$agent_pid"
		await 60 enforced "$1" || give_up "$configuration does not enforce $1 endpoints"
	done
	for configuration in nftables iptables-ipset iptables-linear; do
		progress "$1 endpoints: $configuration"
		install "$configuration" "$scratch/pairs"
	done
	listed=$(($1 - 2))
}

connect() { # SIZE
	for ((round = 1; round <= rounds; round++)); do
		for configuration in "${configurations[@]}"; do
			progress "$1 endpoints, round $round of $rounds: $configuration"
			sample connections "$configuration" "$(traffic "$configuration" "$ms" connections |
				jq .connections)" "$1"
		done
	done
}

change_policies() {
	for ((round = 1; round <= changes; round++)); do
		progress "policy change $round of $changes"
		for configuration in "${planes[@]}"; do
			enter "$configuration"
			policy $((round * 7 % policies)) $((2000 + round)) >"$work/change.yaml"
			sample apply-ms "$configuration" "$(request "$work/change.yaml" | milliseconds)" "${sizes[-1]}"
		done
		sleep 0.02
	done
}

# A workload comes and goes; the agent sees the file change. How long from its being known to its being
# enforced, as the agent says.
add_workloads() {
	for ((round = 1; round <= changes / 4; round++)); do
		progress "workload $round of $((changes / 4))"
		for configuration in "${planes[@]}"; do
			enter "$configuration"
			cp "$work/workloads.yaml" "$work/fewer.yaml"
			{ cat "$work/fewer.yaml"; endpoints $((sizes[-1] + 1)) $((sizes[-1] + 2)); } >"$work/more.yaml"
			mv "$work/more.yaml" "$work/workloads.yaml"
			await 10 enforced $((sizes[-1] + 1)) || give_up "no workload was added"
			sample added-ms "$configuration" "$(curl -sS --unix-socket "$work/segd.sock" \
				http://localhost/v1/status | jq .last_reconcile.milliseconds)" "${sizes[-1]}"
			mv "$work/fewer.yaml" "$work/workloads.yaml"
			await 10 enforced "${sizes[-1]}" || give_up "no workload was removed"
		done
	done
}

# What it settles at: without the connections of the rounds before, and memory that a change has left
# over goes back a second after the last one.
remember_memory() { # METRIC
	for configuration in "${planes[@]}"; do
		enter "$configuration"
		in_ns "$node" conntrack -F >/dev/null 2>&1
	done
	sleep 4
	for configuration in "${planes[@]}"; do
		enter "$configuration"
		sample "$1" "$configuration" "$(awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' \
			"/proc/$agent_pid/status")" "${sizes[-1]}"
	done
}

# 10,000 addresses of the world, in classes of 100.
remote_addresses() {
	awk 'BEGIN { for (i = 0; i < 100; i++) {
		printf "---\napiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: remote-%d}\n", i
		printf "spec:\n  subject: app=a%d\n  egress:\n  - ports: [tcp/443]\n    to:\n", i
		for (j = 0; j < 100; j++) printf "    - {cidr: 203.%d.%d.7/32}\n", i, j } }'
}

scratch=$(mktemp -d)
listed=0
for configuration in "${configurations[@]}"; do
	progress "nodes: $configuration"
	world_up "$configuration"
done
pairs 1 >"$scratch/pairs"
for configuration in "${planes[@]}"; do
	enter "$configuration"
	progress "veths: $configuration"
	add_veths
	leave "$configuration"
	segd_up "$configuration"
	segd_policy <"$scratch/pairs" | sed 's/"\*"/"app in (web, api)"/' >"$work/policy.yaml"
	segctl policy apply -f "$work/policy.yaml" -f "$work/policies.yaml" >/dev/null ||
		give_up "cannot apply policies"
done
for size in "${sizes[@]}"; do
	grow "$size"
	connect "$size"
done
remember_memory agent-mib-without-remote
change_policies
add_workloads
for configuration in "${planes[@]}"; do
	progress "10,000 remote addresses: $configuration"
	enter "$configuration"
	remote_addresses >"$work/remote.yaml"
	segctl policy apply -f "$work/remote.yaml" >/dev/null || give_up "cannot apply 10,000 addresses"
done
remember_memory agent-mib
