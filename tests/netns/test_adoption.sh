#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Enforcement begins under running connections: test_adoption.sh BUILD ebpf|nft
#
# Of 200 allowed ones none is cut, of 50 forbidden ones all. The workload that policy speaks of is
# the one that connects in some, the one that accepts in others.
BUILD=${1:?usage: test_adoption.sh BUILD PLANE}
plane=${2:?usage: test_adoption.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
# shellcheck source=tests/netns/crowd.sh
. "$here/tests/netns/crowd.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

adoption_seconds=12 # all of them must have sent within it, on a busy machine too
id=sga$$
node_up "$id"
cp "$work/workloads.yaml" "$work/nobody.yaml"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-batch" 14 batch "app: batch"
workload_up "$id-intruder" 15 intruder ""
workload_up "$id-low" 16 low "app: web" # its ports do not tell that it is the client
ip netns exec "$id-low" sysctl -qw net.ipv4.ip_local_port_range="20000 30000"
crowd_up

# api is told both what may come and where it may go, db only the one, batch only the other.
cat >"$work/policy.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec:
  subject: app=api
  ingress: [{from: [{workloads: app=web}], ports: [tcp/8080, udp/8080]}]
  egress: [{to: [{workloads: app=db}], ports: [tcp/5432, udp/5432]}]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: db}
spec:
  subject: app=db
  ingress: [{from: [{workloads: "app in (api,batch)"}], ports: [tcp/5432, udp/5432]}]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: batch}
spec:
  subject: app=batch
  egress: [{to: [{workloads: app=db}], ports: [tcp/5432]}]
END
options=(--dataplane="$plane" --no-docker --adoption=$adoption_seconds)
printf 'workloads: []\n' >"$work/nobody.yaml"
agent_start "${options[@]}" --workloads="$work/nobody.yaml" --remove-on-exit || exit 1
check "the policies are there before anybody is enforced" segctl policy apply -f "$work/policy.yaml"
agent_stop

# Of UDP only what is forbidden both ways: a server's datagram is one that it may send by itself.
echo "== 200 connections that policy allows, 50 that it does not"
crowd_open accept-idle 35 tcp web api 12 8080
crowd_open accept-busy 20 tcp web api 12 8080
crowd_open accept-low 5 tcp low api 12 8080
crowd_open accept-udp 5 udp web api 12 8080
crowd_open connect-idle 15 tcp api db 13 5432
crowd_open connect-busy 10 tcp batch db 13 5432
crowd_open connect-udp 10 udp api db 13 5432
crowd_open no-accept-both 5 tcp intruder api 12 22
crowd_open no-accept 2 tcp intruder db 13 5432
crowd_open no-accept-low 3 tcp low db 13 5432
crowd_open no-accept-busy 2 tcp web db 13 5432
crowd_open no-accept-udp 3 udp intruder api 12 53
crowd_open no-connect-both 3 tcp api web 11 80
crowd_open no-connect 2 tcp batch web 11 80
crowd_open no-connect-busy 2 tcp batch intruder 15 80
crowd_open no-connect-udp 3 udp api web 11 53
# Nobody is told anything of these yet, nor do their ports tell who asked.
crowd_open later-allowed 2 tcp low intruder 15 25000
crowd_open later-closed 2 tcp low intruder 15 25001
allowed=({accept-idle,accept-busy,accept-low,accept-udp,connect-idle,connect-busy,connect-udp}{4,6})
forbidden=({no-accept-both,no-accept,no-accept-low,no-accept-busy,no-accept-udp,no-connect-both}{4,6}
	{no-connect,no-connect-busy,no-connect-udp}{4,6})
for group in "${allowed[@]}" "${forbidden[@]}"; do
	check "$group carries both ways" everything_arrives "$group" 2000
done

echo "== enforcement begins"
crowd run 5 {accept-busy,connect-busy,no-accept-busy,no-connect-busy}{4,6} >/dev/null
agent_start "${options[@]}" --workloads="$work/workloads.yaml" --remove-on-exit || exit 1
# All of them at once: what comes before the agent knows a connection is sent again, and ever later.
later=(later-{allowed,closed}{4,6})
for group in "${later[@]}"; do
	check "the server of $group speaks first" crowd send "$group" 0 acceptor
done
for group in "${allowed[@]}"; do
	crowd send "$group" 0 >/dev/null
done
kept=0
cut=0
declare -A before
for group in "${later[@]}" "${allowed[@]}"; do
	crowd count "$group" 5000 >/dev/null
	check "$group goes on" everything_arrives "$group" 2000
done
for group in "${forbidden[@]}"; do
	check "$group is cut" nothing_arrives "$group" 50
	before[$group]=$(count_of arrived "$(crowd count "$group" 0)")
done
crowd stop >/dev/null
for group in "${allowed[@]}"; do
	answer=$(crowd count "$group" 2000)
	kept=$((kept + $(count_of flows "$answer") - $(count_of broken "$answer")))
	case $group in
	*-udp?) ;;
	*) check "$group has lost nothing ($answer)" [ "$(count_of sent "$answer")" = \
		"$(count_of arrived "$answer")" ] ;;
	esac
done
for group in "${forbidden[@]}"; do
	answer=$(crowd send "$group" 20)
	cut=$((cut + $(count_of silent "$answer")))
done
expect "of those that policy allows none is cut" 200 echo "$kept"
expect "of those that it forbids all are" 50 echo "$cut"

echo "== when the time of adoption is over"
adoption_is_over() {
	[ "$(($(date +%s%N) / 1000000))" -ge "$over_ms" ]
}
over_ms=$(($(date +%s%N) / 1000000 + (adoption_seconds + 1) * 1000))
await 10 adoption_is_over
for group in accept-idle4 connect-idle6; do
	check "$group is still there" everything_arrives "$group" 2000
done
for group in "${forbidden[@]}"; do
	check "$group is still cut" nothing_arrives "$group" 20
	expect "not one packet of $group has arrived since" "${before[$group]}" \
		count_of arrived "$(crowd count "$group" 0)"
done
cat >"$work/intruder.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: intruder, namespace: default}
spec:
  subject: "!app"
  ingress: [{from: [{workloads: app=web}], ports: [tcp/25000]}]
END
check "the intruder is told whom it may serve" segctl policy apply -f "$work/intruder.yaml"
for family in 4 6; do
	check "later-allowed$family goes on" everything_arrives later-allowed$family 2000
	check "later-closed$family is cut" nothing_arrives later-closed$family 50
done
echo "  egress: [{to: [{workloads: app=db}]}]" >>"$work/intruder.yaml"
check "and that it may open nothing to whom it serves" segctl policy apply -f "$work/intruder.yaml"
for family in 4 6; do
	check "later-allowed$family goes on" everything_arrives later-allowed$family 2000
	check "later-closed$family is still cut" nothing_arrives later-closed$family 50
done
check "the intruder may do as before" segctl policy delete SegmentPolicy intruder
cat >"$work/db-closed.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: db-closed, namespace: default}
spec: {subject: app=db, tier: admin, ingress: [{from: [{workloads: "*"}], action: deny}]}
END
check "db is closed to all" segctl policy apply -f "$work/db-closed.yaml"
check "that cuts connect-idle4" nothing_arrives connect-idle4 50
check "db is open again" segctl policy delete SegmentPolicy db-closed
check "to new connections, not to segments that belong to none" nothing_arrives connect-idle4 500
no_connection() {
	segctl denied -o json | jq -e '.denied | any(.reason == "no_connection" and
		(.source.workload == "api" or .destination.workload == "api"))'
}
check "segctl denied says why" await 3 no_connection
crowd_open connect-new 1 tcp api db 13 5432
check "a new one carries both ways" everything_arrives connect-new4 2000

finish
