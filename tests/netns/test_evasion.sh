#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Ways around a policy, from raw sockets in a workload: test_evasion.sh BUILD ebpf|nft
# The rows are in tests/evasion: each trick first without an agent, then the truthful frame behind it
# with an agent that has no policy, then the trick under the policy, refused and counted.
BUILD=${1:?usage: test_evasion.sh BUILD PLANE}
plane=${2:?usage: test_evasion.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=evade$$
make --no-print-directory -sC "$here" BUILD="$BUILD" evasion-binary || exit 1

# A workload behind a router, that is the node: its own network, no bridge.
routed_up() { # NAMESPACE NUMBER NAME LABELS
	workload_up "$@"
	ip -n "$node" link set "ve$2" nomaster
	ip -n "$1" addr flush dev eth0 scope global
	ip -n "$node" addr add 10.78.0.1/24 dev "ve$2"
	ip -n "$node" addr add fd78::1/64 dev "ve$2" nodad
	ip -n "$1" addr add "10.78.0.$2/24" dev eth0
	ip -n "$1" addr add "fd78::$2/64" dev eth0 nodad
	ip -n "$1" route add default via 10.78.0.1
	ip -n "$1" route add default via fd78::1
}

mac_of() { # NAMESPACE INTERFACE
	ip -n "$1" -j link show "$2" | jq -r '.[0].address'
}

# Nobody asks for neighbours meanwhile: that is a row of its own, and not the others' business.
know() { # NAMESPACE INTERFACE MAC ADDRESS...
	local address
	for address in "${@:4}"; do
		ip -n "$1" neigh replace "$address" lladdr "$3" dev "$2" nud permanent
	done
}

# Nor does anybody complain, half a minute later, about fragments that never became whole.
settle() { # NAMESPACE
	ip netns exec "$1" sysctl -qw net.ipv4.ipfrag_time=600 net.ipv6.ip6frag_time=600 \
		net.ipv6.conf.all.router_solicitations=0 net.ipv6.conf.eth0.router_solicitations=0
}

node_up "$id"
workload_up "$id-tricky" 31 tricky "app: tricky"
workload_up "$id-victim" 32 victim "app: victim"
routed_up "$id-far" 33 far "app: victim"
tricky_mac=$(mac_of "$id-tricky" eth0) victim_mac=$(mac_of "$id-victim" eth0)
far_mac=$(mac_of "$id-far" eth0) bridge_mac=$(mac_of "$id" br0) router_mac=$(mac_of "$id" ve33)
know "$id-tricky" eth0 "$victim_mac" 10.77.0.32 fd77::32
know "$id-tricky" eth0 "$bridge_mac" 10.77.0.1 fd77::1
know "$id-victim" eth0 "$tricky_mac" 10.77.0.31 fd77::31
know "$id-victim" eth0 "$bridge_mac" 10.77.0.1 fd77::1
know "$id-far" eth0 "$router_mac" 10.78.0.1 fd78::1
know "$id" ve33 "$far_mac" 10.78.0.33 fd78::33
know "$id" br0 "$tricky_mac" 10.77.0.31 fd77::31
know "$id" br0 "$victim_mac" 10.77.0.32 fd77::32
# Bridges learn from forged frames; here only our verdict shall matter. Nor shall the kernel's own look
# at bridged IP packets, which the nft data plane turns on.
bridge -n "$id" fdb replace "$tricky_mac" dev ve31 master sticky static
bridge -n "$id" fdb replace "$victim_mac" dev ve32 master sticky static
ip netns exec "$id" sysctl -qw net.bridge.bridge-nf-call-iptables=0 \
	net.bridge.bridge-nf-call-ip6tables=0
for name in tricky victim far; do
	settle "$id-$name"
done
ip netns exec "$id" sysctl -qw net.ipv4.ipfrag_time=600 net.ipv6.ip6frag_time=600 \
	net.netfilter.nf_conntrack_frag6_timeout=600

# evasion PHASE: its checks count as ours.
evasion() {
	local log=$work/evasion.log p f
	"$BUILD/tests/evasion/evasion" "$1" "$plane" bridged "$id-tricky" "$id-victim" \
		"$work/segd.sock" "$victim_mac" 10.77.0.31 fd77::31 \
		10.77.0.32 fd77::32 10.77.0.1 fd77::1 10.77.0.88 fd77::88 >"$log"
	sum_up "$log"
	"$BUILD/tests/evasion/evasion" "$1" "$plane" routed "$id-tricky" "$id-far" \
		"$work/segd.sock" "$bridge_mac" 10.77.0.31 fd77::31 \
		10.78.0.33 fd78::33 10.78.0.1 fd78::1 10.78.0.88 fd78::88 >"$log"
	sum_up "$log"
}

sum_up() { # LOG
	local p f
	read -r p f < <(awk '/^[0-9]+ passed, / { print $1, $3; found = 1 }
		END { if (!found) print 0, 1 }' "$1")
	grep -v '^[0-9]* passed, ' "$1"
	passed=$((passed + p)) failed=$((failed + f))
}

echo "== nobody enforces"
evasion bare

echo "== the truthful frames, under an agent without policy"
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" \
	--remove-on-exit --adoption=0 --allow-ethertype=0x88cc || exit 1
evasion plain

echo "== under the policy"
cat >"$work/policy.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: one-port}
spec:
  subject: app=victim
  tier: admin
  priority: 1
  ingress:
  - from: [{workloads: app=tricky}]
    ports: [udp/7000, tcp/7000, sctp/7000]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: nothing-else}
spec:
  subject: app=victim
  tier: admin
  priority: 2
  ingress:
  - from: [{workloads: app=tricky}]
    action: deny
END
check "apply" segctl policy apply -f "$work/policy.yaml"
evasion denied

echo "== path MTU discovery, by the kernels themselves"
ip -n "$id" link set ve33 mtu 1400
knows_mtu() { # ADDRESS
	ip -n "$id-tricky" route get "$1" | grep -q 'mtu 1400'
}
send_large() { # ADDRESS
	head -c 1440 /dev/zero | in_ns "$id-tricky" nc -u -q 0 -w 1 "$1" 7000
	knows_mtu "$1"
}
for address in 10.78.0.33 fd78::33; do
	exits "nobody has told of the narrow link to $address" 1 knows_mtu "$address"
	check "the router's word about it comes through" await 3 send_large "$address"
done

all_listed() { # unless one is refused between the two questions
	listed=$(segctl denied -o json | jq '[.denied[].packets] | add')
	counted=$(segctl status -o json | jq '[.plane.counters | to_entries[] | select(.key | IN("policy_allowed",
		"established", "related", "adopted", "audited", "neighbour") | not) | .value.packets] | add')
	[ "$listed" = "$counted" ]
}
await 5 all_listed
check "segctl lists as many refusals as it counts ($counted)" test "$listed" = "$counted"

finish
