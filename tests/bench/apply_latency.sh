#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How long a change takes until it is enforced, with many endpoints and policies. Each endpoint is a
# bare veth pair; their far ends share some namespaces. Measures, never asserts; in milliseconds.
#
#   apply_latency.sh BUILD [ebpf|nft [ENDPOINTS [POLICIES [CHANGES]]]]
#
# request: from the first byte of the apply's HTTP request to the last of its answer, by when the next
# packet obeys. segctl: the whole command, its start included. Changes come one after the other, with
# a pause that a person would make, and once more without one. added workload: from its being known to
# its being enforced. Run it by nice -n -19 where others use the machine.
BUILD=$(realpath "${1:?usage: apply_latency.sh BUILD [ebpf|nft [ENDPOINTS [POLICIES [CHANGES]]]]}")
plane=${2:-ebpf}
endpoints=${3:-1000}
policies=${4:-250}
changes=${5:-200}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM
id=sga$$
shares=50 # namespaces for the far ends

endpoint() { # NUMBER
	printf -- '- {name: w%d, netns: %s-%d, interface: e%d, labels: {app: a%d}, ' \
		"$1" "$id" $(($1 % shares)) "$1" $(($1 % policies))
	printf 'addresses: [10.78.%d.%d, "fd78::%x"]}\n' $(($1 / 250)) $(($1 % 250 + 1)) "$1"
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

# summary WHAT: reads seconds, one a line.
summary() {
	sort -n | awk -v what="$1" '{ v[NR] = $1 * 1000 }
		END { if (NR) printf "%-44s %9.2f median %9.2f p99 %9.2f worst\n", what,
			v[int((NR + 1) / 2)], v[int(NR * 0.99 + 0.5)], v[NR] }'
}

# request FILE: seconds
request() {
	curl -sS --unix-socket "$work/segd.sock" -o "$work/reply" -w '%{time_total}\n' \
		--data-binary @"$1" "http://localhost/v1/policies?file=change.yaml"
}

# applies PAUSE: one line a change
applies() {
	local i
	for ((i = 0; i < changes; i++)); do
		policy $((i * 7 % policies)) $((2000 + i)) >"$work/change.yaml"
		request "$work/change.yaml"
		sleep "$1"
	done
}

# stages: of the last change, in milliseconds
stages() {
	curl -sS --unix-socket "$work/segd.sock" http://localhost/v1/status |
		jq -r '.last_reconcile.stages | to_entries | map(select(.value >= 0.05) |
			"\(.key) \(.value * 100 | round / 100)") | "  of which " + join(", ")'
}

node_up "$id" || exit 1
for ((i = 0; i < shares; i++)); do
	ip netns add "$id-$i" && namespaces+=("$id-$i") || exit 1
done
for ((i = 0; i <= endpoints; i++)); do
	echo "link add ve$i up type veth peer name e$i netns $id-$((i % shares))"
done | ip -n "$id" -batch - || exit 1
{ echo 'workloads:'; for ((i = 0; i < endpoints; i++)); do endpoint "$i"; done; } >"$work/workloads.yaml"
{ cat "$work/workloads.yaml"; endpoint "$endpoints"; } >"$work/more.yaml"
cp "$work/workloads.yaml" "$work/fewer.yaml"
for ((i = 0; i < policies; i++)); do policy "$i"; done >"$work/policies.yaml"

agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit || exit 1
attached() { # COUNT
	[ "$(segctl status -o json | jq .workloads)" = "$1" ]
}
await 60 attached "$endpoints"
echo "$plane: $endpoints endpoints, $policies policies, $changes changes"
request "$work/policies.yaml" | summary "all policies at once"
applies 0.05 | summary "one policy changed: request"
stages
applies 0 | summary "… without a pause"
for ((i = 0; i < changes / 10; i++)); do
	cp "$work/more.yaml" "$work/workloads.yaml"
	await 10 attached $((endpoints + 1)) || exit 1
	curl -sS --unix-socket "$work/segd.sock" http://localhost/v1/status |
		jq '.last_reconcile.milliseconds / 1000'
	cp "$work/fewer.yaml" "$work/workloads.yaml"
	await 10 attached "$endpoints" || exit 1
done | summary "added workload"
for ((i = 0; i < changes / 4; i++)); do
	policy $((i * 7 % policies)) $((3000 + i)) >"$work/change.yaml"
	start=$EPOCHREALTIME
	segctl policy apply -f "$work/change.yaml" >/dev/null
	end=$EPOCHREALTIME
	echo "$start $end" | awk '{ printf "%.6f\n", $2 - $1 }'
	sleep 0.05
done | summary "one policy changed: segctl"
for ((i = 0; i < changes / 4; i++)); do
	start=$EPOCHREALTIME
	segctl --version >/dev/null
	end=$EPOCHREALTIME
	echo "$start $end" | awk '{ printf "%.6f\n", $2 - $1 }'
done | summary "(segctl that does nothing)"
awk '/^VmRSS/ { printf "%-44s %9.1f MiB\n", "memory of the agent", $2 / 1024 }' "/proc/$agent_pid/status"
