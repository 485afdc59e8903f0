#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Trace and lint against a running agent: what trace says of a connection is what happens to it.
# test_trace.sh BUILD ebpf|nft
BUILD=${1:?usage: test_trace.sh BUILD PLANE}
plane=${2:?usage: test_trace.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgt$$
declare -A number=([web]=11 [api]=12 [db]=13 [intruder]=14)
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-intruder" 14 intruder ""
serve "$id-api" tcp/8080
serve "$id-db" tcp/5432
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" \
	--remove-on-exit --adoption=0 || exit 1

# agrees FROM TO PORT: both families, by name for the one and by probe for the other.
agrees() {
	local said=denied found=denied v4 v6
	local probe_ms=400
	segctl policy trace --from "$1" --to "$2" --port "TCP/$3" >"$work/trace" && said=allowed probe_ms=900
	v4=$(probe "$id-$1" tcp "10.77.0.${number[$2]}" "$3")
	v6=$(probe "$id-$1" tcp "fd77::${number[$2]}" "$3")
	[ "$v4 $v6" = "open open" ] && found=allowed
	if [ "$said" = "$found" ]; then
		pass "$1 to $2 tcp/$3: trace says $said, and so it is"
	else
		fail "$1 to $2 tcp/$3: trace says $said, the packets found $v4 and $v6" \
			"$(cat "$work/trace")"
	fi
}

all_pairs() {
	local from
	for from in web api db intruder; do
		[ "$from" = api ] || agrees "$from" api 8080
		[ "$from" = db ] || agrees "$from" db 5432
	done
}

# cause FROM TO PORT WORDS
cause() {
	segctl policy trace --from "$1" --to "$2" --port "TCP/$3" >"$work/trace"
	check "trace of $1 to $2 tcp/$3 says: $4" grep -qF "$4" "$work/trace"
}

echo "== without a policy"
all_pairs
expect "nothing to find" "0 documents, no errors, no warnings" segctl policy lint

echo "== three tiers"
check "apply" segctl policy apply -f "$here/policies/examples/three-tier.yaml"
all_pairs
cause intruder db 5432 "default/intruder has no label app, the rule wants app=api"
cause api db 5433 "the connection is tcp/5433, the rule has tcp/5432"
check "the agent's policies have no findings" segctl policy lint --strict

echo "== what an apply would change"
cat >"$work/new.yaml" <<-'END'
	apiVersion: segctl.io/v1
	kind: SegmentPolicy
	metadata: {name: api}
	spec:
	  subject: app=api
	  ingress:
	  - from: [{workloads: app=wbe}]
	    ports: [tcp/8080]
	  egress:
	  - to: [{workloads: app=db}]
	    ports: [tcp/5432]
END
exits "web would not reach api" 1 segctl policy trace -f "$work/new.yaml" --agent --from web --to api \
	--port TCP/8080
exits "it still does" 0 segctl policy trace --from web --to api --port TCP/8080
segctl policy lint -f "$work/new.yaml" --agent >"$work/lint" 2>&1
check "lint holds the file against what runs" grep -qF \
	"new.yaml:7:12: warning: no workload matches app=wbe in namespace default; did you mean app=web?" \
	"$work/lint"
finish
