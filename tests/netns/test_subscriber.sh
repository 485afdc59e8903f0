#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Somebody who follows and reads nothing: what that costs the agent, and another one who follows:
# test_subscriber.sh BUILD ebpf|nft
# CHUNKS=N (10) of 100 connections: their records are more than what waits for a reader at most.
BUILD=${1:?usage: test_subscriber.sh BUILD PLANE}
plane=${2:?usage: test_subscriber.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM
chunks=${CHUNKS:-10}
connections=$((chunks * 100))

id=sgf$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
in_ns "$id" sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_time_wait=1 \
	net.netfilter.nf_conntrack_tcp_timeout_close=1
in_ns "$id-api" sysctl -qw net.ipv4.tcp_max_tw_buckets=0
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit \
	--adoption=0 || exit 1

connect() { # PORT COUNT
	in_ns "$id" "$tools/short_connections" "$id-web" "$id-api" 10.77.0.12 "$1" "$2" | cut -d ' ' -f 1
}
follow() { # FILE: flows as they come, as JSON lines; its pid is in followers
	"$BUILD/segctl" --socket "$work/segd.sock" flows --follow -o json >"$1" &
	followers+=($!)
	children+=($!)
}
resident_kib() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$agent_pid/status"
}
status() { # JQ-FILTER
	segctl status -o json | jq "$1"
}
metric() { # NAME
	curl -s --unix-socket "$work/segd.sock" http://segd/metrics | awk -v name="$1" '$1 == name { print $2 }'
}
count() { # FILE EVENT
	grep -c "\"event\": *\"$2\"" "$work/$1"
}
has() { # FILE EVENT COUNT
	[ "$(count "$1" "$2")" -ge "$3" ]
}
# A little at a time, since a reader who is merely slow, for want of a core, loses, too: 100 beginnings and
# the ends of 1000 have room in the queue of one who reads nothing meanwhile (800 KiB of 1 MiB).
load() { # PORT
	local i opened=0 already
	for ((i = 0; i < chunks; i++)); do
		already=$(count fast new)
		[ "$(connect "$1" 100)" = opened=100 ] && opened=$((opened + 100))
		await 5 has fast new $((already + 100))
		# Nor may the ends of thousands come at once.
		[ $((i % 10)) != 9 ] || await 20 has fast end $((already + 100))
	done
	expect "$connections connections" "$connections" echo "$opened"
}
followers=()
follow "$work/fast"
follow "$work/stuck"
following() {
	[ "$(status .flows.subscribers)" = 2 ]
}
check "two follow" await 5 following
load 8000 # takes the memory that a load takes anyway
check "and both read" await 5 has stuck new "$connections"

echo "== one is stopped"
kill -STOP "${followers[1]}"
before=$(resident_kib)
load 8010
load 8020
check "the other one has each beginning" has fast new $((3 * connections))
check "and each end" await 20 has fast end $((3 * connections))
expect "of which none twice" "$((3 * connections)) $((3 * connections))" echo "$(count fast new) $(count fast end)"
after=$(resident_kib)
echo "        the agent's memory: $before KiB before, $after KiB after"
check "what waits is bounded" test $((after - before)) -lt 6144
lost=$(metric segd_stream_lost_total)
check "what has no room is counted ($lost lines)" test "$lost" -gt 0
expect "none of it is the log's or the data plane's" 0 status '.flows | .lost + .log.lost'

echo "== and goes on"
kill -CONT "${followers[1]}"
check "its own losses are gap records" await 10 has stuck gap 1
expect "new traffic" opened=50 connect 8040 50
has_new() {
	[ "$(grep '"event": *"new"' "$work/stuck" | grep -cE '"port": *(8040|8041)[,}]')" = 50 ]
}
check "is told to it again" await 5 has_new
check "and its end" await 10 has fast end $((3 * connections + 50))
total() { # FILE: records, and what gaps say is missing
	echo $(($(grep -vc '"event": *"gap"' "$1") + $(grep '"event": *"gap"' "$1" | jq -s 'map(.lost) | add // 0')))
}
both_whole() {
	[ "$(total "$work/stuck")" = "$(total "$work/fast")" ]
}
check "records and gaps add up to what the other one has" await 10 both_whole
expect "which has no gap" 0 count fast gap
check "each line is as the schema says" sh -c "head -2000 '$work/stuck' |
	'$here/tests/validate_records.py' - && grep '\"gap\"' '$work/stuck' | '$here/tests/validate_records.py' -"

finish
