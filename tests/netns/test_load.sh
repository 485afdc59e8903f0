#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What was sent, and what all records, gap records and counters say of it: test_load.sh BUILD ebpf|nft
# CONNECTIONS=N (100000) over TCP, as fast as two namespaces open them, and REFUSED=N (1000000) packets
# that policy refuses, one in twenty of a scan, each to another port.
#
# Runs alone: it takes both cores and all queues.
BUILD=${1:?usage: test_load.sh BUILD PLANE}
plane=${2:?usage: test_load.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM
connections=${CONNECTIONS:-100000}
refused=${REFUSED:-1000000}

id=sgl$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-loud" 13 loud "app: loud"
workload_up "$id-scanner" 14 scanner "app: scanner"
# Where nft judges, conntrack keeps for a while what is over.
in_ns "$id" sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_time_wait=1 \
	net.netfilter.nf_conntrack_tcp_timeout_close=1 net.netfilter.nf_conntrack_checksum=0
in_ns "$id-api" sysctl -qw net.ipv4.tcp_max_tw_buckets=0
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit \
	--adoption=0 || exit 1

# --- what was sent ------------------------------------------------------------------------------

open_connections() { # COUNT
	in_ns "$id" "$tools/short_connections" "$id-web" "$id-api" 10.77.0.12 8000 "$1"
}
segments_received() { # NAMESPACE
	in_ns "$1" awk '/^Tcp:/ && $2 ~ /^[0-9]/ { print $11 }' /proc/net/snmp
}
mac() { # NAMESPACE
	ip -n "$1" -j link show eth0 | jq -r '.[0].address' | tr -d :
}
# frame FROM-NAMESPACE ADDRESS PROTOCOL TRANSPORT: to api, 54 bytes; the addresses, and the header that
# begins with its ports, in hexadecimal. The tool puts in ports; the transport's checksum is wrong, but
# nobody is to answer.
frame() {
	local header=45000028000040004000 sum=0 i
	header=${header/%00/$3} # the protocol behind the time to live
	for ((i = 0; i < 20; i += 4)); do
		sum=$((sum + 0x${header:i:4}))
	done
	sum=$((sum + 0x${2:0:4} + 0x${2:4:4} + 0x0a4d + 0x000c))
	sum=$(((sum & 0xffff) + (sum >> 16)))
	printf '%s%s0800%s%04x%s%s%s\n' "$(mac "$id-api")" "$(mac "$1")" "$header" \
		$((sum ^ 0xffff)) "$2" 0a4d000c "$4"
}
syn=04004e2000000001000000005002ffff00000000
datagram=04004e2000140000000000000000000000000000
loud_syn=$(frame "$id-loud" 0a4d000d 06 $syn)
loud_datagram=$(frame "$id-loud" 0a4d000d 11 $datagram)
scan=$(frame "$id-scanner" 0a4d000e 06 $syn)
flood() { # NAMESPACE FRAME COUNT [scan]
	expect "$3 packets of $1 are sent" "sent=$3" in_ns "$id-$1" "$tools/syn_flood" eth0 "${@:2}"
}

# --- what is told -------------------------------------------------------------------------------

# Of the log's files, the last one and those before it.
records() {
	find "$work/log" -name 'flows-*.zst' -exec zstdcat {} +
	find "$work/log" -name 'flows*.log' -exec cat {} +
}
# Connections of web: begun, over, and their packets each way; then refused packets, and what is missing.
sum_up() {
	awk '
		{ match($0, /"event":"[a-z]+/); event = substr($0, RSTART + 9, RLENGTH - 9) }
		event == "gap" { match($0, /"lost":[0-9]+/); lost += substr($0, RSTART + 7, RLENGTH - 7); next }
		{ match($0, /"packets":\[[0-9,]+/); split(substr($0, RSTART + 11, RLENGTH - 11), pair, ",") }
		event == "denied" { denied += pair[1]; next }
		!/"source":[^}]*"workload":"web"/ { next }
		event == "new" { begun++ }
		event == "end" { over++; sent += pair[1]; back += pair[2] }
		END { printf "%d %d %d %d %d %d\n", begun, over, sent, back, denied, lost }' "$work/records"
}
map_sum() { # JQ-FILTER [OPTION...]: over the edges of web
	segctl map -o json --from web --to api "${@:2}" | jq "[.edges[] | $1] | add // 0"
}
status() { # JQ-FILTER
	segctl status -o json | jq "$1"
}
sum_metric() { # NAME PATTERN-OF-LABELS
	curl -s --unix-socket "$work/segd.sock" http://segd/metrics |
		awk -v name="$1{" -v labels="$2" 'index($1, name) == 1 && $1 ~ labels { sum += $2 }
			END { printf "%.0f\n", sum }'
}

echo "== without a policy all of it passes"
expect "connections" "opened=2 refused=0" sh -c "'$tools/short_connections' '$id-web' '$id-api' \
	10.77.0.12 8000 2 | sed 's/ per_second.*//'"
flood loud "$loud_syn" 1
flood loud "$loud_datagram" 1
flood scanner "$scan" 1
passed() {
	[ "$(status .flows.map.edges)" = 5 ]
}
check "packets" await 5 passed
check "apply" segctl policy apply -f - <<'YAML'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec:
  subject: app=api
  ingress: [{from: [{workloads: app=web}], ports: [tcp/8000-8001]}]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: scanner}
spec: {subject: app=scanner, egress: []}
YAML

echo "== $connections connections"
result=$(open_connections "$connections")
echo "  $result"
expect "stand" "opened=$connections refused=0" echo "${result% *}"

echo "== $refused packets that are refused"
flood loud "$loud_syn" $((refused * 60 / 100))
flood loud "$loud_datagram" $((refused * 35 / 100))
flood scanner "$scan" $((refused * 5 / 100)) scan

echo "== what the agent tells of it"
all_ended() {
	[ "$(map_sum .active)" = 0 ]
}
check "all connections end" await 30 all_ended
opened=$((connections + 2))
received=$(($(segments_received "$id-api") - 2)) # of which two were not of web
answered=$(segments_received "$id-web")
for since in "" "--since 1h"; do
	# shellcheck disable=SC2086 # nothing is no argument
	{
		expect "the map has each connection ${since:+(from the store)}" "$opened" map_sum .connections $since
		expect "and each packet of them, there" "$received" map_sum '.packets[0]' $since
		expect "and back" "$answered" map_sum '.packets[1]' $since
	}
done
# The first packets of the three are of connections from before the policy.
expect "each refused packet is counted" "$refused" \
	status '.plane.counters | .policy_denied.packets + (.revoked.packets // 0)'
expect "in the metrics, too" "$refused" sum_metric segd_packets_total '"(policy_denied|revoked)"'
expect "the flow log lost nothing of it" 0 status .flows.log.lost
told=$(segctl denied -o json | jq '[.denied[].packets] | add')
unknown=$(status '.plane.losses | .denial_aggregate // .denial_aggregates')
expect "segctl denied has all that the data plane could tell" $((refused - unknown)) \
	echo $((told + $(status .flows.denied.evicted_packets)))
echo "  the data plane could not tell: $(status .plane.losses | tr -d '\n ')"
agent_stop

echo "== what the flow log has"
records >"$work/records"
read -r begun over sent back denied lost < <(sum_up)
expect "beginnings, ends, refused packets and what is missing of them" $((2 * opened + refused)) \
	echo $((begun + over + denied + lost))
expect "each packet of the connections" "$received $answered" echo "$sent $back"
sample() {
	sed -n '1~50p' "$work/records"
	grep -Ev '"event":"(new|end|denied)"' "$work/records"
}
check "a sample of it, and all that is rare, is as the schema says" \
	"$here/tests/validate_records.py" <(sample)

finish
