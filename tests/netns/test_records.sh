#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The same traffic gives the same records, field by field: test_records.sh BUILD ebpf|nft
BUILD=${1:?usage: test_records.sh BUILD PLANE}
plane=${2:?usage: test_records.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgr$$
node_up "$id"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-intruder" 14 intruder "app: intruder"
for workload in api:12 db:13 intruder:14; do
	ip -n "$id-${workload%:*}" link set eth0 address "02:77:00:00:00:${workload#*:}"
done
serve "$id-db" tcp/5432 udp/5432 udp/5433
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit \
	--adoption=0 || exit 1
# Conntrack forgets what is over three seconds after its last packet.
in_ns "$id" sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_time_wait=3 \
	net.netfilter.nf_conntrack_tcp_timeout_close=3
probe_ms=150 # whoever is refused shall be gone long before he would ask again

# records JQ-CONDITION: of the log, without what differs from run to run (times, ids, the ports that
# clients chose), once each.
records() {
	jq -r "select($1) | [.event, .verdict, .direction, .reason,
		\"\(.rule.name)[\(.rule.index)]\", .protocol,
		.source.workload, .source.ip, .source.mac,
		.destination.workload, .destination.ip, .destination.mac, .destination.port,
		.tcp_flags, (.icmp // null | tojson), (.packets // null | tojson),
		(.bytes // null | tojson), .interface] | map(. // \"-\" | tostring) | join(\" \")" \
		"$work/log/flows.log" | sort -u
}
# told DESCRIPTION JQ-CONDITION: the log comes to have exactly the records in $expected.
told() {
	as_expected() {
		segctl flows >/dev/null # so that what was counted is reported
		[ "$(records "$1")" = "$expected" ]
	}
	await 1 as_expected "$2"
	expect "$1" "$expected" records "$2"
}
apply() {
	segctl policy apply -f - >/dev/null
}

echo "== without a policy all of it passes"
expect "api -> db" open probe "$id-api" udp 10.77.0.13 5432
expect "intruder -> db" open probe "$id-intruder" tcp 10.77.0.13 5432
expect "intruder -> db, IPv6" open probe "$id-intruder" udp fd77::13 5432
check "intruder pings db" in_ns "$id-intruder" ping -c 1 -W 1 10.77.0.13
spawn "$id-api" "$tools/pulse" 10.77.0.13 5432 20 1000 >"$work/pulse"
await 5 grep -q connected "$work/pulse"
check "apply" apply <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: db, namespace: default}
spec:
  subject: app=db
  ingress:
  - {from: [{workloads: app=api}], ports: [udp/5433]}
  - {from: [{workloads: app=intruder}], ports: [icmp/echo-request], action: deny}
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: sees, namespace: default}
spec:
  subject: app=api
  mode: audit
  egress:
  - {to: [{workloads: app=db}], ports: [udp/5433]}
END

# With nft a connection is announced before anything of it is counted.
[ "$plane" = ebpf ] && first32='[1,0] [32,0]' first52='[1,0] [52,0]' first60='[1,0] [60,0]' ||
	first32='[0,0] [0,0]' first52=$first32 first60=$first32

api4='api 10.77.0.12 02:77:00:00:00:12' api6='api fd77::12 02:77:00:00:00:12'
db4='db 10.77.0.13 02:77:00:00:00:13' db6='db fd77::13 02:77:00:00:00:13'
intruder4='intruder 10.77.0.14 02:77:00:00:00:14' intruder6='intruder fd77::14 02:77:00:00:00:14'

echo "== connections from before the policy"
expected="new allowed egress policy_allowed [null] tcp $api4 $db4 5432 S null $first60 ve12"
told "an allowed one" '.event == "new" and .protocol == "tcp" and .source.workload == "api"'

echo "== the one that policy forbids is cut"
# eBPF: at its next packet, which is refused. nft: at once, and the end is the record.
if [ "$plane" = ebpf ]; then
	cut="denied denied ingress revoked db[null]"
else
	cut="end allowed ingress revoked db[null]"
fi
was_cut() {
	records '.reason == "revoked" and .source.workload == "api" and .protocol == "tcp"' |
		grep -qF "$1 tcp $api4 $db4 5432 "
}
check "$cut" await 3 was_cut "$cut"

echo "== allowed and audited"
expect "api -> db" open probe "$id-api" udp 10.77.0.13 5433
expect "api -> db, IPv6" open probe "$id-api" udp fd77::13 5433
probe "$id-api" udp 10.77.0.14 7 >/dev/null
expected="new allowed ingress policy_allowed db[0] udp $api4 $db4 5433 - null $first32 ve12
new allowed ingress policy_allowed db[0] udp $api6 $db6 5433 - null $first52 ve12
new audited egress audited sees[null] udp $api4 $intruder4 7 - null $first32 ve12"
told "new connections" '.event == "new" and (.destination.port == 5433 or .destination.port == 7)'

echo "== refused"
expect "intruder -> db" timeout probe "$id-intruder" tcp 10.77.0.13 5999
expect "intruder -> db, IPv6" timeout probe "$id-intruder" udp fd77::13 5999
check "intruder cannot ping db" sh -c "! nsenter --net=/run/netns/$id-intruder ping -c 1 -W 1 10.77.0.13"
expected="denied denied ingress policy_denied db[1] icmp $intruder4 $db4 - - {\"type\":8,\"code\":0} [1,0] [84,0] ve14
denied denied ingress policy_denied db[null] tcp $intruder4 $db4 5999 S null [1,0] [60,0] ve14
denied denied ingress policy_denied db[null] udp $intruder6 $db6 5999 - null [1,0] [52,0] ve14"
told "who, whom, by which rule, how much" '.reason == "policy_denied" and .source.workload == "intruder"'

echo "== what was counted in the end"
totals() {
	segctl map -o json | jq -c '[.edges[] | select(.port == 5433 and .from == "default/api") |
		[.packets, .bytes]] | sort'
}
expect "an echo over each family" '[[[2,2],[84,84]]]' totals

echo "== a connection ends with its last packet, whenever that is told"
serve "$id-intruder" tcp/7
moment() {
	date -u -d "${1-now}" +%FT%T.%6NZ
}
before=$(moment)
expect "api -> intruder" open probe "$id-api" tcp 10.77.0.14 7
after=$(moment "1 second") # the other end closes, too
ended() {
	segctl flows >/dev/null
	jq -r 'select(.event == "end" and .protocol == "tcp" and .destination.port == 7) | .end' \
		"$work/log/flows.log" >"$work/ended"
	[ -s "$work/ended" ]
}
check "its end is told" await 10 ended
expect "when it was" "between" awk -v before="$before" -v after="$after" \
	'{ print($0 >= before && $0 <= after ? "between" : $0 " is not from " before " to " after) }' "$work/ended"

echo "== each record is as enforcer/flow/record.schema.json says"
check "in the log" "$here/tests/validate_records.py" "$work/log/flows.log"
answered() {
	segctl flows -o json | jq -c '.flows[]'
}
check "in answers" "$here/tests/validate_records.py" <(answered)
finish
