#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two nodes with a VXLAN overlay between them, an agent on each: test_overlay.sh BUILD ebpf|nft
BUILD=${1:?usage: test_overlay.sh BUILD PLANE}
plane=${2:?usage: test_overlay.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"

# Both nodes in turn are the library's node: what it needs to know of each is kept by number.
nodes=() works=() agents=()
select_node() {
	node=${nodes[$1]} work=${works[$1]} agent_pid=${agents[$1]-}
}
down() {
	local all=("${namespaces[@]}") i
	for i in 1 0; do
		[ -n "${nodes[$i]-}" ] || continue
		select_node $i
		agent_stop
		namespaces=()
		[ $i != 0 ] || namespaces=("${all[@]}")
		node_down
	done
}
trap down EXIT
trap 'exit 130' INT TERM

id=sgo$$
# One overlay network over both nodes: the workloads' addresses differ in their numbers only.
everything=()
for i in 0 1; do
	node_up "$id-n$i"
	everything+=("$id-n$i")
	nodes[i]=$node works[i]=$work
	namespaces=("${everything[@]}")
done
ip -n "$id-n0" link add under type veth peer name under netns "$id-n1"
for i in 0 1; do
	ip -n "$id-n$i" addr add "192.0.2.$((i + 1))/24" dev under
	ip -n "$id-n$i" link set under up
	ip -n "$id-n$i" link add vx0 type vxlan id 77 dstport 4789 \
		local "192.0.2.$((i + 1))" remote "192.0.2.$((2 - i))" || exit 1
	ip -n "$id-n$i" link set vx0 master br0 up
	# Each node has its own address on the network.
	[ $i = 0 ] || {
		ip -n "$id-n1" addr del 10.77.0.1/24 dev br0
		ip -n "$id-n1" addr del fd77::1/64 dev br0
		ip -n "$id-n1" addr add 10.77.0.2/24 dev br0
		ip -n "$id-n1" addr add fd77::2/64 dev br0 nodad
	}
done
select_node 0
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
select_node 1
workload_up "$id-db" 13 db "app: db"
workload_up "$id-intruder" 14 intruder ""
serve "$id-web" tcp/80
serve "$id-api" tcp/8080
serve "$id-db" tcp/5432
probe_ms=300

# Workloads of the other node are addresses here: an agent does not tell others of its own.
remote=$work/remote.yaml
cat >"$remote" <<-'YAML'
	apiVersion: segctl.io/v1
	kind: SegmentPolicy
	metadata: {name: api-to-remote-db}
	spec:
	  subject: app=api
	  egress: [{to: [{cidr: 10.77.0.13/32}, {cidr: "fd77::13/128"}], ports: [tcp/5432]}]
	---
	apiVersion: segctl.io/v1
	kind: SegmentPolicy
	metadata: {name: db-from-remote-api}
	spec:
	  subject: app=db
	  ingress: [{from: [{cidr: 10.77.0.12/32}, {cidr: "fd77::12/128"}], ports: [tcp/5432]}]
YAML
for i in 0 1; do
	select_node $i
	agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" \
		--nflog-group=$((90 + i)) || exit 1
	agents[i]=$agent_pid
done
on_node() { # NUMBER COMMAND...
	select_node "$1"
	"${@:2}"
}

each() { # WANTED WHY FROM NUMBER PORT: over both families
	expect "$3 -> 10.77.0.$4:$5 $2" "$1" probe "$id-$3" tcp "10.77.0.$4" "$5"
	expect "$3 -> fd77::$4:$5 $2" "$1" probe "$id-$3" tcp "fd77::$4" "$5"
}

echo "== from node to node, no policy"
each open "passes" web 12 8080
each open "passes" api 13 5432
each open "passes" web 13 5432
each open "passes" intruder 12 8080
each open "passes" db 11 80

echo "== the three-tier policy on both"
for i in 0 1; do
	check "node $i: policies" on_node $i segctl policy apply \
		-f "$here/policies/examples/three-tier.yaml" -f "$remote"
done
each open "passes on one node" web 12 8080
each open "passes over the overlay" api 13 5432
each timeout "is refused" web 13 5432
each timeout "is refused" intruder 12 8080
each timeout "is refused" db 11 80

echo "== each node holds by itself"
select_node 0
agent_stop
agents[0]=
nsenter --net="/run/netns/$id-n0" -- "$BUILD/segd" --remove --pin-directory="$work/bpf"
each timeout "is refused where it arrives" web 13 5432
each open "passes still" api 13 5432
each timeout "is refused where it leaves" intruder 12 8080
each timeout "is refused where it leaves" db 11 80
denied_on_arrival() {
	segctl denied -o json | jq -e '.denied | any(.source.ip == "10.77.0.11" and
		.destination.workload == "db" and .port == 5432)'
}
check "segctl denied names the address on the other node, and the workload here" on_node 1 await 5 denied_on_arrival

finish
