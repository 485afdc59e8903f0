#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A policy change cuts running connections: test_revocation.sh BUILD ebpf|nft
#
# Of 200 connections a change forbids 100. When the apply has returned, not one packet of those
# arrives any more, whichever end sends first, and the others notice nothing. The workload that
# policy speaks of is the client in half of them, the server in the other half.
BUILD=${1:?usage: test_revocation.sh BUILD PLANE}
plane=${2:?usage: test_revocation.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
# shellcheck source=tests/netns/crowd.sh
. "$here/tests/netns/crowd.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgv$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-batch" 14 batch "app: batch"
workload_up "$id-rpc" 15 rpc "app: rpc"
crowd_up
# Adoption is on, as by default: what is cut must not come back as something to be taken in.
options=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit)
agent_start "${options[@]}" || exit 1

# policy CLIENT-PORTS SERVER-PORTS DB-PORTS BATCH-PORTS RPC-PORTS: web is told both what it may open
# and what it serves, db only the one, batch only the other. rpc may open whatever it likes, and has
# ports such as clients have.
policy() {
	cat <<END
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: web}
spec:
  subject: app=web
  egress: [{to: [{workloads: app=api}], ports: [$1]}]
  ingress: [{from: [{workloads: app=api}], ports: [$2]}]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: db}
spec: {subject: app=db, ingress: [{from: [{workloads: app=api}], ports: [$3]}]}
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: batch}
spec: {subject: app=batch, egress: [{to: [{workloads: app=api}], ports: [$4]}]}
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: rpc}
spec:
  subject: app=rpc
  ingress: [{from: [{workloads: app=api}], ports: [$5]}]
  egress: [{to: [{workloads: app=api}]}]
END
}
policy "tcp/8080-8081, udp/8080-8081" "tcp/80-81, udp/53-54" tcp/5432-5433 tcp/9000-9001 \
	tcp/50051-50052 >"$work/before.yaml"
policy "tcp/8080, udp/8080" "tcp/80, udp/53" tcp/5432 tcp/9000 tcp/50051 \
	>"$work/after.yaml"

echo "== 200 connections that policy allows"
check "apply" segctl policy apply -f "$work/before.yaml"
for fate in keep/0 cut/1; do
	name=${fate%/*}
	more=${fate#*/}
	crowd_open "client-$name" 12 tcp web api 12 $((8080 + more))
	crowd_open "client-udp-$name" 5 udp web api 12 $((8080 + more))
	crowd_open "server-$name" 15 tcp api web 11 $((80 + more))
	crowd_open "server-udp-$name" 5 udp api web 11 $((53 + more))
	crowd_open "only-server-$name" 5 tcp api db 13 $((5432 + more))
	crowd_open "only-client-$name" 5 tcp batch api 12 $((9000 + more))
	crowd_open "rpc-$name" 3 tcp api rpc 15 $((50051 + more))
done
crowd_open rpc-silent 1 tcp api rpc 15 50052
names=({client,client-udp,server,server-udp,only-server,only-client,rpc})
keep=("${names[@]/%/-keep4}" "${names[@]/%/-keep6}")
cut=("${names[@]/%/-cut4}" "${names[@]/%/-cut6}")
for group in "${keep[@]}" "${cut[@]}"; do
	check "$group carries both ways" everything_arrives "$group" 2000
done

declare -A before
for group in "${cut[@]}"; do
	before[$group]=$(count_of arrived "$(crowd count "$group" 0)")
done

echo "== the change"
crowd run 2 "${keep[@]}" >/dev/null
check "apply" segctl policy apply -f "$work/after.yaml"
flows=0
silent=0
first=connector
for group in "${cut[@]}"; do
	check "the $first of $group speaks first, and in vain" nothing_arrives "$group" 0 $first
	[ $first = connector ] && first=acceptor || first=connector
done
for group in "${cut[@]}"; do
	check "then both ends of $group" nothing_arrives "$group" 0
done
echo "== ends that do not give up"
crowd run 5 "${keep[@]}" "${cut[@]}" >/dev/null
sleep 1.5 # for what TCP sends again and again
for group in "${cut[@]}"; do
	check "$group stays cut" nothing_arrives "$group" 0
done
check "the same policy again" segctl policy apply -f "$work/after.yaml"
for group in "${cut[@]}"; do
	answer=$(crowd send "$group" 50)
	flows=$((flows + $(count_of flows "$answer")))
	silent=$((silent + $(count_of silent "$answer")))
	expect "not one packet of $group has arrived since" "${before[$group]}" \
		count_of arrived "$(crowd count "$group" 0)"
done
expect "100 of 100 are cut" "100 of 100" echo "$silent of $flows"

echo "== the others"
crowd stop >/dev/null
flows=0
for group in "${keep[@]}"; do
	answer=$(crowd count "$group" 2000)
	flows=$((flows + $(count_of flows "$answer")))
	check "$group has lost nothing ($answer)" grep -Eq \
		'sent=([0-9]+) arrived=\1 broken=0 lost=0' <<<"$answer"
done
expect "100 are undisturbed" 100 echo "$flows"
refused() { # PORT
	segctl denied -o json | jq -e ".denied | any(.port == $1 and .source.workload == \"$2\")"
}
check "segctl denied has the client's packets" await 3 refused 8081 web
check "and those to the server" await 3 refused 81 api
kept_were_refused() {
	segctl denied -o json | jq -e '.denied | any(.port == (8080, 80, 53, 5432, 9000))'
}
exits "and none of the others" 1 kept_were_refused

echo "== another agent, which has cut nothing itself"
agent_kill
agent_start "${options[@]}" || exit 1
for group in rpc-silent4 rpc-silent6; do
	check "the acceptor of $group speaks only now, and in vain" nothing_arrives "$group" 1000 acceptor
	check "then both ends of $group" nothing_arrives "$group" 0
done
for group in "${cut[@]}"; do
	check "$group stays cut" nothing_arrives "$group" 0
done
for group in "${keep[@]}"; do
	check "$group carries both ways" everything_arrives "$group" 2000
done

finish
