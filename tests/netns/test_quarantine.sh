#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Workloads that are cut off: test_quarantine.sh BUILD ebpf|nft
#
# api is quarantined: what policy allowed it stops at once, running connections too, the node's own
# included; whoever is on the allow-list gets in, although policy keeps him out; web and db notice
# nothing. Its end restores exactly what was.
BUILD=${1:?usage: test_quarantine.sh BUILD PLANE}
plane=${2:?usage: test_quarantine.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
# shellcheck source=tests/netns/crowd.sh
. "$here/tests/netns/crowd.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=quar$$
operator=$id-op
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-lab" 14 lab "role: forensics"
# The investigator is in another network, behind the node.
ip netns add "$operator"
namespaces+=("$operator")
ip -n "$id" link add op0 type veth peer name eth0 netns "$operator"
ip netns exec "$operator" sysctl -qw net.ipv6.conf.default.accept_dad=0
ip -n "$id" addr add 10.78.0.1/24 dev op0
ip -n "$id" addr add fd78::1/64 dev op0 nodad
ip -n "$id" link set op0 up
ip -n "$operator" addr add 10.78.0.2/24 dev eth0
ip -n "$operator" addr add fd78::2/64 dev eth0 nodad
ip -n "$operator" link set eth0 up
ip -n "$operator" route add default via 10.78.0.1
ip -n "$operator" route add default via fd78::1
serve "$id-web" tcp/80
serve "$id-api" tcp/8080 tcp/22
serve "$id-db" tcp/5432
serve "$id-lab" tcp/9000
serve "$operator" tcp/9000
start=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml"
	--automatic-quarantines=1 --remove-on-exit)
agent_start "${start[@]}" || exit 1

cat >"$work/policy.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec:
  subject: app=api
  ingress: [{from: [{workloads: app=web}], ports: [tcp/8080-8081]}]
  egress: [{to: [{workloads: app=db}], ports: [tcp/5432-5433]}]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: db}
spec:
  subject: app=db
  ingress: [{from: [{workloads: "app in (web,api)"}], ports: [tcp/5432-5433]}]
END

# --- looking ----------------------------------------------------------------------------------------

# FROM NETWORK NUMBER PORT, of all that this test speaks of.
attempts=(
	"web 77 12 8080" "web 77 12 22" "web 77 13 5432" "api 77 13 5432" "api 77 11 80"
	"api 77 14 9000" "api 78 2 9000" "lab 77 12 8080" "op 77 12 22" "op 77 12 8080" "node 77 12 8080"
)
reach() { # ATTEMPT 4|6
	local from network number port namespace address
	read -r from network number port <<<"$1"
	namespace=$id-$from
	[ "$from" != node ] || namespace=$id
	address=10.$network.0.$number
	[ "$2" = 4 ] || address=fd$network::$number
	probe_ms=900 probe "$namespace" tcp "$address" "$port"
}
# world: what passes, in one line. All are tried at once, in a process of its own.
world() (
	mkdir -p "$work/world"
	for attempt in "${attempts[@]}"; do
		for family in 4 6; do
			reach "$attempt" $family >"$work/world/${attempt// /-}.$family" &
		done
	done
	wait
	for attempt in "${attempts[@]}"; do
		for family in 4 6; do
			! grep -qx open "$work/world/${attempt// /-}.$family" ||
				printf '%s/%s ' "${attempt// /-}" $family
		done
	done
)
# both NAME...: as world() says it.
both() {
	local name
	for name; do
		printf '%s/4 %s/6 ' "$name" "$name"
	done
}
state() { segctl quarantine list -o json | jq -r ".quarantines[] | select(.name == \"$1\") | .state"; }
is_isolated() { [ "$(state "$1")" = isolated ]; }
is_free() { [ -z "$(state "$1")" ]; }
xdp_on() { ip -n "$id" -d -j link show "$1" | jq -r 'if (.[0].xdp.mode // 0) == 0 then "none" else "xdp" end'; }
refused_because() { # FILTER: some refusal has the quarantine's reason
	segctl denied -o json | jq -e ".denied | any(.rule.text == \"quarantined: odd DNS traffic\" and
		.rule.tier == \"quarantine\" and ($1))"
}
says() { # WORDS COMMAND...
	"${@:2}" | grep -F -- "$1"
}
metric() {
	curl -s --unix-socket "$work/segd.sock" http://segd/metrics
}

# --- before -----------------------------------------------------------------------------------------

echo "== what passes without a quarantine"
expect "without policy everything does" 22 wc -w <<<"$(world)"
check "apply" segctl policy apply -f "$work/policy.yaml"
before=$(world)
expect "policy lets these pass" \
	"$(both web-77-12-8080 web-77-13-5432 api-77-13-5432 node-77-12-8080)" echo "$before"
expect "nothing is in quarantine" "no workload is in quarantine" segctl quarantine list
expect "and no XDP at api" none xdp_on ve12
crowd_up
crowd_open in 5 tcp web api 12 8081
crowd_open out 5 tcp api db 13 5433
crowd_open beside 5 tcp web db 13 5433
for group in in4 in6 out4 out6 beside4 beside6; do
	check "$group carries both ways" everything_arrives $group 2000
done

# --- quarantine -------------------------------------------------------------------------------------

echo "== api is cut off"
crowd run 2 beside4 beside6 >/dev/null
check "quarantine" segctl quarantine add api --reason "odd DNS traffic" --for 1h \
	--allow 10.78.0.2:tcp/22 --allow fd78::/64:tcp/22 --allow-workload role=forensics
for group in in4/connector in6/acceptor out4/connector out6/acceptor; do
	check "the ${group#*/} of ${group%/*} speaks first, and in vain" \
		nothing_arrives "${group%/*}" 0 "${group#*/}"
	check "then both ends" nothing_arrives "${group%/*}" 100
done
during="$(both web-77-13-5432 lab-77-12-8080 op-77-12-22)"
expect "only the allow-list gets in, and nothing out" "$during" world
crowd stop >/dev/null
for group in beside4 beside6; do
	answer=$(crowd count $group 2000)
	check "$group has lost nothing ($answer)" grep -Eq \
		'sent=([0-9]+) arrived=\1 broken=0 lost=0' <<<"$answer"
done

echo "== everybody is told"
check "denied: who wanted in" await 3 refused_because '.source.workload == "web" and .destination.workload == "api"'
check "denied: the node, too" await 3 refused_because '.source.entity == "host" and .destination.workload == "api"'
check "denied: what it wanted out" await 3 refused_because '.source.workload == "api" and .destination.workload == "db"'
check "denied, as a person reads it" says "quarantined: odd DNS traffic" segctl denied
expect "list: it is isolated" isolated state api
check "list: by whom, whom it allows, why" says "10.78.0.2/32:tcp/22, fd78::/64:tcp/22, role=forensics" \
	segctl quarantine list -o wide
expect "list: who" "root 0 manual" \
	jq -r '.quarantines[0] | "\(.by.user) \(.by.uid) \(.origin)"' <(segctl quarantine list -o json)
check "status" says "default/api, isolated until" segctl status
check "workloads" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' workloads | grep api | grep -q quarantined"
check "inspect" says "odd DNS traffic; until" segctl inspect workload api
check "inspect has its rule" says "quarantined: odd DNS traffic" segctl inspect workload api
check "map marks it" says "default/api (quarantined)" segctl map
check "trace says the same" says "quarantined: odd DNS traffic" \
	segctl policy trace --from default/web --to default/api --port TCP/8080
exits "and denies" 1 segctl policy trace --from default/web --to default/api --port TCP/8080
check "trace knows the allow-list" segctl policy trace --from default/lab --to default/api --port TCP/8080
check "metrics" says 'segd_quarantined_workloads{origin="manual"} 1' metric
expect "XDP is at api's veth" xdp xdp_on ve12
expect "and nowhere else" "none none none" echo "$(xdp_on ve11)" "$(xdp_on ve13)" "$(xdp_on ve14)"
check "it drops what api sends" sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' status -o json | jq -e '.plane.counters.quarantined.packets > 0'"
check "policies stay as they were" sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' policy get -o json | jq -e '[.policies[].name] == [\"api\", \"db\"]'"
exits "a Quarantine is no policy to apply" 0 segctl policy apply --dry-run -f - <<'END'
{apiVersion: segctl.io/v1, kind: Quarantine, metadata: {name: db}, spec: {reason: by file}}
END
expect "it is left out" "" state db

echo "== a policy that would let everybody in"
cat >"$work/wide.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: wide}
spec: {subject: "*", tier: admin, ingress: [{action: allow}], egress: [{action: allow}]}
END
check "apply" segctl policy apply -f "$work/wide.yaml"
expect "is below the quarantine" timeout reach "web 77 12 8080" 4
expect "though in force" open reach "lab 77 13 5432" 4
check "delete" segctl policy delete SegmentPolicy wide -n ""

# --- without an agent, and the next one ---------------------------------------------------------------

echo "== kill -9"
agent_kill
expect "the kernel goes on" "$during" world
check "the old connections stay dead" nothing_arrives in4 0
agent_start "${start[@]}" || exit 1
expect "the next agent, too" "$during" world
check "the old connections stay dead" nothing_arrives in4 0
check "and those out" nothing_arrives out6 0
expect "it knows" isolated state api
agent_stop
expect "without enforcement everything passes" 22 wc -w <<<"$(world)"
agent_start "${start[@]}" || exit 1
expect "a restart isolates it again" "$during" world
expect "by XDP, too" xdp xdp_on ve12

echo "== its end"
check "remove" segctl quarantine remove api
expect "exactly what policy allowed passes" "$before" world
expect "XDP is gone" none xdp_on ve12
crowd_open again 5 tcp web api 12 8081
check "connections live" everything_arrives again4 2000
exits "there is nothing left to remove" 1 segctl quarantine remove api
check "metrics" says 'segd_quarantined_workloads{origin="manual"} 0' metric

# --- whom it follows ------------------------------------------------------------------------------------

echo "== a workload that comes later, and one whose address changes"
exits "a name alone must be one that runs" 1 segctl quarantine add ghost --reason "typo"
check "namespace/name need not" segctl quarantine add default/ghost --reason "odd DNS traffic"
expect "it is waited for" waiting state ghost
workload_up "$id-ghost" 15 other "app: ghost"
serve "$id-ghost" tcp/80
kill -HUP "$agent_pid"
knows() { segctl workloads -o json | jq -e ".workloads | any(.name == \"$1\" and (.interfaces | any(.addresses | any(. == \"$2\"))))"; }
check "under another name it is free" await 5 knows other 10.77.0.15
expect "and reached" open probe "$id-web" tcp 10.77.0.15 80
sed -i 's/name: other/name: ghost/' "$work/workloads.yaml"
kill -HUP "$agent_pid"
check "now it is there" await 5 is_isolated ghost
expect "it is not reached" timeout probe "$id-web" tcp 10.77.0.15 80
expect "nor reaches" timeout probe "$id-ghost" tcp 10.77.0.11 80
ip -n "$id-ghost" addr add 10.77.0.115/24 dev eth0
check "it gets another address" await 10 knows ghost 10.77.0.115
expect "which is not reached" timeout probe "$id-web" tcp 10.77.0.115 80
sed -i 's/name: ghost/name: renamed/' "$work/workloads.yaml"
kill -HUP "$agent_pid"
check "it gets another name" await 5 knows renamed 10.77.0.15
expect "it is not reached" timeout probe "$id-web" tcp 10.77.0.15 80
check "the trace knows" says "quarantined:" \
	segctl policy trace --from default/web --to default/renamed --port TCP/80
check "and keeps the address" await 10 knows renamed 10.77.0.115
check "remove, by that name" segctl quarantine remove renamed
expect "it is reached" open probe "$id-web" tcp 10.77.0.15 80
check "by the new address, too" opens "$id-web" tcp 10.77.0.115 80

# --- its time ---------------------------------------------------------------------------------------------

echo "== expiry"
check "for three seconds" segctl quarantine add lab --reason "short" --for 3s
check "it is cut off" shut "$id-web" tcp 10.77.0.14 9000
check "until its time is over" await 5 is_free lab
check "then it is not" opens "$id-web" tcp 10.77.0.14 9000
check "for two seconds, and the agent dies" segctl quarantine add lab --reason "short" --for 2s
agent_kill
over() { [ "$(date +%s%N)" -gt "$(jq '.quarantines[0].until_ns' "$work/state/quarantine.json")" ]; }
check "its time passes" await 5 over
check "the kernel cannot know" shut "$id-web" tcp 10.77.0.14 9000
agent_start "${start[@]}" || exit 1
check "the next agent ends it" is_free lab
check "at once" opens "$id-web" tcp 10.77.0.14 9000

# --- bounds and mistakes ------------------------------------------------------------------------------------

echo "== programs are bounded, persons are not"
check "the first of one" segctl quarantine add lab --reason "scan" --automatic
check "again, which is the same" segctl quarantine add lab --reason "scan again" --automatic
check "the second is too many" says "no more than 1 may be" sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' quarantine add db --reason scan --automatic 2>&1"
expect "it is free" "" state db
check "by hand it is possible" segctl quarantine add db --reason "by hand"
check "nor may a program change what a person did" says "is in quarantine already, by root" sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' quarantine add db --reason scan --automatic 2>&1"
check "metrics" says 'segd_quarantined_workloads{origin="detector"} 1' metric
check "remove" segctl quarantine remove default/db
check "remove" segctl quarantine remove lab
mkdir "$work/state/quarantine.json.next" # where it would be written
exits "what cannot be stored is a failure" 1 segctl quarantine add db --reason "no room"
expect "but isolates" isolated state db
check "which the agent's log says" grep -q "default/db is in quarantine, by root: no room" "$work/segd.log"
rmdir "$work/state/quarantine.json.next"
check "remove" segctl quarantine remove db
exits "no reason" 2 segctl quarantine add db
exits "no address" 2 segctl quarantine add db --reason x --allow 10.0.0.0/33
exits "no port" 2 segctl quarantine add db --reason x --allow 10.0.0.0/8:tpc/22
exits "no time" 2 segctl quarantine add db --reason x --for never
exits "an empty reason" 1 segctl quarantine add db --reason ""
exits "a reason that drives the terminal" 1 segctl quarantine add db --reason $'\e[2J'

# --- how fast -------------------------------------------------------------------------------------------------

echo "== from the call to the last packet that passes"
spawn "$id-web" timeout 20 ping -D -n -i 0.002 10.77.0.14 >"$work/pings"
pinger=$spawned
await 5 grep -q icmp_seq=50 "$work/pings"
called=$(date +%s.%N)
segctl quarantine add lab --reason "how fast" -o json >"$work/answer"
answered=$(date +%s.%N)
silent() { local count; count=$(wc -l <"$work/pings"); sleep 0.1; [ "$count" = "$(wc -l <"$work/pings")" ]; }
check "pings were answered, and are no more" await 5 silent
kill "$pinger"
wait "$pinger" 2>/dev/null
last=$(grep icmp_seq "$work/pings" | tail -1 | sed 's/^\[\([0-9.]*\)\].*/\1/')
awk -v a="$called" -v b="$last" -v c="$answered" -v d="$(jq .milliseconds "$work/answer")" 'BEGIN {
	printf "        the last packet passed %.1f ms after segctl was called, which took %.1f ms (agent: %.1f ms)\n",
		(b - a) * 1000, (c - a) * 1000, d }'
finish
