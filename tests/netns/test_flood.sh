#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A flood of SYNs from one workload, and everybody else's connections; a scan from it, and everybody
# else's refusals: test_flood.sh BUILD ebpf|nft
# FLOOD=N (1000000) SYNs, CONNECTIONS=N (200) of others.
#
# Runs alone: its packets take the queues of the cores from every other test.
BUILD=${1:?usage: test_flood.sh BUILD PLANE}
plane=${2:?usage: test_flood.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
if [ "$plane" != ebpf ]; then
	echo "  skip  the connection table is the eBPF data plane's own"
	skipped=1
	finish
	exit
fi
trap node_down EXIT
trap 'exit 130' INT TERM
flood=${FLOOD:-1000000}
connections=${CONNECTIONS:-200}

id=sgf$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-flooder" 13 flooder "app: flooder"
serve "$id-api" tcp/8080 tcp/9000
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" \
	--remove-on-exit --adoption=0 || exit 1

echo "== $connections connections"
pulses=()
for i in $(seq "$connections"); do
	spawn "$id-web" "$tools/pulse" 10.77.0.12 8080 100 >"$work/pulse.$i"
	pulses+=("$spawned")
done
connected() {
	[ "$(grep -l connected "$work"/pulse.* | wc -l)" = "$connections" ]
}
check "stand" await 20 connected

echo "== $flood SYNs from another workload"
mac() { # NAMESPACE
	ip -n "$1" -j link show eth0 | jq -r '.[0].address' | tr -d :
}
frame=$(mac "$id-api")$(mac "$id-flooder")0800
frame+=4500002800004000400600000a4d000d0a4d000c # 10.77.0.13 to 10.77.0.12
frame+=04004e2000000001000000005002ffff00000000
expect "are sent" "sent=$flood" in_ns "$id-flooder" "$tools/syn_flood" eth0 "$frame" "$flood"

status() { # JQ-FILTER
	segctl status -o json | jq "$1"
}
counted() {
	status '.plane.counters.endpoint_connections_full.packets // 0'
}
full=$(counted)
passed_by=$(status '.plane.tables.connections.used')
echo "  $full refused, $passed_by connections in the table"
check "most are refused, and the agent counts them" test "$full" -gt $((flood / 2))
check "the table has room for others" test "$passed_by" -lt 262144
check "segctl denied names who did it, and why" sh -c "$BUILD/segctl --socket $work/segd.sock denied -o json |
	jq -e '.denied | any(.source.workload == \"flooder\" and .reason == \"endpoint_connections_full\")'"
expect "a new connection of another workload passes" open probe "$id-web" tcp 10.77.0.12 8080

echo "== a scan from it"
expect "web -> api tcp/9000 passes without a policy" open probe "$id-web" tcp 10.77.0.12 9000
cat >"$work/policy.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec:
  subject: app=api
  ingress: [{from: [{workloads: app=web}], ports: [tcp/8080]}]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: flooder}
spec: {subject: app=flooder, egress: []}
END
check "apply" segctl policy apply -f "$work/policy.yaml"
# 10.77.0.13 to 10.77.0.20 and on: 60000 ports of each, more kinds of refusals than the table takes.
target=${frame/0a4d000c/0a4d0014}
spawn "$id-flooder" "$tools/syn_flood" eth0 "$target" 10000000 scan >"$work/scan"
scan=$spawned
share_is_used_up() {
	[ "$(status '.plane.losses.denial_aggregate')" -gt 100000 ]
}
check "uses up its share of the table of refusals" await 20 share_is_used_up
expect "web is refused meanwhile" timeout probe "$id-web" tcp 10.77.0.12 9000
kinds=$(status '.plane.tables.denials.used')
check "the scan is still going on" kill -0 "$scan"
kill "$scan"
check "the table has room for others ($kinds kinds)" test "$kinds" -lt 32768
of_web() {
	segctl denied -o json | jq -e '.denied | any(.source.workload == "web" and
		.destination.port == 9000 and .reason == "policy_denied")'
}
check "segctl denied has what web was refused" await 5 of_web

echo "== and the connections"
kill "${pulses[@]}"
for pulse in "${pulses[@]}"; do
	wait "$pulse" || broken=$((${broken:-0} + 1))
done
expect "all go on, and each beat was answered" 0 echo "${broken:-0}"

finish
