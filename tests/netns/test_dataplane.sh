#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What segctl inspect dataplane tells of the tables, held to what was done: test_dataplane.sh BUILD
# ebpf|nft
BUILD=${1:?usage: test_dataplane.sh BUILD PLANE}
plane=${2:?usage: test_dataplane.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgp$$
node_up "$id"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-web" 14 web "app: web"
serve "$id-db" tcp/5432 tcp/5433 || exit 1
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" || exit 1
cat >"$work/policy.yaml" <<-'YAML'
	apiVersion: segctl.io/v1
	kind: SegmentPolicy
	metadata: {name: db}
	spec:
	  subject: app=db
	  ingress: [{from: [{workloads: app=web}], ports: [tcp/5432, tcp/8000-8003]}]
YAML

tells() { # TABLE FILTER [OPTION...]: some entry of the table is so
	segctl inspect dataplane "$1" -o json "${@:3}" | jq -e "[.entries[] | select($2)] | length > 0"
}
silent() { # TABLE FILTER [OPTION...]: and none is
	segctl inspect dataplane "$1" -o json "${@:3}" | jq -e "[.entries[] | select($2)] | length == 0"
}
between='.source.workload == "web" and .destination.workload == "db"'

echo "== endpoints and addresses"
check "db's interface, by name" tells endpoints '.workload == "db" and .interface == "ve13" and (.guarded | not)'
check "only db's for db" silent endpoints '.workload != "db"' -w default/db
expect "nobody's for nobody" "no endpoints" segctl inspect dataplane endpoints -w nobody
check "before the policy db has none" silent addresses \
	'.workload == "db" and ((.ingress.policies // .policies) == "default/db")'
expect "web -> db:5433 passes without the policy" open probe "$id-web" tcp 10.77.0.13 5433
check "apply" segctl policy apply -f "$work/policy.yaml"
for address in 10.77.0.13 fd77::13; do
	check "with it $address has the policy" tells addresses \
		".address == \"$address\" and .workload == \"db\" and ((.ingress.policies // .policies) == \"default/db\")"
done

echo "== connections and refusals"
check "none to 5432 yet" silent connections "$between and .destination.port == 5432"
mkfifo "$work/pipe"
spawn "$id-web" sh -c "exec nc 10.77.0.13 5432 <'$work/pipe' >'$work/echoed'"
exec 5>"$work/pipe"
echo hello >&5
await 5 grep -q hello "$work/echoed"
check "the one that is open, with its rule" tells connections \
	"$between and .destination.port == 5432 and .state == \"established\" and
	.rule.text == \"SegmentPolicy default/db ingress[0]\" and (.packets | all(. > 0))"
check "by workload and port" tells connections "$between" -w web -p 5432
check "not by another port" silent connections . -w web -p 5444
check "not among denials" silent denials "$between and .destination.port == 5432"
expect "web -> db:5433 is refused" timeout probe "$id-web" tcp 10.77.0.13 5433
check "and counted, with the policy that does not allow it" tells denials \
	"$between and .destination.port == 5433 and .packets[0] > 0 and (.rule.text | test(\"no rule of SegmentPolicy default/db\"))" \
	-w db
if [ "$plane" = ebpf ]; then
	check "its policy is the one in force" tells connections "$between and .current"
	sed -i 's/5432, tcp/5432, tcp\/5440, tcp/' "$work/policy.yaml"
	check "another policy that allows it, too" segctl policy apply -f "$work/policy.yaml"
	check "until its next packet it is of the former" tells connections \
		"$between and (.current | not)" -p 5432
	echo again >&5
	await 5 grep -q again "$work/echoed"
	check "then it is of the new one" tells connections "$between and .current" -p 5432

	echo "== policy in the maps"
	check "web's class may come in by db's table" tells peers \
		'.policies == "default/db" and .direction == "ingress" and (.peer | test("app=web"))'
	check "everybody else has a table" tells peers '.policies == "default/db" and .class == null'
	check "ranges as prefixes, with their rule" tells ports \
		'.ports == "tcp/8000-8003" and .verdict == "allow" and .rule.text == "SegmentPolicy default/db ingress[0]"'
	check "and what is refused" tells ports \
		'.ports == "everything else" and .verdict == "deny" and (.rule.text | test("no rule"))'
	check "all addresses have a class" tells prefixes '.prefix == "0.0.0.0/0" and .members != null'
	exits "nft's tables are not here" 1 segctl inspect dataplane chains
else
	echo "== policy in the table"
	check "db's chain" tells chains \
		'.policies == "default/db" and .direction == "ingress" and (.chain | test("^ingress-default-db"))'
	check "the chain that refuses, with its rule" tells chains \
		'.kind == "refusal" and (.rule.text | test("no rule of SegmentPolicy default/db"))'
	check "maps with their elements" tells sets '.set == "ingress4" and .verdicts and .elements == 2'
	check "nft has every chain that is told" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' \
		inspect dataplane chains -o json | jq -r '.entries[].chain' | while read -r chain; do
		nsenter --net=/run/netns/$id nft list chain inet segd \$chain >/dev/null || exit 1; done"
	exits "ebpf's maps are not here" 1 segctl inspect dataplane peers
fi

echo "== many connections"
burst() {
	in_ns "$id-web" sh -c 'for port in $(seq 20001 20300); do
		echo x | nc -u -w0 -p $port 10.77.0.1 9 & done; wait'
}
burst
segctl inspect dataplane connections --limit 0 -o jsonl >"$work/connections"
count=$(wc -l <"$work/connections")
check "all are told ($count)" test "$count" -ge 250
expect "no more than the limit" 7 sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' inspect dataplane connections -l 7 -o jsonl 2>/dev/null | wc -l"
check "and that there are more" sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' inspect dataplane connections -l 7 -o jsonl 2>&1 >/dev/null | grep -q 'first 7'"
expect "each is one line" "$count" sh -c "jq -c .id '$work/connections' | sort -u | wc -l"
check "how full each table is" sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' inspect dataplane | grep -q '^connections'"
exits "no such table is wrong usage" 2 segctl inspect dataplane nonsense
curl_code() {
	curl -s -o /dev/null -w '%{http_code}' --unix-socket "$work/segd.sock" "http://segd/v1/dataplane/$1"
}
expect "nor in the API" 404 curl_code nonsense
expect "nor from a place that is none" 400 curl_code "connections?after=zz"
expect "nor by a filter that is none" 400 curl_code "endpoints?colour=red"
exec 5>&-
finish
