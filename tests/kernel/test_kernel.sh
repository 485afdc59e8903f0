#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is different on a kernel before 6.6, and what the kernel says of it: test_kernel.sh BUILD
BUILD=$(realpath "${1:?usage: test_kernel.sh BUILD}")
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgk$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
options=(--no-docker --workloads="$work/workloads.yaml")

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

timed_start() { # OPTION...
	local begin
	agent_stop
	begin=$(now_ms)
	agent_start "${options[@]}" "$@" || exit 1
	echo "  the agent answered $(($(now_ms) - begin)) ms after its start ($*)"
}

status() { # JQ-FILTER
	segctl status -o json | jq -c "$1"
}

echo "== Linux $(uname -r), auto"
timed_start --dataplane=auto
expect "auto chooses eBPF" '"ebpf"' status .dataplane
expect "by clsact on each interface" '["clsact"]' status '[.plane.attached[].mechanism] | unique'
filters() { # INTERFACE ingress|egress
	tc -n "$id" -j filter show dev "$1" "$2" |
		jq -r '[.[].options.bpf_name // empty | sub(":.*"; "")] | unique | join(" ")'
}
for interface in ve11 ve12; do
	expect "the filter for what leaves $interface" segd_leave filters $interface ingress
	expect "the filter for what enters $interface" segd_enter filters $interface egress
done

echo "== what the verifier made of the programs"
cat /proc/"$agent_pid"/fdinfo/* 2>/dev/null | awk '
	/^(prog_id|memlock|verified_insns):/ { value[$1] = $2 }
	/^verified_insns:/ { printf "  program %s: %s instructions walked, %s bytes\n",
		value["prog_id:"], value["verified_insns:"], value["memlock:"] }' | sort -u

echo "== nft, whose modules nobody has loaded"
setting() { # NAME: of the node
	in_ns "$id" cat "/proc/sys/net/$1"
}
exits "br_netfilter is not there" 1 test -e /proc/sys/net/bridge
exits "conntrack is not there" 1 test -e /proc/sys/net/netfilter/nf_conntrack_acct
timed_start --dataplane=nft
expect "nftables takes over" '"nft"' status .dataplane
exits "no filter is left on ve11" 1 sh -c "tc -n '$id' filter show dev ve11 ingress | grep segd"
check "nft lists the table" in_ns "$id" nft list table inet segd
for name in bridge/bridge-nf-call-iptables bridge/bridge-nf-call-ip6tables \
	netfilter/nf_conntrack_acct netfilter/nf_conntrack_timestamp; do
	expect "net/$name is on" 1 setting $name
done
agent_stop
check "segd --remove" in_ns "$id" "$BUILD/segd" --remove --pin-directory="$work/bpf"
expect "bridged packets are left alone again" 0 setting bridge/bridge-nf-call-iptables

finish
