#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# segd --second-lock: programs that are taken off close instead of opening: test_lock.sh BUILD ebpf|nft
# Each time they are taken off under an agent that is stopped or dead, first without the lock.
BUILD=${1:?usage: test_lock.sh BUILD PLANE}
plane=${2:?usage: test_lock.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=lock$$
node_up "$id"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-gone" 14 gone "app: gone"
listed=$(cat "$work/workloads.yaml")
workload_up "$id-out" 20 out "" # nobody's workload
printf '%s\n' "$listed" >"$work/workloads.yaml"
serve "$id-db" tcp/5432 udp/5353
serve "$id-api" tcp/8080
serve "$id-out" tcp/80
serve "$id" tcp/9000
probe_ms=200
options=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml")

tables() {
	in_ns "$id" nft list tables | grep -c segd_lock
}

if [ "$plane" = nft ]; then
	agent_start "${options[@]}" --second-lock || exit 1
	expect "there is no lock beside the nft data plane" 0 tables
	check "and status says so" sh -c "$BUILD/segctl --socket $work/segd.sock status |
		grep -q 'second-lock guards the ebpf data plane only'"
	finish
	exit
fi

cat >"$work/policy.yaml" <<-'YAML'
	apiVersion: segctl.io/v1
	kind: SegmentPolicy
	metadata: {name: db}
	spec:
	  subject: app=db
	  ingress: [{from: [{workloads: app=api}], ports: [tcp/5432, udp/5353]}]
	  egress: []
	---
	apiVersion: segctl.io/v1
	kind: SegmentPolicy
	metadata: {name: web}
	spec:
	  subject: app=web
	  egress: [{to: [{workloads: app=api}, {entity: host}]}]
YAML

# What an in-kernel program alone stands against, both ways, over the bridge and from the node.
refused() { # WHEN
	local probe_ms=100
	for family in 10.77.0. fd77::; do
		expect "outsider -> db is refused $1 (${family}13)" timeout \
			probe "$id-out" tcp "${family}13" 5432
		expect "outsider -> db by UDP is refused $1" timeout \
			probe "$id-out" udp "${family}13" 5353
		expect "web -> outsider is refused $1" timeout probe "$id-web" tcp "${family}20" 80
	done
}
# What was refused has left neighbours half found, which would wait for their next question.
forget_neighbours() {
	local name
	for name in "$id" "$id-db" "$id-api" "$id-web" "$id-out"; do
		ip -n "$name" neigh flush all
	done
}
opened() { # WHEN: the control
	forget_neighbours
	for family in 10.77.0. fd77::; do
		expect "outsider -> db passes $1 (${family}13)" open \
			probe "$id-out" tcp "${family}13" 5432
		expect "outsider -> db by UDP passes $1" open probe "$id-out" udp "${family}13" 5353
		expect "web -> outsider passes $1" open probe "$id-web" tcp "${family}20" 80
	done
}
usual() { # WHEN
	forget_neighbours
	for family in 10.77.0. fd77::; do
		expect "api -> db passes $1 (${family}13)" open probe "$id-api" tcp "${family}13" 5432
		expect "api -> db by UDP passes $1" open probe "$id-api" udp "${family}13" 5353
		expect "web -> node passes $1" open probe "$id-web" tcp "${family}1" 9000
		expect "node -> db passes $1" open probe "$id" tcp "${family}13" 5432
	done
	refused "$1"
}
still() { # WHEN: in short
	forget_neighbours
	expect "api -> db passes $1" open probe "$id-api" tcp 10.77.0.13 5432
	expect "outsider -> db is refused $1" timeout probe "$id-out" udp fd77::13 5353
}
datagrams() { # that db's kernel handed to its sockets
	ip netns exec "$id-db" awk '/^Udp: [0-9]/ { udp = $2 } END { print udp }' /proc/net/snmp
}
off() { # what holds the programs, off both hooks of db and web
	local number index
	for number in 13 11; do
		index=$(ip -n "$id" -j link show "ve$number" | jq '.[0].ifindex')
		case $1 in
		detached)
			bpftool link detach pinned "$work/bpf/links/$index-enter"
			bpftool link detach pinned "$work/bpf/links/$index-leave"
			;;
		unpinned) rm "$work/bpf/links/$index-enter" "$work/bpf/links/$index-leave" ;;
		filters) tc -n "$id" qdisc del dev "ve$number" clsact ;;
		esac
	done
}
start() {
	agent_start "${options[@]}" "$@" || exit 1
	segctl policy apply -f "$work/policy.yaml" >/dev/null
}
remove() {
	agent_stop
	nsenter --net="/run/netns/$id" -- "$BUILD/segd" --remove --pin-directory="$work/bpf"
}
status() { # JQ
	segctl status -o json | jq -r "$1"
}

echo "== no policy, no agent"
opened "before"

ways=(filters)
start
mechanism=$(status '.plane.attached[0].mechanism')
expect "no lock unless it is wanted" null status .second_lock
expect "and no table" 0 tables
remove
if [ "$mechanism" = tcx ]; then
	ways=(detached unpinned filters)
else
	skipped=$((skipped + 1))
	echo "  skip  tcx: this kernel has no tcx links"
fi

for way in "${ways[@]}"; do
	how=()
	[ "$way" = filters ] && how=(--clsact)
	echo "== programs $way"
	start "${how[@]}"
	refused "by policy"
	agent_kill
	off "$way"
	opened "without the lock"
	start "${how[@]}" --second-lock
	usual "with the lock"
	agent_kill
	usual "with the agent killed"
	off "$way"
	before=$(datagrams)
	refused "with programs $way"
	expect "nothing gets as far as db's sockets" "$before" datagrams
	start "${how[@]}" --second-lock
	still "with a new agent"
	if [ "$way" = detached ]; then
		kill -STOP "$agent_pid"
		off "$way"
		# Not even what policy allows, nor what claims the mark.
		ip netns exec "$id-web" nft add table inet forge
		ip netns exec "$id-web" nft \
			'add chain inet forge out { type filter hook output priority 0; }'
		ip netns exec "$id-web" nft add rule inet forge out meta mark set 0xffffffff
		refused "under a stopped agent"
		expect "so is what policy allows" timeout probe "$id-api" tcp 10.77.0.13 5432
		expect "and what the node sends" timeout probe "$id" tcp 10.77.0.13 5432
		ip netns exec "$id-web" nft delete table inet forge
		kill -CONT "$agent_pid"
		is_restored() {
			[ "$(status '[.troubles[] | select(.message | test("detached")) |
				select(.repaired)] | length')" -ge 2 ]
		}
		check "the agent goes on and puts them back" await 5 is_restored
		still "again"
		is_told() {
			segctl denied -o json | jq -e '.denied | any(.reason == "second_lock" and
				.direction == "egress" and .source.workload == "web")'
		}
		check "what left is told as refused by the second lock" await 5 is_told
		check "and counted" test "$(status .plane.counters.second_lock.packets)" -gt 0
	fi
	remove
	expect "the table goes with segd --remove" 0 tables
done

echo "== one direction only"
if [ "$mechanism" = tcx ]; then
	start --second-lock
	agent_kill
	index=$(ip -n "$id" -j link show ve13 | jq '.[0].ifindex')
	bpftool link detach pinned "$work/bpf/links/$index-enter"
	before=$(datagrams)
	expect "the program that sees what leaves still runs" timeout \
		probe "$id-out" udp 10.77.0.13 5353
	expect "what enters is stopped all the same" "$before" datagrams
	start --second-lock
	expect "repaired by the next agent" open probe "$id-api" udp 10.77.0.13 5353
	remove
fi

echo "== the table"
start --second-lock=0x40000
check "status shows the lock" sh -c "$BUILD/segctl --socket $work/segd.sock status |
	grep -q 'second lock .*on 4 interfaces, by packet mark 0x40000'"
repaired() {
	[ "$(status .second_lock.repairs)" -ge "$1" ]
}
in_ns "$id" nft delete table netdev segd_lock
check "removed by hand: made anew" await 5 repaired 1
in_ns "$id" nft flush chain netdev segd_lock seal
check "a chain emptied: made anew" await 5 repaired 2
still "after that"
rename() { # FROM TO: older kernels only take it while the link is down
	ip -n "$id" link set "$1" down
	ip -n "$id" link set "$1" name "$2"
	ip -n "$id" link set "$2" up
	await 5 ip netns exec "$id" ping -c1 -W1 10.77.0.13
}
rename ve13 renamed13
hooked() {
	in_ns "$id" nft list table netdev segd_lock | grep -c "device \"$1\"" | grep -qx "$2"
}
check "it follows a new name" await 5 hooked renamed13 2
still "under the new name"
rename renamed13 ve13
check "and back" await 5 hooked ve13 2
ip netns del "$id-gone"
check "it goes with its interface" await 5 hooked ve14 0
ip -n "$id" link add ve14 type veth peer name peer14
ip -n "$id" link set ve14 up
check "another interface of that name is not locked" hooked ve14 0
ip -n "$id" link del ve14

echo "== another mark, and none, without a gap"
pulse() { # sets pulse, which runs until it is killed
	spawn "$id-api" "$tools/pulse" 10.77.0.13 5432 5 >"$work/pulse.$1"
	pulse=$spawned
	await 5 grep -q connected "$work/pulse.$1"
}
unharmed() { # NAME
	kill -TERM "$pulse"
	await 3 grep -q beats= "$work/pulse.$1"
	check "no packet of a connection was lost ($(grep beats= "$work/pulse.$1"))" grep -Eq \
		'^beats=([0-9]+) answered=\1 lost=0$' "$work/pulse.$1"
}
pulse marks
agent_stop
expect "the table stays when the agent ends" 1 tables
agent_start "${options[@]}" --second-lock=0x80000 || exit 1
expect "a restart with another mark" 0x80000 status .second_lock.mark
agent_kill
agent_start "${options[@]}" --second-lock=0x80000 || exit 1
agent_stop
agent_start "${options[@]}" || exit 1
expect "a restart without a lock" 0 tables
agent_stop
agent_start "${options[@]}" --second-lock || exit 1
expect "and with one again" 1 tables
unharmed marks

echo "== with the fast path"
agent_stop
agent_start "${options[@]}" --second-lock --fast-path || exit 1
pulse fast
bridged() {
	ip -n "$id" -j -s link show ve13 | jq '.[0].stats64.tx.packets'
}
sent() { # by api, as its own interface counts
	ip -n "$id-api" -j -s link show eth0 | jq '.[0].stats64.tx.packets'
}
sent_above() {
	[ "$(sent)" -gt "$1" ]
}
await 5 sent_above $(($(sent) + 20))
packets=$(sent) bridge=$(bridged)
await 5 sent_above $((packets + 100))
check "the bridge does not see an established connection" test $(($(bridged) - bridge)) -le 20
usual "with the fast path"
unharmed fast

finish
