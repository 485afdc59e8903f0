#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Policies over real traffic: test_policy.sh BUILD ebpf|nft
BUILD=${1:?usage: test_policy.sh BUILD PLANE}
plane=${2:?usage: test_policy.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgp$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-intruder" 14 intruder ""
serve "$id-web" tcp/80 udp/53
serve "$id-api" tcp/8080 udp/8080
serve "$id-db" tcp/5432 udp/5432
serve "$id-intruder" tcp/80
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" \
	--remove-on-exit --adoption=0 || exit 1
policy=$here/policies/examples/three-tier.yaml

# each FAMILY: "to" addresses by name
address() { # NAME FAMILY
	local number
	case $1 in web) number=11 ;; api) number=12 ;; db) number=13 ;; intruder) number=14 ;; esac
	[ "$2" = ipv4 ] && echo "10.77.0.$number" || echo "fd77::$number"
}

tcp() { # FROM TO PORT FAMILY
	probe "$id-$1" tcp "$(address "$2" "$4")" "$3"
}

udp() {
	probe "$id-$1" udp "$(address "$2" "$4")" "$3"
}

ping_ok() { # FROM TO FAMILY
	in_ns "$id-$1" ping -c 1 -W 1 "$(address "$2" "$3")"
}

echo "== without a policy everything reaches everything"
for family in ipv4 ipv6; do
	for from in web api db intruder; do
		for target in web/80 api/8080 db/5432 intruder/80; do
			to=${target%/*}
			[ "$from" = "$to" ] && continue
			expect "$from -> $target $family" open tcp "$from" "$to" "${target#*/}" $family
		done
	done
	expect "udp intruder -> web $family" open udp intruder web 53 $family
	check "ping intruder -> db $family" ping_ok intruder db $family
done

echo "== what an apply would change, before it does"
cat >"$work/expectations.yaml" <<'END'
apiVersion: segctl.io/v1
kind: PolicyTest
metadata: {name: tiers}
spec:
  expect:
  - {from: api, to: db, port: tcp/5432, verdict: allow}
  - {from: web, to: db, port: tcp/5432, verdict: deny}
END
cuts() { # FROM TO: does diff say that some connections would be cut?
	segctl policy diff -f "$policy" -o json | jq --arg from "default/$1" --arg to "default/$2" \
		'any(.changes[]; .after == "refused" and (.from | index($from)) and (.to | index($to)))'
}
exits "diff against the agent: something" 1 segctl policy diff -f "$policy"
expect "diff tells of web -> db" true cuts web db
exits "an expectation that does not hold yet" 1 segctl policy test --agent -f "$work/expectations.yaml"

echo "== the three-tier policy"
check "apply" segctl policy apply -f "$policy"
for family in ipv4 ipv6; do
	expect "web -> api:8080 $family" open tcp web api 8080 $family
	expect "api -> db:5432 $family" open tcp api db 5432 $family
	for attempt in web/db/5432 db/web/80 db/api/8080 api/web/80 intruder/web/80 \
		intruder/api/8080 intruder/db/5432 web/intruder/80; do
		IFS=/ read -r from to port <<<"$attempt"
		expect "$from -> $to:$port is refused $family" timeout tcp "$from" "$to" "$port" $family
	done
	expect "udp web -> api:8080 is refused $family" timeout udp web api 8080 $family
	exits "ping web -> api is refused $family" 1 ping_ok web api $family
done
expect "the node reaches db" open probe "$id" tcp 10.77.0.13 5432
expect "the node reaches db over IPv6" open probe "$id" tcp fd77::13 5432
expect "db does not reach the node" timeout probe "$id-db" tcp 10.77.0.1 22

exits "diff against the agent: nothing any more" 0 segctl policy diff -f "$policy"
check "the expectations hold" segctl policy test --agent -f "$work/expectations.yaml"
sed -i 's/verdict: deny/verdict: allow/' "$work/expectations.yaml"
expect "one that fails names the rule that came closest" "nearest rule: SegmentPolicy" sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' policy test --agent -f '$work/expectations.yaml' |
	grep -o 'nearest rule: SegmentPolicy' | head -1"

echo "== what segctl says about it"
denied() { # JQ-CONDITION
	segctl denied -o json | jq -e ".denied | any($1)"
}
check "denied names source, destination, port, rule and count" denied \
	'.source.workload == "intruder" and .destination.workload == "db" and .port == 5432 and
	 .protocol == "tcp" and .packets >= 1 and .reason == "policy_denied" and .rule.kind == "SegmentPolicy"'
check "denied says when no rule allows" denied \
	'.source.workload == "web" and .destination.workload == "db" and .rule.index == null and
	 (.rule.text | test("no rule of SegmentPolicy"))'
check "denied has IPv6" denied '.source.ip == "fd77::14" and .destination.ip == "fd77::13"'
check "denied has UDP" denied '.protocol == "udp" and .source.workload == "web"'
check "denied has ICMP" denied '.protocol == "icmp" and .source.workload == "web"'
check "a refused flow is in the history" sh -c "$BUILD/segctl --socket $work/segd.sock flows -o json |
	jq -e '.flows | any(.verdict == \"denied\" and .source.workload == \"intruder\")'"
check "an allowed flow is in the history" sh -c "$BUILD/segctl --socket $work/segd.sock flows -o json |
	jq -e '.flows | any(.verdict == \"allowed\" and .source.workload == \"web\" and .destination.workload == \"api\")'"
check "the map has both" sh -c "$BUILD/segctl --socket $work/segd.sock map -o json |
	jq -e '(.edges | any(.from == \"default/web\" and .to == \"default/api\" and .port == 8080 and .verdict == \"allowed\"))
	and (.edges | any(.from == \"default/intruder\" and .to == \"default/db\" and .verdict == \"denied\"))'"
check "the flow log has records" await 3 jq -se \
	'any(.event == "new" and .destination.workload == "api")' "$work/log/flows.log"

check "denied -o wide names the rule that came nearest" sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' denied -o wide --from intruder --to db |
	grep 'SegmentPolicy default/api egress\[0\] (.*three-tier.yaml:48): .*wants app=api'"
echo "== exact counts"
count_denied() {
	segctl denied -o json | jq '[.denied[] | select(.source.workload == "intruder" and
		.destination.workload == "web" and .protocol == "udp" and .port == 53 and
		.source.ip == "10.77.0.14") | .packets] | add // 0'
}
before=$(count_denied)
in_ns "$id-intruder" "$tools/probe" udp 10.77.0.11 53 100 500 >/dev/null
expect "500 refused datagrams are counted as 500" 500 sh -c "echo \$(($(count_denied) - $before))"

echo "== a policy change cuts a running connection"
spawn "$id-web" "$tools/pulse" 10.77.0.12 8080 5 1000 >"$work/pulse"
pulse=$spawned
await 5 grep -q connected "$work/pulse"
sleep 0.2
check "delete the policy that lets web out" segctl policy delete SegmentPolicy web
broken() { # the pulse ends by itself when its connection is cut
	! kill -0 "$pulse" 2>/dev/null
}
check "the connection is cut" await 3 broken
expect "and no new one passes" timeout tcp web api 8080 ipv4
check "apply again" segctl policy apply -f "$policy"
expect "and it passes again" open tcp web api 8080 ipv4

echo "== wrong policies change nothing"
generation() {
	segctl status -o json | jq .generation
}
before=$(generation)
cat >"$work/wrong.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: wrong}
spec:
  subject: app=db
  ingres: []
  egress:
  - to: [{cidr: 10.0.0.300/8}]
    ports: [tcp/9000-8000]
END
exits "refused" 1 segctl policy apply -f "$work/wrong.yaml"
segctl policy apply -f "$work/wrong.yaml" >"$work/refused" 2>&1
check "unknown field with its place" grep -q 'wrong.yaml:6:3: .*ingres' "$work/refused"
check "bad CIDR with its place" grep -q 'wrong.yaml:8:17: .*10.0.0.300/8' "$work/refused"
check "inverted range with its place" grep -q 'wrong.yaml:9:13: .*9000-8000' "$work/refused"
expect "the generation is as before" "$before" generation
expect "and the policy holds" timeout tcp intruder db 5432 ipv4

echo "== what the node keeps from its conntrack, as for a DNS cache of its own"
serve "$node" tcp/53 tcp/54
in_ns "$node" nft -f - <<'END'
table inet exempt {
	chain come { type filter hook prerouting priority raw; tcp dport { 53, 54 } notrack; }
	chain leave { type filter hook output priority raw; tcp sport { 53, 54 } notrack; }
}
END
cat >"$work/dns.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: dns}
spec: {subject: app=api, egress: [{to: [{entity: host}], ports: [tcp/53]}]}
END
check "apply" segctl policy apply -f "$work/dns.yaml"
for node_address in 10.77.0.1 fd77::1; do
	expect "api reaches what policy allows at $node_address" open probe "$id-api" tcp "$node_address" 53
	expect "and nothing else" timeout probe "$id-api" tcp "$node_address" 54
	expect "others do not" timeout probe "$id-db" tcp "$node_address" 53
done
in_ns "$node" nft delete table inet exempt
segctl policy delete SegmentPolicy dns >/dev/null

echo "== files of one apply keep their names, through kill -9"
rule() {
	printf -- '---\n# number %s\napiVersion: segctl.io/v1\nkind: SegmentPolicy\n' "$1"
	printf 'metadata: {name: n%s}\nspec: {subject: app=n%s}\n' "$1" "$1"
}
{ rule 1 && rule 2; } >"$work/first.yaml"
rule 3 >"$work/second.yaml"
sources() {
	segctl policy get -o json | jq -r '[.policies[] | select(.name | test("^n[123]$")) |
		"\(.name) \(.source.file | split("/")[-1]):\(.source.line)"] | join(" ")'
}
check "two files at once" segctl policy apply -f "$work/first.yaml" -f "$work/second.yaml"
named="n1 first.yaml:3 n2 first.yaml:9 n3 second.yaml:3"
expect "each has its file and line" "$named" sources
agent_kill
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" \
	--remove-on-exit --adoption=0 || exit 1
expect "as after kill -9" "$named" sources
expect "and the policies hold" timeout tcp intruder db 5432 ipv4
printf 'files: 1\n' >"$work/none.json"
expect "what names no files is refused" 400 curl -sS --unix-socket "$work/segd.sock" -o /dev/null \
	-w '%{http_code}' --data-binary @"$work/none.json" "http://localhost/v1/policies?files=1"

finish
