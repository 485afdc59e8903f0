#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a bridge floods: test_unknown_unicast.sh BUILD ebpf|nft
# It has forgotten where db is, and hands web's packets for db to everybody.
BUILD=${1:?usage: test_unknown_unicast.sh BUILD PLANE}
plane=${2:?usage: test_unknown_unicast.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgu$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-db" 12 db "app: db"
workload_up "$id-bystander" 13 bystander "app: bystander"
serve "$id-db" udp/5432 tcp/5432
serve "$id-bystander" tcp/80
bridge -n "$id" link set dev ve12 learning off
bridge -n "$id" fdb del "$(ip -n "$id-db" -j link show eth0 | jq -r '.[0].address')" dev ve12 master 2>/dev/null

address() { # NAME FAMILY
	local number
	case $1 in db) number=12 ;; bystander) number=13 ;; esac
	[ "$2" = ipv4 ] && echo "10.77.0.$number" || echo "fd77::$number"
}

listener() { # NAME WORD: ends when it has heard the word. Its pid is in spawned.
	local ready=$work/$1.$2
	spawn "$id-$1" "$tools/frame" await eth0 "$(printf %s "$2" | od -An -tx1 | tr -d ' \n')" 10000 >"$ready"
	await 5 grep -q ready "$ready"
}

heard() { # NAME WORD
	grep -q arrived "$work/$1.$2" && echo arrived || echo silent
}

# flood WORD FAMILY: web says it to db. Prints what came of it at db and at the bystander, who has it as soon as
# db has, if at all.
flood() {
	local at_db at_bystander
	listener db "$1" && at_db=$spawned
	listener bystander "$1" && at_bystander=$spawned
	in_ns "$id-web" bash -c "printf %s '$1' >'/dev/udp/$(address db "$2")/5432'"
	wait "$at_db"
	if [ "${awaited##*, }" = silent ]; then
		sleep 0.2
		kill "$at_bystander" 2>/dev/null
	fi
	wait "$at_bystander" 2>/dev/null
	echo "$(heard db "$1"), $(heard bystander "$1")"
}

counted() {
	segctl status -o json | jq '.plane.counters.unknown_unicast.packets // 0'
}

# Refusals between the two, by whomever.
refused_to_db() {
	segctl denied -o json |
		jq '[.denied[] | select(.source.workload == "web" and .destination.workload == "db")] | length'
}

allow() { # PEERS: what the bystander receives
	cat >"$work/policy.yaml" <<-YAML
		apiVersion: segctl.io/v1
		kind: SegmentPolicy
		metadata: {name: bystander}
		spec:
		  subject: app=bystander
		  ingress: [$1]
	YAML
	segctl policy apply -f "$work/policy.yaml"
}

echo "== nobody enforces"
for family in ipv4 ipv6; do
	check "db answers $family" opens "$id-web" udp "$(address db $family)" 5432
	expect "and whoever sniffs hears $family" "arrived, arrived" flood "bare-$family" $family
done

agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit ||
	exit 1
# The nft data plane passes it where the workload may hear everybody (segd.8).
sniffed=silent
[ "$plane" = ebpf ] || sniffed=arrived
echo "== nobody forbids it"
for family in ipv4 ipv6; do
	before=$(counted)
	expect "what is for db, $family" "arrived, $sniffed" flood "posture-$family" $family
	[ "$plane" = nft ] || check "is counted" test "$(counted)" -gt "$before"
	check "what is for the bystander arrives" opens "$id-web" tcp "$(address bystander $family)" 80
done

echo "== the bystander hears web"
check "apply" allow "{from: [{workloads: app=web}]}"
for family in ipv4 ipv6; do
	expect "what is for db, $family" "arrived, silent" flood "heard-$family" $family
	check "what is for the bystander arrives" opens "$id-web" tcp "$(address bystander $family)" 80
done

echo "== the bystander hears nobody"
check "apply" allow ""
for family in ipv4 ipv6; do
	before=$(counted)
	expect "what is for db, $family" "arrived, silent" flood "deaf-$family" $family
	[ "$plane" = nft ] || check "is counted" test "$(counted)" -gt "$before"
	check "db answers $family" opens "$id-web" udp "$(address db $family)" 5432
	expect "what is for the bystander is refused" timeout probe "$id-web" tcp \
		"$(address bystander $family)" 80
done
expect "nothing that db got is told as refused" 0 refused_to_db
check "what the bystander was refused is" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' denied -o json |
	jq -e '.denied | any(.source.workload == \"web\" and .destination.workload == \"bystander\" and .reason == \"policy_denied\")'"
if [ "$plane" = ebpf ]; then
	check "the counter is a metric" sh -c "curl -s --unix-socket '$work/segd.sock' http://segd/metrics |
		grep -q 'segd_packets_total{reason=\"unknown_unicast\"}'"
	check "status says what it is" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' status | grep -q 'flooded by a bridge'"
fi
finish
