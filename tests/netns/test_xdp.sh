#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Early dropping by XDP with real traffic: test_xdp.sh BUILD ebpf|nft
# The node has an uplink, a veth to a namespace that is the world: 192.0.2.0/24 and 2001:db8::/64.
# PREFIXES is how many prefixes the large list has (100000); the time to load them is printed.
BUILD=${1:?usage: test_xdp.sh BUILD PLANE}
plane=${2:?usage: test_xdp.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=xdp$$
probe_ms=${probe_ms:-200}
world=$id-world
options=(--dataplane="$plane" --no-docker --adoption=0)

# --- the node, its uplink, and two neighbours in the world ------------------------------------------

node_up "$id"
workload_up "$id-web" 11 web "app: web"
options+=(--workloads="$work/workloads.yaml")
ip netns add "$world"
namespaces+=("$world")
ip -n "$id" link add up0 type veth peer name eth0 netns "$world"
ip netns exec "$world" sysctl -qw net.ipv6.conf.default.accept_dad=0
ip -n "$world" link set lo up
ip -n "$world" link set eth0 up
ip -n "$id" link set up0 up
ip -n "$id" addr add 192.0.2.1/24 dev up0
ip -n "$id" addr add 2001:db8::1/64 dev up0 nodad
for number in 50 51; do
	ip -n "$world" addr add "192.0.2.$number/24" dev eth0
	ip -n "$world" addr add "2001:db8::$number/64" dev eth0 nodad
done
ip -n "$world" route add default via 192.0.2.1
ip -n "$world" route add default via 2001:db8::1
ip -n "$id" route add default via 192.0.2.50
ip -n "$id" route add default via 2001:db8::50
serve "$id" tcp/8080
serve "$id-web" tcp/8080

# --- looking ----------------------------------------------------------------------------------------

from() { # SOURCE ADDRESS: open, or timeout
	PROBE_SOURCE=$1 probe "$world" tcp "$2" 8080
}

datagram() { # NAMESPACE ADDRESS: arrived in the world, or silent
	local ready=$work/datagram
	: >"$ready"
	spawn "$world" "$tools/frame" await eth0 "$(printf %s "early $2" | od -An -tx1 | tr -d " \n")" \
		"$(patience 300)" >"$ready"
	await 5 grep -q ready "$ready"
	in_ns "$1" bash -c "printf %s 'early $2' >/dev/udp/$2/9090"
	wait "$spawned"
	tail -1 "$ready"
}

xdp_mode() { # INTERFACE: native, generic or none, as the kernel says
	ip -n "$id" -d -j link show "$1" | jq -r '.[0].xdp.mode // 0 |
		if . == 0 then "none" elif . == 1 then "native" elif . == 2 then "generic" else "other" end'
}

early() { segctl status -o json | jq -r ".plane.early.$1"; }
dropped() { segctl status -o json | jq ".plane.counters.$1.packets // 0"; }
mechanisms() { early 'interfaces | sort_by(.interface, .mechanism) | map(.interface + " " + .mechanism) | join(",")'; }
denied_total() { # REASON SOURCE: packets, as segctl denied adds them up
	segctl denied -o json | jq "[.denied[] | select(.reason == \"$1\" and .source.ip == \"$2\") | .packets] | add // 0"
}
deny() { printf '%s\n' "$@" >"$work/deny.txt"; }
reload() { kill -HUP "$agent_pid"; }
post() { # the answer's status
	curl -s -o "$work/answer" -w '%{http_code}' -X POST --unix-socket "$work/segd.sock" \
		http://segd/v1/deny-lists/reload
}

# --- without a list nothing is attached -------------------------------------------------------------

deny '# nothing yet'
agent_start "${options[@]}" --deny-list="$work/deny.txt" || exit 1
expect "an empty list attaches nothing" "" mechanisms
for address in 192.0.2.50 192.0.2.51; do
	expect "without the list $address reaches the node" open from $address 192.0.2.1
	expect "without the list $address reaches the workload" open from $address 10.77.0.11
done
for address in 2001:db8::50 2001:db8::51; do
	expect "without the list $address reaches the node" open from $address 2001:db8::1
done
expect "without the list the node reaches 192.0.2.51" arrived datagram "$id" 192.0.2.51
expect "without the list the workload reaches 192.0.2.51" arrived datagram "$id-web" 192.0.2.51

# --- with it ----------------------------------------------------------------------------------------

deny '; as published' '192.0.2.51/32 ; SBL1' '2001:db8::51/128 # one host' '198.51.100.0/24'
expect "a reload is answered" 200 post
expect "the answer counts prefixes" 3 jq .prefixes "$work/answer"
expect "a veth as uplink gets tc programs for both ways" "up0 out,up0 tc" mechanisms
expect "a listed IPv4 source is cut off from the node" timeout from 192.0.2.51 192.0.2.1
expect "a listed IPv4 source is cut off from the workload" timeout from 192.0.2.51 10.77.0.11
expect "a listed IPv6 source is cut off" timeout from 2001:db8::51 2001:db8::1
expect "its IPv4 neighbour is not" open from 192.0.2.50 192.0.2.1
expect "its IPv6 neighbour is not" open from 2001:db8::50 2001:db8::1
check "what was dropped is counted" test "$(dropped deny_list)" -ge 3
before=$(denied_total deny_list 192.0.2.51)
in_ns "$world" ping -n -q -c 25 -i 0.01 -W 0.1 -I 192.0.2.51 192.0.2.1 >/dev/null 2>&1
expect "refusals are exact: 25 more" $((before + 25)) denied_total deny_list 192.0.2.51
expect "a listed destination is not reached by the node" silent datagram "$id" 192.0.2.51
expect "nor by the workload" silent datagram "$id-web" 192.0.2.51
expect "its neighbour is" arrived datagram "$id-web" 192.0.2.50
check "metrics have it" sh -c "curl -s --unix-socket '$work/segd.sock' http://segd/metrics |
	grep -q 'segd_packets_total{reason=\"deny_list\"}'"

# --- mistakes change nothing ------------------------------------------------------------------------

deny '192.0.2.50/32' 'nonsense' '10.0.0.1/8'
expect "a list with mistakes is refused" 400 post
check "every mistake has its line" grep -q "deny.txt:2: .*deny.txt:3: " "$work/answer"
expect "nothing of it is applied" open from 192.0.2.50 192.0.2.1
expect "what was in force still is" timeout from 192.0.2.51 192.0.2.1

# --- reload under traffic: what both lists have never leaks ----------------------------------------

deny 192.0.2.51 203.0.113.0/24
reload
sum_before=$(dropped deny_list)
in_ns "$world" ping -n -q -c 100 -i 0.002 -W 0.1 -I 192.0.2.51 192.0.2.1 >"$work/leaks" 2>&1 &
pinger=$!
reloads=0
while kill -0 $pinger 2>/dev/null; do
	if [ $((reloads % 2)) = 0 ]; then
		deny 192.0.2.51 203.0.113.0/24 2001:db8::51
	else
		deny 192.0.2.0/28 192.0.2.51/32 198.51.100.0/24
	fi
	post >/dev/null
	reloads=$((reloads + 1))
done
wait $pinger
echo "        $reloads reloads meanwhile"
check "reloads happened under traffic" test $reloads -ge 3
check "no ping got an answer" grep -q "100 packets transmitted, 0 received" "$work/leaks"
expect "each is counted" $((sum_before + 100)) dropped deny_list

# --- without an agent, and the next one -------------------------------------------------------------

deny 192.0.2.51
expect "the list is as before" 200 post
agent_kill
expect "after kill -9 the list is in force" timeout from 192.0.2.51 192.0.2.1
expect "and others pass" open from 192.0.2.50 192.0.2.1
program_of() { # of the link that the agent has pinned
	bpftool -j link show pinned "$(echo "$work"/bpf/xdp/links/*-tc)" | jq .prog_id
}
before=$(program_of)
in_ns "$world" ping -n -q -c 80 -i 0.01 -W 0.1 -I 192.0.2.51 192.0.2.1 >"$work/leaks" 2>&1 &
pinger=$!
agent_start "${options[@]}" --deny-list="$work/deny.txt" || exit 1
wait $pinger
check "nothing passes while the next one takes over" \
	grep -q "80 packets transmitted, 0 received" "$work/leaks"
expect "it took over" "up0 out,up0 tc" mechanisms
check "with its own program" test "$before" != "$(program_of)"

# --- a large list -----------------------------------------------------------------------------------

seq "${PREFIXES:-100000}" | awk '{ n = $1 * 7 % 16777216
	printf "%d.%d.%d.%d/32\n", 20 + n / 1048576, n / 4096 % 256, n / 16 % 256, n % 16 * 16 }' \
	>"$work/large.txt"
cat "$work/large.txt" >>"$work/deny.txt"
expect "a large list is loaded" 200 post
expect "all of it" $((${PREFIXES:-100000} + 1)) jq .prefixes "$work/answer"
echo "        $(jq -r '"\(.prefixes) prefixes in \(.milliseconds | round) ms"' "$work/answer")"
expect "it drops" timeout from 192.0.2.51 192.0.2.1
expect "and lets pass" open from 192.0.2.50 192.0.2.1

# --- nothing left to drop ---------------------------------------------------------------------------

deny '# empty again'
expect "the list is emptied" 200 post
expect "everything is taken off" "" mechanisms
expect "192.0.2.51 passes again" open from 192.0.2.51 192.0.2.1
agent_stop

# --- floods -----------------------------------------------------------------------------------------

mac() { # NAMESPACE INTERFACE
	ip -n "$1" -j link show "$2" | jq -r '.[0].address' | tr -d :
}

# A TCP SYN from 192.0.2.51 to port 8080 of the node.
syn=$(mac "$id" up0)$(mac "$world" eth0)0800
syn+=450000280001400040060000c0000233c0000201
syn+=9c401f9000000001000000005002ffff00000000
burst() { # COUNT
	for ((i = 0; i < $1; i++)); do
		"$tools/frame" send eth0 "$syn"
	done
}

agent_start "${options[@]}" --new-connection-limit=1/s --uplink=up0 --remove-on-exit || exit 1
expect "a limit attaches a program for what comes in" "up0 tc" mechanisms
in_ns "$world" env tools="$tools" syn="$syn" bash -c "$(declare -f burst); burst 20"
check "most of 20 SYN at once are dropped" test "$(dropped flood)" -ge 10
check "and not all" test "$(dropped flood)" -lt 20
expect "meanwhile another source connects" open from 192.0.2.50 192.0.2.1
expect "refusals name the source" "$(dropped flood)" denied_total flood 192.0.2.51
agent_stop

# --- floods from workloads --------------------------------------------------------------------------

syn=$(mac "$id" br0)$(mac "$id-web" eth0)0800
syn+=45000028000140004006262a0a4d000b0a4d0001
syn+=9c401f9000000001000000005002ffff00000000
arrived() { # SYNs of web at the node, as its bridge's firewall counts them
	in_ns "$id" nft list table ip watch | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}
in_ns "$id" nft -f - <<-'END'
	table ip watch { chain input { type filter hook prerouting priority -300
		ip saddr 10.77.0.11 tcp flags syn tcp dport 8080 counter; }; }
END
in_ns "$id-web" env tools="$tools" syn="$syn" bash -c "$(declare -f burst); burst 3"
expect "without a limit each SYN of a workload arrives" 3 arrived
agent_start "${options[@]}" --workload-connection-limit=1/s --remove-on-exit || exit 1
expect "a limit for workloads attaches to their veths" "ve11 tc" mechanisms
expect "and lets the first connection pass" open probe "$id-web" tcp 10.77.0.1 8080
in_ns "$id-web" env tools="$tools" syn="$syn" bash -c "$(declare -f burst); burst 20"
check "most of 20 SYN at once are dropped" test "$(dropped flood)" -ge 10
expect "the others arrive" $((24 - $(dropped flood))) arrived
expect "refusals name the workload" "$(dropped flood)" denied_total flood 10.77.0.11

if [ "$plane" = ebpf ]; then
	expect "nobody calls early dropping an intruder" 0 \
		jq '[.troubles[] | select(.message | test("early"))] | length' <(segctl status -o json)
fi
agent_stop

if [ "$plane" != ebpf ]; then # the rest has nothing to do with the plane
	finish
	exit
fi

# --- a list that cannot be read ---------------------------------------------------------------------

deny '192.0.2.51' 'nonsense'
agent_start "${options[@]}" --deny-list="$work/deny.txt" || exit 1
check "a list with mistakes at the start is the last error" \
	jq -e '.last_error | test("deny.txt:2: .nonsense. is no prefix")' <(segctl status -o json)
check "and a trouble" jq -e '.troubles[] | select(.message | test("deny.txt:2: ")) | .repaired == false' \
	<(segctl status -o json)
expect "nothing is in force" open from 192.0.2.51 192.0.2.1
deny '# nothing yet'
reload
no_error() { [ "$(segctl status -o json | jq .last_error)" = null ]; }
check "once it is right there is no error" await 5 no_error
agent_stop

# --- where the uplinks are --------------------------------------------------------------------------

deny 192.0.2.51
ip -n "$id" tuntap add up1 mode tap
ip -n "$id" link set up1 up
agent_start "${options[@]}" --deny-list="$work/deny.txt" --remove-on-exit || exit 1
expect "the default routes go by up0" "up0 out,up0 tc" mechanisms
ip -n "$id" route replace default dev up1
ip -n "$id" -6 route replace default dev up1 metric 1
uplinks_are() { [ "$(mechanisms)" = "$1" ]; }
check "another uplink is found, and gets native XDP" \
	await 5 uplinks_are "up0 out,up0 tc,up1 native,up1 out"
expect "the kernel says so, too" native xdp_mode up1
ip -n "$id" -6 route del default via 2001:db8::50
check "one without a default route is none" await 5 uplinks_are "up1 native,up1 out"
expect "and listed addresses pass there" open from 192.0.2.51 192.0.2.1
ip -n "$id" link del up1
check "an uplink that goes is forgotten" await 5 uplinks_are ""
ip -n "$id" route replace default via 192.0.2.50
check "and the next one found" await 5 uplinks_are "up0 out,up0 tc"
expect "the list is in force again" timeout from 192.0.2.51 192.0.2.1
agent_stop

# --- someone else's XDP program ---------------------------------------------------------------------

ip -n "$id" tuntap add up1 mode tap
ip -n "$id" link set up1 up
spawn "$id" "$tools/foreign" up1 xdp 2 >"$work/foreign"
await 5 grep -q attached "$work/foreign"
foreign=$(ip -n "$id" -d -j link show up1 | jq '.[0].xdp.prog.id')
agent_start "${options[@]}" --deny-list="$work/deny.txt" --uplink=up1 --remove-on-exit || exit 1
expect "beside another XDP program tc is used" "up1 out,up1 tc" mechanisms
expect "which stays" "$foreign" jq '.[0].xdp.prog.id' <(ip -n "$id" -d -j link show up1)
check "and is reported" grep -q "up1: it has another XDP program" "$work/segd.log"
agent_stop
kill "$spawned"
check "after --remove-on-exit no pins are left" test ! -e "$work/bpf/xdp/links"

# --- by clsact filters, as on kernels before 6.6 ----------------------------------------------------

filters() { # ingress|egress: of ours on up0
	tc -n "$id" -j filter show dev up0 "$1" |
		jq -r '[.[].options.bpf_name // empty | sub(":.*"; "")] | join(" ")'
}
put_back() { [ "$(filters ingress)" = early_tc ]; }

agent_start "${options[@]}" --deny-list="$work/deny.txt" --clsact || exit 1
expect "a filter for what comes in" early_tc filters ingress
expect "a filter for what leaves" early_leave filters egress
expect "the list is in force" timeout from 192.0.2.51 192.0.2.1
expect "for what leaves, too" silent datagram "$id" 192.0.2.51
expect "others pass" open from 192.0.2.50 192.0.2.1
agent_kill
expect "after kill -9 the list is in force" timeout from 192.0.2.51 192.0.2.1
agent_start "${options[@]}" --deny-list="$work/deny.txt" --workload-connection-limit=1/s --clsact \
	--remove-on-exit || exit 1
expect "the next one takes the filters over" "up0 out,up0 tc,ve11 tc" mechanisms
expect "one filter for what comes in" early_tc filters ingress
expect "the list is in force" timeout from 192.0.2.51 192.0.2.1
expect "the limit comes before policy" "early_tc segd_leave" \
	jq -r '[.[].options.bpf_name // empty | sub(":.*"; "")] | join(" ")' \
	<(tc -n "$id" -j filter show dev ve11 ingress)
tc -n "$id" filter del dev up0 ingress
check "a filter that someone deletes is put back" await 5 put_back
expect "the list is in force again" timeout from 192.0.2.51 192.0.2.1
expect "nobody calls early dropping an intruder" 0 \
	jq '[.troubles[] | select(.message | test("put .*early"))] | length' <(segctl status -o json)
agent_stop
expect "after --remove-on-exit no filter is left" "" filters ingress
expect "on either side" "" filters egress
expect "and 192.0.2.51 passes" open from 192.0.2.51 192.0.2.1
finish
