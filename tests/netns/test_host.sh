#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Policy on the node itself: test_host.sh BUILD ebpf|nft
# An operator sits outside, behind a link of the node's own; workloads sit on its bridge. Each denial
# is first seen to pass without the policy.
BUILD=${1:?usage: test_host.sh BUILD PLANE}
plane=${2:?usage: test_host.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=host$$
operator=$id-op
node_up "$id"
workload_up "$id-web" 21 web "app: web"
workload_up "$id-job" 22 job "app: job"
ip netns add "$operator"
namespaces+=("$operator")
ip netns exec "$operator" sysctl -qw net.ipv6.conf.default.accept_dad=0
ip -n "$node" link add up0 type veth peer name eth0 netns "$operator"
ip -n "$node" addr add 10.78.0.1/24 dev up0
ip -n "$node" addr add fd78::1/64 dev up0 nodad
ip -n "$node" link set up0 up
ip -n "$operator" addr add 10.78.0.2/24 dev eth0
ip -n "$operator" addr add fd78::2/64 dev eth0 nodad
ip -n "$operator" link set eth0 up
ip -n "$operator" link set lo up
ip -n "$operator" route add default via 10.78.0.1
serve "$node" tcp/22 tcp/8080 tcp/9000 tcp/50051
serve "$operator" tcp/7000 tcp/7001 tcp/50051
serve "$id-web" tcp/5000
start=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit)
agent_start "${start[@]}" || exit 1

apply() {
	segctl policy apply -f - >"$work/apply" 2>&1 || { cat "$work/apply"; return 1; }
}

tables() {
	in_ns "$node" nft list tables | grep -c segd_host
}

denied() { # JQ-CONDITION: some refusal is like that
	segctl denied -o json | jq -es "[.[] | (.denied? // .)[]? // . | select($1)] | length > 0"
}

flows_have() { # JQ-CONDITION
	segctl flows -o json | jq -e "[.flows[] | select($1)] | length > 0"
}

declare -A pulses
beat() { # NAME NAMESPACE ADDRESS PORT [PATIENCE-MS]: a session, until expect_end looks at it
	spawn "$2" "$tools/pulse" "$3" "$4" 5 "${@:5}" >"$work/$1"
	pulses[$1]=$spawned
	await 5 grep -q connected "$work/$1"
}

# expect_end WANTED NAME WHAT: in this shell, whose child it is
expect_end() {
	kill "${pulses[$2]}" 2>/dev/null
	wait "${pulses[$2]}"
	[ $? = "$1" ] && pass "$3" || fail "$3"
}

table_is_back() {
	[ "$(tables)" = 1 ]
}

echo "== without policy on the node everything passes, and there is no table"
for port in 22 8080 9000; do
	expect "operator reaches tcp/$port" open probe "$operator" tcp 10.78.0.1 "$port"
	expect "operator reaches tcp/$port, IPv6" open probe "$operator" tcp fd78::1 "$port"
done
expect "a workload reaches the node" open probe "$id-job" tcp 10.77.0.1 8080
expect "the node reaches the operator" open probe "$node" tcp 10.78.0.2 7000
expect "no table" 0 tables

# Where conntrack comes to a running connection, it takes whoever sends next for the one who asks.
turned_around() { # PORT
	in_ns "$node" conntrack -L -p tcp --orig-src 10.78.0.1 --orig-port-src "$1" 2>/dev/null | grep -q .
}
in_ns "$node" nft -f - <<'END'
table inet before {
	chain tracked {
		type filter hook output priority 0
		ct state established
	}
	chain untracked {
		type filter hook prerouting priority raw
		iifname up0 notrack
	}
}
END
beat cut-turned "$operator" 10.78.0.1 8080 1000
beat kept-turned "$operator" 10.78.0.1 9000
check "conntrack has one that policy will refuse the wrong way round" await 5 turned_around 8080
check "and one that policy will allow" await 5 turned_around 9000
in_ns "$node" nft delete chain inet before untracked
in_ns "$node" nft delete table inet before

beat cut "$operator" 10.78.0.1 8080 1000
beat kept "$operator" 10.78.0.1 9000
beat failsafe "$operator" 10.78.0.1 22

# Both ports are such as clients have, and the client's is the lower one.
for end in "$node" "$operator"; do
	ip netns exec "$end" sysctl -qw net.ipv4.ip_local_port_range="40000 41000"
done
beat cut-rpc "$operator" 10.78.0.1 50051 1000
beat kept-rpc "$node" 10.78.0.2 50051

echo "== ingress"
apply <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: node-in}
spec:
  subject: entity:host
  ingress:
  - from: [{workloads: app=web}]
    ports: [tcp/8080]
  - from: [{cidr: 10.78.0.2/32}, {cidr: "fd78::2/128"}]
    ports: [tcp/9000]
END
expect "one table" 1 tables
for address in 10.78.0.1 fd78::1; do
	expect "operator keeps tcp/9000 at $address" open probe "$operator" tcp "$address" 9000
	expect "operator loses tcp/8080 at $address" timeout probe "$operator" tcp "$address" 8080
	expect "the failsafe port stays at $address" open probe "$operator" tcp "$address" 22
done
expect "the named workload gets in" open probe "$id-web" tcp 10.77.0.1 8080
expect "the named workload gets in, IPv6" open probe "$id-web" tcp fd77::1 8080
expect "another workload does not" timeout probe "$id-job" tcp 10.77.0.1 8080
expect "the node still reaches the operator" open probe "$node" tcp 10.78.0.2 7000
expect "the node still reaches its workloads" open probe "$node" tcp 10.77.0.21 5000
expect "loopback passes" open probe "$node" tcp 127.0.0.1 8080
expect "the node reaches itself by its address" open probe "$node" tcp 10.78.0.1 8080
ip -n "$operator" neigh flush dev eth0
expect "neighbours are found anew" open probe "$operator" tcp fd78::1 9000
check "a refusal names rule, direction and the node" denied '.rule.name == "node-in" and
	.direction == "ingress" and .destination.entity == "host" and
	.destination.port == 8080 and .source.ip == "10.78.0.2"'

expect_end 0 kept "the session that policy allows goes on"
expect_end 0 kept-turned "and so does the one that conntrack has the wrong way round"
expect_end 1 cut "the one that it refuses is cut"
expect_end 1 cut-turned "and so is the one that conntrack has the wrong way round"
expect_end 1 cut-rpc "and one to a port that may be a client's"
expect_end 0 kept-rpc "the node's own to such a port goes on"
check "and reported, cut or refused by the node's policy" await 3 flows_have '(.reason == "revoked" or .event == "denied") and
	.destination.port == 8080 and .direction == "ingress"'

echo "== the agent dies, and another one comes"
agent_kill
expect "still refused" timeout probe "$operator" tcp 10.78.0.1 8080
expect "still allowed" open probe "$operator" tcp 10.78.0.1 9000
handle=$(in_ns "$node" nft -a list table inet segd_host | sed -n 's/^table inet segd_host .*handle //p')
agent_start "${start[@]}" --failsafe=tcp/22,tcp/9000 || exit 1
expect "it takes over the same table" "$handle" sh -c \
	"nsenter --net=/run/netns/$node nft -a list table inet segd_host | sed -n 's/^table inet segd_host .*handle //p'"
expect "the failsafe ports are in status" tcp/22,tcp/9000 sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' status -o json | jq -r .host.failsafe"
in_ns "$node" nft delete table inet segd_host
check "a table that somebody removed comes back" await 3 table_is_back
expect "and refuses" timeout probe "$operator" tcp 10.78.0.1 8080

echo "== deny all, both ways, at the top"
apply <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: nothing, namespace: default}
spec:
  subject: {entity: host}
  tier: admin
  ingress: [{action: deny, onDeny: reject}]
  egress: [{action: deny, onDeny: reject}]
END
expect "the node is shut to a workload, with an answer" refused probe "$id-web" tcp 10.77.0.1 8080
expect "the node reaches nobody" refused probe "$node" tcp 10.78.0.2 7000
expect "not its workloads either" refused probe "$node" tcp 10.77.0.21 5000
expect "nor over IPv6" refused probe "$node" tcp fd77::21 5000
expect "failsafe ports stay, both families" openopen sh -c \
	"nsenter --net=/run/netns/$operator sh -c '$tools/probe tcp 10.78.0.1 22 900; $tools/probe tcp fd78::1 9000 900' | tr -d '\n'"
expect "loopback passes" open probe "$node" tcp 127.0.0.1 8080
check "what the node may not send is told" await 3 denied '.rule.name == "nothing" and
	.direction == "egress" and .source.entity == "host" and .destination.port == 7000'
expect_end 0 failsafe "a session that ran on a failsafe port all the while goes on"
check "the plane's counters have the node's refusals" sh -c "'$BUILD/segctl' --socket \
	'$work/segd.sock' status -o json | jq -e '.host.counters.policy_denied.packets as \$n |
		\$n > 0 and .plane.counters.policy_denied.packets >= \$n'"
check "and so have the metrics" sh -c "curl -s --unix-socket '$work/segd.sock' http://segd/metrics |
	grep -E '^segd_packets_total\{reason=\"policy_denied\"\} [1-9]'"
segctl policy delete SegmentPolicy nothing >/dev/null

echo "== egress, and audit"
apply <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: node-out}
spec:
  subject: entity:host
  egress:
  - to: [{cidr: 10.78.0.0/24}]
    ports: [tcp/7000]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: node-in}
spec:
  subject: entity:host
  mode: audit
  ingress: [{from: [{workloads: app=web}]}]
END
expect "allowed out" open probe "$node" tcp 10.78.0.2 7000
expect "refused out" timeout probe "$node" tcp 10.78.0.2 7001
expect "audited in passes" open probe "$operator" tcp 10.78.0.1 8080
check "and says who would refuse it" await 3 flows_have '.verdict == "audited" and
	.rule.name == "node-in" and .destination.port == 8080'

echo "== the workload's egress and the node's ingress, both"
apply <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: job}
spec:
  subject: app=job
  egress: [{to: [{entity: host}], ports: [tcp/9000]}]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: node-in}
spec:
  subject: entity:host
  ingress: [{from: [{workloads: app=job}], ports: [tcp/8080]}]
END
expect "refused by the source" timeout probe "$id-job" tcp 10.77.0.1 8080
check "in the name of the source's policy" await 3 denied '.rule.name == "job" and
	.direction == "egress" and .destination.port == 8080'

echo "== the last policy on the node goes"
segctl policy delete SegmentPolicy node-in >/dev/null
segctl policy delete SegmentPolicy node-out >/dev/null
expect "no table" 0 tables
expect "open again" open probe "$operator" tcp 10.78.0.1 8080
expect "the agent found nothing to complain of" "" grep -iE 'error|cannot' "$work/segd.log"
finish
