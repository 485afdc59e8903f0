#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# segd --fast-path: established connections go past the bridge, and nothing else changes:
# test_fastpath.sh BUILD ebpf|nft
BUILD=${1:?usage: test_fastpath.sh BUILD PLANE}
plane=${2:?usage: test_fastpath.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

if [ "$plane" != ebpf ]; then
	echo "  skip  the fast path is the eBPF data plane's"
	skipped=1
	finish
	exit
fi
id=sgp$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-db" 13 db "app: db"
serve "$id-web" tcp/80
serve "$id-api" tcp/8080
serve "$id-db" tcp/5432
probe_ms=${probe_ms:-200}
options=(--dataplane=ebpf --no-docker --workloads="$work/workloads.yaml")

# Packets that the bridge has handed to the port of api, as it counts them.
bridged() {
	ip -n "$id" -j -s link show ve12 | jq '.[0].stats64.tx.packets'
}
pulse() { # ADDRESS: sets pulse, which runs until it is killed
	spawn "$id-web" "$tools/pulse" "$1" 8080 2 >"$work/pulse.$1"
	pulse=$spawned
	await 5 grep -q connected "$work/pulse.$1"
}
sent() { # by web, as its own interface counts
	ip -n "$id-web" -j -s link show eth0 | jq '.[0].stats64.tx.packets'
}
sent_above() {
	[ "$(sent)" -gt "$1" ]
}
beats_end() { # PULSE ADDRESS: its summary
	kill -TERM "$1"
	await 3 grep -q beats= "$work/pulse.$2"
	grep beats= "$work/pulse.$2"
}

# share ADDRESS: on a new connection, of 100 packets that web sends, how many does the bridge hand to api? In share.
share() {
	local start packets bridge
	pulse "$1"
	await 5 sent_above $(($(sent) + 20))
	kill -STOP "$pulse" # so that both counters tell of the same packets
	start=$(sent) bridge=$(bridged)
	kill -CONT "$pulse"
	await 10 sent_above $((start + 200))
	kill -STOP "$pulse"
	packets=$(($(sent) - start)) bridge=$(($(bridged) - bridge))
	kill -CONT "$pulse"
	share=$((bridge * 100 / packets))
}

echo "== off, as it is by default"
agent_start "${options[@]}" || exit 1
expect "web -> db passes without a policy" open probe "$id-web" tcp 10.77.0.13 5432
check "apply" segctl policy apply -f "$here/policies/examples/three-tier.yaml"
share 10.77.0.12
check "the bridge carries the connection ($share of 100)" test "$share" -ge 80
kill "$pulse"
agent_stop

echo "== on"
agent_start "${options[@]}" --fast-path || exit 1
for address in 10.77.0.12 fd77::12; do
	share "$address"
	check "the bridge does not ($share of 100, $address)" test "$share" -le 10
	result=$(beats_end "$pulse" "$address")
	check "no packet was lost ($result)" grep -Eq \
		'^beats=([0-9]+) answered=\1 lost=0$' <<<"$result"
done
expect "what policy refuses is refused" timeout probe "$id-web" tcp 10.77.0.13 5432
expect "and what it allows passes" open probe "$id-api" tcp 10.77.0.13 5432

echo "== exact counts, revocation"
# count NAMESPACE: what the workload itself sees of tcp/8080.
count() {
	in_ns "$1" nft -f - <<-'NFT'
		table inet seen {
			counter to {}
			counter from {}
			chain in { type filter hook input priority 0; tcp dport 8080 counter name to
				tcp sport 8080 counter name from; }
			chain out { type filter hook output priority 0; tcp dport 8080 counter name to
				tcp sport 8080 counter name from; }
		}
	NFT
}
seen() { # NAMESPACE to|from
	in_ns "$1" nft -j list counter inet seen "$2" | jq '.nftables[1].counter.packets'
}
counted_all() { # as to/from, of all connections since the counters began
	segctl flows -o json --from web --to api | jq -r --argjson known "$known" '[.flows[] |
		select(.id as $id | $known | index($id) | not)] | group_by(.id) |
		map([(map(.packets[0]) | max), (map(.packets[1]) | max)]) |
		"\(map(.[0]) | add)/\(map(.[1]) | add)"'
}
both_seen() {
	echo "$(seen "$1" to)/$(seen "$1" from)"
}
known=$(segctl flows -o json --from web --to api | jq -c '[.flows[].id] | unique')
count "$id-web"
count "$id-api"
share 10.77.0.12
check "the fast path is in use ($share of 100 by the bridge)" test "$share" -le 10
beats_end "$pulse" 10.77.0.12 >/dev/null
wait "$pulse"
none_under_way() { # the last packets of the connection have come
	[ "$(both_seen "$id-web")" = "$(both_seen "$id-api")" ] &&
		[ "$(counted_all)" = "$(both_seen "$id-api")" ]
}
check "what web sent, api received and segd counted is the same" await 20 none_under_way
[ "$failed" = 0 ] || echo "        web $(both_seen "$id-web") api $(both_seen "$id-api") segd $(counted_all)"

pulse 10.77.0.12
await 5 sent_above $(($(sent) + 20))
cat >"$work/revoke.yaml" <<-'YAML'
	apiVersion: segctl.io/v1
	kind: SegmentPolicy
	metadata: {name: revoke}
	spec:
	  subject: app=api
	  tier: admin
	  ingress: [{from: [{workloads: app=web}], action: deny}]
YAML
check "a policy that forbids the running connection" segctl policy apply -f "$work/revoke.yaml"
arrived=$(seen "$id-api" to) left=$(seen "$id-web" to)
tries_again() {
	[ "$(seen "$id-web" to)" -ge $((left + 2)) ]
}
check "web tries again" await 10 tries_again
expect "and not one packet arrives" "$arrived" seen "$id-api" to
expect "nor does a new connection pass" timeout probe "$id-web" tcp 10.77.0.12 8080
kill -KILL "$pulse"

finish
