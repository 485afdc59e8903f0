#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Workloads speak only in their own name: test_spoof.sh BUILD ebpf|nft
# Forged frames arrive where nobody enforces. Under an agent the truthful ones arrive and the forged ones
# do not, each counted and listed once, with whom it named.
BUILD=${1:?usage: test_spoof.sh BUILD PLANE}
plane=${2:?usage: test_spoof.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgs$$
node_up "$id"
workload_up "$id-liar" 21 liar "app: liar"
workload_up "$id-victim" 22 victim "app: victim"
# Nobody who learns from forged frames: only our verdict shall matter.
for name in liar victim; do
	[ $name = liar ] && port=ve21 || port=ve22
	mac=$(ip -n "$id-$name" -j link show eth0 | jq -r '.[0].address')
	bridge -n "$id" fdb replace "$mac" dev $port master sticky static
done

# --- frames, in hexadecimal ---------------------------------------------------------------------

link_mac() { # NAMESPACE
	ip -n "$1" -j link show eth0 | jq -r '.[0].address' | tr -d :
}

link_local() { # MAC
	printf 'fe80000000000000%02x%sfffe%s' $((0x${1:0:2} ^ 2)) "${1:2:4}" "${1:6:6}"
}

# As the agent prints it: groups without leading zeros.
readable() { # LINK-LOCAL-IN-HEX
	printf 'fe80::%x:%x:%x:%x' 0x${1:16:4} 0x${1:20:4} 0x${1:24:4} 0x${1:28:4}
}

checksum() { # HEX: of RFC 1071
	local sum=0 i
	for ((i = 0; i < ${#1}; i += 4)); do
		sum=$((sum + 0x${1:i:4}))
	done
	while ((sum >> 16)); do
		sum=$(((sum & 0xffff) + (sum >> 16)))
	done
	printf '%04x' $((~sum & 0xffff))
}

ipv4() { # SOURCE DESTINATION PROTOCOL PAYLOAD
	local head
	head=$(printf '4500%04x0000400040%s' $((20 + ${#4} / 2)) "$3")
	printf '%s%s%s%s%s' "$head" "$(checksum "${head}0000$1$2")" "$1" "$2" "$4"
}

udp() { # SPORT DPORT DATA: no checksum, as IPv4 allows
	printf '%04x%04x%04x0000%s' "$1" "$2" $((8 + ${#3} / 2)) "$3"
}

ipv6() { # SOURCE DESTINATION PROTOCOL LIMIT PAYLOAD
	printf '60000000%04x%s%s%s%s%s' $((${#5} / 2)) "$3" "$4" "$1" "$2" "$5"
}

# summed SOURCE DESTINATION PROTOCOL BEFORE AFTER: a payload with its checksum between the two
summed() {
	local pseudo
	pseudo=$(printf '%s%s%08x%08x' "$1" "$2" $(((${#4} + ${#5}) / 2 + 2)) $((0x$3)))
	printf '%s%s%s' "$4" "$(checksum "$pseudo${4}0000$5")" "$5"
}

udp6() { # SOURCE DESTINATION SPORT DPORT DATA
	ipv6 "$1" "$2" 11 40 "$(summed "$1" "$2" 11 \
		"$(printf '%04x%04x%04x' "$3" "$4" $((8 + ${#5} / 2)))" "$5")"
}

icmp6() { # SOURCE DESTINATION TYPE BODY
	ipv6 "$1" "$2" 3a ff "$(summed "$1" "$2" 3a "${3}00" "$4")"
}

arp() { # OPERATION MAC SENDER TARGET
	printf '000108000604%04x%s%s000000000000%s' "$1" "$2" "$3" "$4"
}

# --- sending ------------------------------------------------------------------------------------

# travels FRAME: arrived or silent, as the victim sees it: where there is a tag, behind that, since the
# kernel takes it out of the frame.
travels() {
	local ready=$work/await seen=${1:24}
	[[ $seen != 8100* ]] || seen=${seen:8}
	: >"$ready"
	in_ns "$id-victim" "$tools/frame" await eth0 "$seen" "$(patience 300)" >"$ready" &
	local listener=$!
	await 5 grep -q ready "$ready"
	in_ns "$id-liar" "$tools/frame" send eth0 "$1"
	wait $listener
	tail -1 "$ready"
}

start_agent() {
	agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" \
		--remove-on-exit --adoption=0
}

counted() { # REASON
	segctl status -o json | jq "[.. | objects | select(has(\"counters\")) | .counters.$1.packets // 0] | max // 0"
}

# total REASON SOURCE DESTINATION: packets listed. The nft data plane does not keep what a frame said:
# there it is the sender's name, and no destination.
total() {
	local wanted=".source.ip == \"$2\" and .destination.ip == \"$3\""
	[ "$plane" = ebpf ] || wanted='.source.workload == "liar"'
	segctl denied -o json |
		jq "[.denied[] | select(.reason == \"$1\" and $wanted) | .packets] | add // 0"
}

# The lies, tried out where nobody enforces before they are told to the agent.
descriptions=() reasons=() sources=() destinations=() frames=()

names=() truths=()

truth() { # DESCRIPTION FRAME
	names+=("$1") truths+=("$2")
}

lie() { # DESCRIPTION REASON SOURCE DESTINATION FRAME: addresses as the agent shall list them
	descriptions+=("$1") reasons+=("$2") sources+=("$3") destinations+=("$4") frames+=("$5")
}

judge_lie() { # INDEX
	local i=$1 before listed what reason
	what=${descriptions[i]} reason=${reasons[i]}
	before=$(counted "$reason")
	listed=$(total "$reason" "${sources[i]}" "${destinations[i]}")
	expect "$what does not arrive" silent travels "${frames[i]}"
	expect "$what is counted once as $reason" $((before + 1)) counted "$reason"
	expect "$what is listed once, ${sources[i]} to ${destinations[i]}" $((listed + 1)) \
		total "$reason" "${sources[i]}" "${destinations[i]}"
}

mine=$(link_mac "$id-liar")
its=$(link_mac "$id-victim")
to=$its$mine
everybody=ffffffffffff$mine
own4=0a4d0015 victim4=0a4d0016 foreign4=0a4d0017
own6=fd770000000000000000000000000021 victim6=fd770000000000000000000000000022
foreign6=fd770000000000000000000000000023
own_link=$(link_local "$mine") victim_link=$(link_local "$its")
own_link_ip=$(readable "$own_link") victim_link_ip=$(readable "$victim_link")
all_nodes=ff020000000000000000000000000001
multicast=333300000001$mine
hello=73656764
router=fd770000000000000000000000000001

# --- addresses

truth "IPv4 from its own address" "${to}0800$(ipv4 $own4 $victim4 11 "$(udp 4000 4001 $hello)")"
lie "IPv4 from another address" spoofed_source 10.77.0.23 10.77.0.22 \
	"${to}0800$(ipv4 $foreign4 $victim4 11 "$(udp 4000 4001 $hello)")"
truth "IPv6 from its own address" "${to}86dd$(udp6 $own6 $victim6 4000 4001 $hello)"
lie "IPv6 from another address" spoofed_source fd77::23 fd77::22 \
	"${to}86dd$(udp6 $foreign6 $victim6 4000 4001 $hello)"
lie "a frame from another MAC" spoofed_mac 10.77.0.21 10.77.0.22 \
	"${its}0200000000990800$(ipv4 $own4 $victim4 11 "$(udp 4000 4001 $hello)")"

# --- link-local addresses

syn=$(summed "$own_link" "$victim_link" 06 0fa00050000000010000000050022000 0000)
lie "TCP between link-local addresses" spoofed_source "$own_link_ip" "$victim_link_ip" \
	"${to}86dd$(ipv6 "$own_link" "$victim_link" 06 40 "$syn")"

# --- ARP

truth "an announcement of its own address" "${everybody}0806$(arp 2 "$mine" $own4 $own4)"
lie "an announcement of its neighbour's" spoofed_arp 10.77.0.22 10.77.0.22 "${everybody}0806$(arp 2 "$mine" $victim4 $victim4)"
lie "a request with another's MAC" spoofed_arp 10.77.0.21 10.77.0.22 "${everybody}0806$(arp 1 020000000099 $own4 $victim4)"
truth "a probe for its own address" "${everybody}0806$(arp 1 "$mine" 00000000 $own4)"
lie "a probe for its neighbour's" spoofed_arp 0.0.0.0 10.77.0.22 "${everybody}0806$(arp 1 "$mine" 00000000 $victim4)"

# --- neighbour discovery

truth "an advertisement of itself" \
	"${multicast}86dd$(icmp6 "$own_link" $all_nodes 88 "20000000${own6}0201$mine")"
lie "an advertisement of its neighbour" spoofed_neighbour "$own_link_ip" ff02::1 \
	"${multicast}86dd$(icmp6 "$own_link" $all_nodes 88 "20000000${victim6}0201$mine")"
lie "an advertisement with another's MAC" spoofed_neighbour "$own_link_ip" ff02::1 \
	"${multicast}86dd$(icmp6 "$own_link" $all_nodes 88 "20000000${own6}0201$its")"
lie "a router advertisement" router_advertisement "$own_link_ip" ff02::1 \
	"${multicast}86dd$(icmp6 "$own_link" $all_nodes 86 400007080000000000000000)"
lie "a redirect" spoofed_neighbour "$own_link_ip" ff02::1 \
	"${multicast}86dd$(icmp6 "$own_link" $all_nodes 89 "00000000${router}${own6}")"

# --- DHCP

truth "DHCP, as a client" "${to}0800$(ipv4 $own4 $victim4 11 "$(udp 68 4001 $hello)")"
lie "DHCP, as a server" dhcp_server 10.77.0.21 10.77.0.22 "${to}0800$(ipv4 $own4 $victim4 11 "$(udp 67 68 $hello)")"
lie "DHCPv6, as a server" dhcp_server fd77::21 fd77::22 "${to}86dd$(udp6 $own6 $victim6 547 546 $hello)"

# --- other frames

lie "a VLAN tag" unsupported_ethertype :: :: \
	"${to}81000005""0800$(ipv4 $own4 $victim4 11 "$(udp 4000 4001 $hello)")"
lie "an unknown type" unsupported_ethertype :: :: "${to}88b5$hello$hello$hello"

echo "== nobody enforces"
for i in "${!frames[@]}"; do
	expect "${descriptions[i]} arrives without an agent" arrived travels "${frames[i]}"
done
start_agent || exit 1
echo "== the truth"
for i in "${!truths[@]}"; do
	expect "${names[i]} arrives" arrived travels "${truths[i]}"
done
echo "== the lies"
for i in "${!frames[@]}"; do
	judge_lie "$i"
done

finish
