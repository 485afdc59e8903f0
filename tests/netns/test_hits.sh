#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hits of rules, counted while many decide at once: test_hits.sh BUILD ebpf|nft
BUILD=${1:?usage: test_hits.sh BUILD PLANE}
plane=${2:?usage: test_hits.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM
senders=4
connections=250 # of each sender
datagrams=2000  # of each sender, refused

id=sgi$$
node_up "$id"
workload_up "$id-api" 10 api "app: api"
serve "$id-api" tcp/8080 udp/8080
for i in $(seq $senders); do
	workload_up "$id-web$i" "1$i" "web$i" "app: web"
done
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit \
	--adoption=0 || exit 1

echo "== without a policy"
expect "web1 -> api udp/8080 passes" open probe "$id-web1" udp 10.77.0.10 8080
expect "web1 -> api tcp/8080 passes" open probe "$id-web1" tcp 10.77.0.10 8080
cat >"$work/policy.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec:
  subject: app=api
  ingress:
  - {from: [{workloads: app=web}], ports: [tcp/8080]}
  - {from: [{workloads: app=web}], ports: [udp/8080], action: deny}
END
check "apply" segctl policy apply -f "$work/policy.yaml"

echo "== $senders workloads connect and are refused at the same time"
asking=()
for i in $(seq $senders); do
	spawn "$id-web$i" "$tools/probe" tcp 10.77.0.10 8080 4000 $connections >"$work/tcp.$i"
	asking+=("$spawned")
	spawn "$id-web$i" "$tools/probe" udp 10.77.0.10 8080 1000 $datagrams >"$work/udp.$i"
	asking+=("$spawned")
done
wait "${asking[@]}"
for i in $(seq $senders); do
	expect "the last connection of web$i passed" open cat "$work/tcp.$i"
	expect "none of its datagrams did" timeout cat "$work/udp.$i"
done

hits() { # RULE: as segctl tells them
	segctl inspect rule api "$1" -o json | jq '.policies[].rules[].hits'
}
metric() { # RULE
	curl -s --unix-socket "$work/segd.sock" http://segd/metrics |
		awk -v rule="$1" '/^segd_rule_hits_total/ && index($0, "name=\"api\"") && index($0, rule) { print $NF }'
}
refused() { # packets, as the flow records have them
	segctl flows -o json --verdict denied | jq '[.flows[].packets[0]] | add // 0'
}
of_counter() { # packets, as the data plane counts them
	segctl status -o json | jq '.plane.counters.policy_denied.packets // 0'
}
all_told() {
	[ "$(refused)" = "$(of_counter)" ]
}
check "every refusal is reported" await 5 all_told
expect "connections are hits of the rule that allows them" $((senders * connections)) hits 'ingress[0]'
expect "and in the metrics" $((senders * connections)) metric 'ingress[0]'
total=$(of_counter)
check "most datagrams came to the hook ($total)" test "$total" -gt $((senders * datagrams / 2))
expect "refused packets are hits of the rule that denies them" "$total" hits 'ingress[1]'
expect "and in the metrics" "$total" metric 'ingress[1]'

finish
