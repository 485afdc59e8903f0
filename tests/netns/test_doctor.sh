#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Troubles that really are there, and whether the doctor finds them; each is looked for before, too:
# test_doctor.sh BUILD ebpf|nft
BUILD=${1:?usage: test_doctor.sh BUILD PLANE}
plane=${2:?usage: test_doctor.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
cleanup() {
	umount "$work/tiny" 2>/dev/null
	node_down
}
trap cleanup EXIT
trap 'exit 130' INT TERM

id=sgo$$
node_up "$id"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-web" 14 web "app: web"
options=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml")

# What the agent says, and what segd says without one (with more options or by way of a command).
online() {
	segctl doctor -o json
}
offline() {
	"${by[@]}" nsenter --net="/run/netns/$id" -- "$BUILD/segd" --doctor=json "${options[@]}" \
		--state-directory="$work/state" --log-directory="$work/log" \
		--pin-directory="$work/bpf" "$@"
}
by=()

# finds LEVEL CHECK REGEX COMMAND...: the report has such a finding, with something to do about it.
finds() {
	"${@:4}" | jq -e --arg level "$1" --arg check "$2" --arg what "$3" '.findings |
		any(.level == $level and .check == $check and (.what | test($what)) and
			(.level == "ok" or .advice != null))'
}
lacks() {
	"${@:3}" | jq -e --arg level "$1" --arg check "$2" \
		'.findings | all(.level != $level or .check != $check)'
}
# appears LEVEL CHECK REGEX DESCRIPTION REPORT TROUBLE...: not there, then the trouble, then there.
appears() {
	check "$4: not yet" lacks "$1" "$2" "$5"
	"${@:6}" || fail "$4: make the trouble"
	check "$4: $1" finds "$1" "$2" "$3" "$5"
}

echo "== without an agent"
exits "segctl doctor cannot reach one" 3 segctl doctor
check "and names what works without" sh -c \
	"'$BUILD/segctl' --socket '$work/none' doctor 2>&1 | grep -q 'segd --doctor'"
exits "segd --doctor: the node is in good health" 0 offline
check "it finds both workloads" finds ok workloads "2 of 2" offline
check "it says that no agent was asked" finds note agent "without an agent" offline
check "the same as text" sh -c "'$BUILD/segd' --doctor --no-docker --dataplane=$plane \
	--state-directory='$work/state' | grep -q '^ok  *kernel: Linux'"
exits "another form is wrong usage" 64 "$BUILD/segd" --doctor=xml

echo "== what the process may do"
by=(setpriv --bounding-set=-net_admin --inh-caps=-net_admin)
if [ "$plane" = ebpf ]; then
	without='cannot (attach|load)'
else
	without='write nftables'
fi
check "CAP_NET_ADMIN is dropped" finds error capabilities "CAP_NET_ADMIN.*$without" offline
exits "which is an error" 1 offline
by=()
check "and not before" finds ok capabilities "every capability" offline
mkdir "$work/tiny"
small_disk() {
	mount -t tmpfs -o size=1m tmpfs "$work/tiny"
}
tiny() {
	offline --log-directory="$work/tiny"
}
appears error log-space "only [01] MiB" "a full disk" tiny small_disk
dead_socket() {
	spawn "$id" nc -lU "$work/docker.sock"
	await 3 test -S "$work/docker.sock"
	kill "$spawned"
	wait "$spawned" 2>/dev/null
	[ -S "$work/docker.sock" ]
}
docker_there() {
	offline --docker="$work/docker.sock"
}
appears error docker "nobody answers" "a runtime that died" docker_there dead_socket

echo "== with an agent"
agent_start "${options[@]}" || exit 1
exits "all is well" 0 segctl doctor
check "what is attached is told with its workload" finds ok attached 've13 \(default/db\)' online
check "whatever is not well has advice" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' doctor -o json |
	jq -e '.findings | all(.level == \"ok\" or .advice != null)'"
check "the kernel's abilities are told" finds ok nftables inet online
check "nothing but problems unless asked" sh -c \
	"! '$BUILD/segctl' --socket '$work/segd.sock' doctor | grep -q '^  ok'"
check "all on demand" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' doctor -a | grep -q '^  ok'"
forward_drop() {
	in_ns "$id" nft 'add table ip other
		add chain ip other FORWARD { type filter hook forward priority 0; policy drop; }'
}
appears note forward-drop "chain FORWARD of table ip other" "another firewall that drops" online \
	forward_drop
no_forwarding() {
	in_ns "$id" sysctl -qw net.ipv4.ip_forward=0
}
appears note ip-forward "not forwarded" "no forwarding" online no_forwarding
strict_paths() {
	in_ns "$id" sysctl -qw net.ipv4.conf.all.rp_filter=1
}
appears note rp-filter strict "strict reverse paths" online strict_paths
no_ipv6() {
	in_ns "$id" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
}
appears note ipv6 "turned off" "no IPv6" online no_ipv6
in_ns "$id" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv4.ip_forward=1
exits "notes are no illness" 0 segctl doctor

echo "== programs of others"
"$tools/foreign" "$work/bpf/foreign" pin 0 2>/dev/null || {
	mkdir -p "$work/bpf" && mount -t bpf bpffs "$work/bpf" && "$tools/foreign" "$work/bpf/foreign" pin 0
}
put_filter() { # INTERFACE PRIORITY
	tc -n "$id" qdisc replace dev "$1" clsact
	tc -n "$id" filter add dev "$1" ingress pref "$2" protocol all bpf da \
		object-pinned "$work/bpf/foreign"
}
if [ "$plane" = ebpf ]; then
	appears note foreign-behind "foreign runs behind ours on what leaves ve13" \
		"a filter behind ours" online put_filter ve13 7
	exits "that is no illness" 0 segctl doctor
	agent_kill
	if [ "$(offline | jq -r '[.findings[] | select(.check == "attached")][0].what' |
		grep -c tcx)" = 1 ]; then
		put_before() {
			spawn "$id" "$tools/foreign" ve14 ingress 0 >"$work/foreign"
			await 3 grep -q attached "$work/foreign"
		}
		appears error foreign-before "foreign runs before ours on what leaves ve14" \
			"a program before ours, while no agent repairs" offline put_before
		kill "$spawned"
		index=$(ip -n "$id" -j link show ve13 | jq '.[0].ifindex')
		appears error detached "no program of ours .* enters ve13" "ours is taken off" offline \
			bpftool link detach pinned "$work/bpf/links/$index-enter"
	else
		skipped=$((skipped + 1))
		echo "  skip  tcx: this kernel has no tcx links"
	fi
	agent_start "${options[@]}" || exit 1
	exits "a new agent puts both right" 0 segctl doctor
	unmounted() { # in a mount namespace of its own: what is pinned stays for everybody else
		by=(unshare --mount --propagation private sh -c 'umount "$0" && exec "$@"' "$work/bpf")
	}
	appears note bpffs "is on no bpffs" "a mount namespace without the bpffs" offline unmounted
	by=()
	nsenter -t "$agent_pid" -m umount -l "$work/bpf"
	check "the agent has lost its bpffs" finds error bpffs "cannot be reached" online
	exits "which is an error" 1 segctl doctor
else
	appears warning foreign-before "foreign on ve13 .* may redirect" "a program before nftables" \
		online put_filter ve13 7
	tc -n "$id" qdisc del dev ve13 clsact
	umount "$work/bpf" 2>/dev/null

	echo "== what nftables does not see"
	agent_stop
	bridge_off() {
		in_ns "$id" sysctl -qw net.bridge.bridge-nf-call-iptables=0
	}
	in_ns "$id" sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
	appears error br-netfilter "off for IPv4:" "br_netfilter is off" offline bridge_off
	in_ns "$id" sysctl -qw net.bridge.bridge-nf-call-iptables=1
	macvlan_up() {
		ip netns add "$id-mac" && namespaces+=("$id-mac") &&
			ip -n "$id" link add par0 type veth peer name par1 &&
			ip -n "$id" link set par0 up && ip -n "$id" link set par1 up &&
			ip -n "$id" link add mv30 link par0 type macvlan mode bridge &&
			ip -n "$id" link set mv30 netns "$id-mac" name eth0 &&
			ip -n "$id-mac" addr add 10.78.0.30/24 dev eth0 &&
			ip -n "$id-mac" link set eth0 up &&
			printf -- '- {name: mac, netns: %s}\n' "$id-mac" >>"$work/workloads.yaml"
	}
	appears error out-of-reach "default/mac has a macvlan" "a macvlan interface" offline macvlan_up
fi

finish
