#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An agent of another ABI takes over under traffic: test_upgrade.sh BUILD ebpf|nft
#
# Nothing is adopted here (--adoption=0): what goes on was taken over from the former agent's maps.
BUILD=${1:?usage: test_upgrade.sh BUILD PLANE}
plane=${2:?usage: test_upgrade.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
# shellcheck source=tests/netns/crowd.sh
. "$here/tests/netns/crowd.sh"
if [ "$plane" != ebpf ]; then
	echo "  skip  maps and their ABI are the eBPF data plane's own"
	skipped=1
	finish
	exit
fi
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgu$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-intruder" 13 intruder ""
crowd_up
serve "$id-web" tcp/80
options=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --adoption=0)

# api opens nothing by itself: what it sends passes only as part of what web has opened.
policy() { # WHO MAY REACH IT
	cat >"$work/policy.yaml" <<END
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec:
  subject: app=api
  ingress: [{from: [{workloads: app=$1}], ports: [tcp/8080, udp/8080]}]
  egress: []
END
	segctl policy apply -f "$work/policy.yaml"
}
agent_start "${options[@]}" || exit 1
forbidden=({no-tcp,no-udp}{4,6})
allowed=({tcp,udp}{4,6})

echo "== without a policy"
crowd_open no-tcp 5 tcp intruder api 12 22
crowd_open no-udp 5 udp intruder api 12 53
for group in "${forbidden[@]}"; do
	check "$group carries both ways" everything_arrives "$group" 2000
done

expect "api opens something to web" open probe "$id-api" tcp 10.77.0.11 80

echo "== under a policy: 50 TCP connections and 10 of UDP"
check "api is open to web" policy web
crowd_open tcp 25 tcp web api 12 8080
crowd_open udp 5 udp web api 12 8080
for group in "${allowed[@]}"; do
	check "$group carries both ways" everything_arrives "$group" 2000
done
for group in "${forbidden[@]}"; do
	check "$group is cut" nothing_arrives "$group" 20
done
flows() { # of web to api, by their ids
	segctl flows -o json --from web --to api --port 8080 | jq '[.flows[].id] | unique | length'
}
all_known() {
	[ "$(flows)" = 60 ]
}
check "the agent knows 60 flows" await 5 all_known

echo "== an agent of another ABI"
crowd run 5 "${allowed[@]}" >/dev/null
agent_kill
for maps in "$work"/bpf/maps-*; do
	mv "$maps" "${maps/maps-/maps-9}"
done
agent_start "${options[@]}" || exit 1
former() { # WORD
	segctl status -o json | jq ".plane.former_connections.$1"
}
check "takes over the connections ($(former taken))" test "$(former taken)" -ge 60
expect "and leaves none" 0 former left
exits "the former maps are gone" 2 ls -d "$work"/bpf/maps-9*
crowd stop >/dev/null
for group in "${allowed[@]}"; do
	answer=$(crowd count "$group" 2000)
	expect "$group has lost nothing ($answer)" "$(count_of sent "$answer")" count_of arrived "$answer"
	expect "$group is whole" 0 count_of broken "$answer"
	answer=$(crowd send "$group" 2000 acceptor)
	expect "$group carries what api says first" "$(count_of flows "$answer")" count_of arrived "$answer"
done
expect "they are the flows that they were" 60 flows
for group in "${forbidden[@]}"; do
	check "$group is still cut" nothing_arrives "$group" 20
done
expect "api opens nothing to web any more" timeout probe "$id-api" tcp 10.77.0.11 80

echo "== and its policy rules them"
check "api is closed to web" policy nobody
for group in "${allowed[@]}"; do
	check "$group is cut" nothing_arrives "$group" 20
done

finish
