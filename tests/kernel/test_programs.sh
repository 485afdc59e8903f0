#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each program of ours judges packets on a kernel before 6.6: test_programs.sh BUILD. What they do in
# full is tested elsewhere; here is what a verifier or a clsact filter could spoil.
BUILD=$(realpath "${1:?usage: test_programs.sh BUILD}")
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgx$$
world=$id-world
probe_ms=${probe_ms:-400}
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
ip netns add "$world"
namespaces+=("$world")
ip netns exec "$world" sysctl -qw net.ipv6.conf.default.accept_dad=0
ip -n "$id" link add up0 type veth peer name eth0 netns "$world"
ip -n "$world" link set eth0 up
ip -n "$id" link set up0 up
ip -n "$id" addr add 192.0.2.1/24 dev up0
ip -n "$id" addr add 2001:db8::1/64 dev up0 nodad
for number in 50 51; do
	ip -n "$world" addr add "192.0.2.$number/24" dev eth0
	ip -n "$world" addr add "2001:db8::$number/64" dev eth0 nodad
done
ip -n "$world" route add default via 192.0.2.1
serve "$id" tcp/8080
serve "$id-api" tcp/8080
serve "$world" tcp/8080 udp/8080
options=(--dataplane=ebpf --no-docker --workloads="$work/workloads.yaml" --adoption=0)

early() {
	segctl status -o json | jq -r '.plane.early.interfaces | sort_by(.interface, .mechanism) |
		map(.interface + " " + .mechanism) | join(",")'
}
dropped() { # REASON
	segctl status -o json | jq ".plane.counters.$1.packets // 0"
}
from() { # SOURCE ADDRESS
	PROBE_SOURCE=$1 probe "$world" tcp "$2" 8080
}

echo "== the fast path"
agent_start "${options[@]}" --fast-path || exit 1
for address in 10.77.0.12 fd77::12; do
	expect "web -> api passes on it ($address)" open probe "$id-web" tcp $address 8080
done
cat >"$work/policy.yaml" <<-'YAML'
	apiVersion: segctl.io/v1
	kind: SegmentPolicy
	metadata: {name: api}
	spec: {subject: app=api, ingress: [{from: [{workloads: app=nobody}]}]}
YAML
check "apply" segctl policy apply -f "$work/policy.yaml"
for address in 10.77.0.12 fd77::12; do
	expect "web -> api is refused ($address)" timeout probe "$id-web" tcp $address 8080
done
check "delete" segctl policy delete SegmentPolicy api
agent_stop

echo "== deny lists and limits, by clsact filters"
for address in 192.0.2.51 2001:db8::51; do
	expect "$address is not listed yet" open from $address "${address%51}1"
	expect "and is reached" open probe "$id" tcp $address 8080
done
printf '%s\n' 192.0.2.51 2001:db8::51 >"$work/deny.txt"
agent_start "${options[@]}" --deny-list="$work/deny.txt" --uplink=up0 --new-connection-limit=1000/s \
	--workload-connection-limit=1000/s || exit 1
expect "where they are" "up0 out,up0 tc,ve11 tc,ve12 tc" early
for address in 192.0.2.51 2001:db8::51; do
	expect "$address is cut off" timeout from $address "${address%51}1"
	expect "and is not reached" timeout probe "$id" tcp $address 8080
	expect "its neighbour is not" open from "${address%1}0" "${address%51}1"
done
expect "within its limit web reaches api" open probe "$id-web" tcp 10.77.0.12 8080
check "what was dropped is counted" test "$(dropped deny_list)" -ge 4

echo "== quarantine, by native XDP"
agent_stop
agent_start "${options[@]}" || exit 1
expect "without a wish nothing is dropped early" "" early
check "web is quarantined" segctl quarantine add web --reason test
expect "natively" "ve11 native" early
for address in 10.77.0.12 fd77::12; do
	expect "it does not reach $address" timeout probe "$id-web" tcp $address 8080
	expect "others do" open probe "$id" tcp $address 8080
done
check "what was dropped is counted" test "$(dropped quarantined)" -ge 2
check "web is released" segctl quarantine remove web
for address in 10.77.0.12 fd77::12; do
	expect "it reaches $address again" open probe "$id-web" tcp $address 8080
done
agent_stop

echo "== inside macvlan workloads"
macvlan_up() { # NAMESPACE NUMBER NAME LABELS: a part of the parent par0
	ip netns add "$1" || return 1
	namespaces+=("$1")
	ip -n "$id" link add "mv$2" link par0 type macvlan mode bridge || return 1
	ip -n "$id" link set "mv$2" netns "$1" name eth0
	ip -n "$1" addr add "10.78.0.$2/24" dev eth0
	ip -n "$1" link set eth0 up
	printf -- '- {name: %s, netns: %s, labels: {%s}}\n' "$3" "$1" "$4" >>"$work/workloads.yaml"
}
ip -n "$id" link add par0 type veth peer name par1
ip -n "$id" link set par0 up
ip -n "$id" link set par1 up
macvlan_up "$id-m1" 31 m-api "app: api"
macvlan_up "$id-m2" 32 m-web "app: web"
macvlan_up "$id-m3" 33 m-other "app: nobody"
serve "$id-m1" tcp/8080
agent_start "${options[@]}" || exit 1
for number in 2 3; do
	expect "m$number -> m1 passes without a policy" open probe "$id-m$number" tcp 10.78.0.31 8080
done
check "apply" segctl policy apply -f "$work/policy.yaml"
expect "m2 -> m1 is refused" timeout probe "$id-m2" tcp 10.78.0.31 8080
expect "m3 -> m1 passes" open probe "$id-m3" tcp 10.78.0.31 8080
finish
