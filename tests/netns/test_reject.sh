#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Refused packets that get an answer (onDeny: reject): test_reject.sh BUILD ebpf|nft
BUILD=${1:?usage: test_reject.sh BUILD PLANE}
plane=${2:?usage: test_reject.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgr$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
# Neither is a workload: one on the bridge, one behind the node.
workload_up "$id-near" 15 near
head -3 "$work/workloads.yaml" >"$work/two.yaml"
ip netns add "$id-far"
namespaces+=("$id-far")
ip netns exec "$id-far" sysctl -qw net.ipv6.conf.default.accept_dad=0
ip -n "$id" link add far0 type veth peer name eth0 netns "$id-far"
ip -n "$id" addr add 10.78.0.1/24 dev far0
ip -n "$id" addr add fd78::1/64 dev far0 nodad
ip -n "$id" link set far0 up
ip -n "$id-far" addr add 10.78.0.15/24 dev eth0
ip -n "$id-far" addr add fd78::15/64 dev eth0 nodad
ip -n "$id-far" link set eth0 up
ip -n "$id-far" route add default via 10.78.0.1
ip -n "$id-far" route add default via fd78::1
serve "$id-web" tcp/80 udp/53
serve "$id-api" tcp/8080 udp/8080
serve "$id-far" tcp/80 udp/53
agent_start --dataplane="$plane" --no-docker --workloads="$work/two.yaml" --remove-on-exit \
	--adoption=0 --restrict-node || exit 1
probe_ms=2000

policy() { # DROP-OR-REJECT
	sed "s/ANSWER/$1/" >"$work/policy.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: web}
spec:
  subject: app=web
  egress:
  - to: [{cidr: 192.0.2.1/32}]
    onDeny: ANSWER
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec:
  subject: app=api
  ingress:
  - from: [{cidr: 192.0.2.1/32}]
    onDeny: ANSWER
END
	segctl policy apply -f "$work/policy.yaml"
}

# FROM, then to whom: out of web, and into api from the bridge, from behind the node, from the node.
attempts() { # WANTED WORDS
	local from protocol port others="near far"
	for protocol in tcp udp; do
		port=80
		[ $protocol = udp ] && port=53
		expect "web -> far $protocol/$port $2" "$1" probe "$id-web" $protocol 10.78.0.15 $port
		expect "web -> far $protocol/$port over IPv6 $2" "$1" probe "$id-web" $protocol fd78::15 $port
		# Resets that nft sends do not find their way back out of the bridge.
		[ "$plane/$1/$protocol" != nft/refused/tcp ] || others=near
		for from in $others; do
			expect "$from -> api $protocol/8080 $2" "$1" probe "$id-$from" $protocol 10.77.0.12 8080
			expect "$from -> api $protocol/8080 over IPv6 $2" "$1" probe "$id-$from" $protocol fd77::12 8080
		done
		# Where nft refuses what the node sends, the sender's own system call fails.
		[ "$plane" = nft ] && [ "$1" != open ] ||
			expect "the node -> api $protocol/8080 $2" "$1" probe "$id" $protocol 10.77.0.12 8080
	done
}

echo "== without a policy"
attempts open "passes"

echo "== dropped"
probe_ms=200
policy drop
attempts timeout "is dropped without a word"

echo "== answered"
probe_ms=2000
policy reject
attempts refused "is told at once"

echo "== as error numbers"
error_of() { # FROM tcp|udp ADDRESS PORT
	in_ns "$1" "$tools/probe" "$2" "$3" "$4" 2000 1 error
}
expect "TCP: connection refused" "Connection refused" error_of "$id-web" tcp 10.78.0.15 80
expect "TCP over IPv6: connection refused" "Connection refused" error_of "$id-near" tcp fd77::12 8080
expect "UDP: no route to host" "No route to host" error_of "$id-web" udp 10.78.0.15 53
expect "UDP over IPv6: permission denied" "Permission denied" error_of "$id-far" udp fd77::12 8080

if [ "$plane" = nft ]; then
	echo "  skip  nft drops what it has cut: its peers are not told"
	skipped=$((skipped + 1))
	finish
	exit
fi

echo "== a running connection"
segctl policy delete SegmentPolicy web >"$work/deleted" && segctl policy delete SegmentPolicy api >>"$work/deleted"
for pair in "web 10.78.0.15 80" "far fd77::12 8080"; do
	read -r from to port <<<"$pair"
	spawn "$id-$from" "$tools/pulse" "$to" "$port" 20 >"$work/pulse.$from"
	eval "pulse_$from=$spawned"
	await 5 grep -q connected "$work/pulse.$from"
done
sleep 0.2
policy reject
reset_told() { # FROM
	grep -q 'ended="Connection reset by peer"' "$work/pulse.$1"
}
check "the workload that opened it gets a reset" await 3 reset_told web
check "and so does a peer from elsewhere" await 3 reset_told far

finish
