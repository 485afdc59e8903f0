#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Updates under traffic: test_hitless.sh BUILD ebpf|nft
#
# While CHANGES (100) policies are applied, as often labels are changed and now and then addresses,
# 20 TCP connections and a UDP stream run that every state allows, and somebody knocks where every
# state refuses. Of the first no packet is lost, of the second none gets through.
#
# Runs alone: no packet may be lost, not for want of a core either.
BUILD=${1:?usage: test_hitless.sh BUILD PLANE}
plane=${2:?usage: test_hitless.sh BUILD PLANE}
changes=${CHANGES:-100}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
# shellcheck source=tests/netns/crowd.sh
. "$here/tests/netns/crowd.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgh$$
node_up "$id"
workload_up "$id-web" 11 web "app: web, tone: TONE"
workload_up "$id-api" 12 api "app: api, tone: TONE"
workload_up "$id-intruder" 14 intruder "tone: TONE"
for tone in red blue; do
	sed "s/TONE/$tone/" "$work/workloads.yaml" >"$work/$tone.yaml"
done
cp "$work/red.yaml" "$work/workloads.yaml"
crowd_up

# Two sets of policies that say the same of web and the intruder, but not the same documents do: half
# of the one and half of the other would refuse web, or let the intruder in. And whoever has the one
# tone today is let in by another rule than who has the other.
cat >"$work/first.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: guard, namespace: default}
spec:
  subject: app=api
  tier: admin
  ingress: [{from: [{workloads: "!app"}], action: deny}]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: service}
spec:
  subject: app=api
  ingress:
  - {from: [{workloads: "*"}], ports: [tcp/8081, udp/8081]}
  - {from: [{workloads: "app=web,tone=red"}], ports: [tcp/8080, udp/8080]}
  - {from: [{workloads: "app=web,tone=blue"}], ports: [tcp/8000-8080, udp/1-9000]}
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: addresses}
spec: {subject: app=api, ingress: []}
END
cat >"$work/second.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: guard, namespace: default}
spec:
  subject: "app in (api,other)"
  tier: admin
  ingress: [{from: [{workloads: app=web}], ports: [tcp/9999], action: pass}]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: service}
spec: {subject: app=api, ingress: []}
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: addresses}
spec:
  subject: app=api
  ingress:
  - {from: [{cidr: 10.77.0.11/32}, {cidr: "fd77::11/128"}], ports: [tcp/8080, udp/8080]}
  - {from: [{workloads: "tone in (red,blue)"}], ports: [tcp/9999]}
  egress: [{to: [{workloads: app=web}]}]
END

echo "== what every state allows, and what none does"
knocks=(tcp-knock4 tcp-knock6 udp-knock4 udp-knock6)
for protocol in tcp udp; do
	crowd knock $protocol-knock4 $protocol "$id-intruder" "$id-api" 10.77.0.12 8081
	crowd knock $protocol-knock6 $protocol "$id-intruder" "$id-api" fd77::12 8081
done
crowd_open tcp 10 tcp web api 12 8080
crowd_open udp 1 udp web api 12 8080
streams=(tcp4 tcp6 udp4 udp6)
gets_through() {
	[ "$(count_of arrived "$(crowd send "$1" 1000)")" -gt 0 ]
}
for group in "${knocks[@]}"; do
	check "without a policy $group gets through" gets_through "$group"
done
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" \
	--remove-on-exit || exit 1
check "apply" segctl policy apply -f "$work/first.yaml"
declare -A before
for group in "${knocks[@]}"; do
	check "$group does not any more" nothing_arrives "$group" 50
	before[$group]=$(count_of arrived "$(crowd count "$group" 0)")
done
for group in "${streams[@]}"; do
	check "$group carries both ways" everything_arrives "$group" 2000
done
lost=$(($(count_of lost "$(crowd count tcp4 2000)") + $(count_of lost "$(crowd count tcp6 2000)")))

echo "== $changes policy changes, $changes label changes"
generation() {
	local status
	status=$(segctl status -o json)
	status=${status#*\"generation\": }
	generation=${status%%[!0-9]*}
}
relabel() { # TONE: returns when it is in force
	local from
	generation
	from=$generation
	cp "$work/$1.yaml" "$work/next.yaml"
	mv "$work/next.yaml" "$work/workloads.yaml"
	for _ in {1..500}; do
		generation
		[ "$generation" = "$from" ] || return 0
	done
	return 1
}
readdress() { # add|del: an address more or less, which nobody uses
	ip -n "$id-api" address "$1" 10.77.0.112/24 dev eth0
	ip -n "$id-intruder" address "$1" fd77::114/64 dev eth0 nodad 2>/dev/null ||
		ip -n "$id-intruder" address "$1" fd77::114/64 dev eth0
}
crowd run 2 "${streams[@]}" "${knocks[@]}" >/dev/null
applied=0
relabelled=0
readdressed=0
apply_us=0
slowest_us=0
for ((i = 0; i < changes; i++)); do
	((i % 2)) && policy=first tone=red || policy=second tone=blue
	start=${EPOCHREALTIME/./}
	segctl policy apply -f "$work/$policy.yaml" >/dev/null && applied=$((applied + 1))
	took=$((${EPOCHREALTIME/./} - start))
	apply_us=$((apply_us + took))
	[ $took -le $slowest_us ] || slowest_us=$took
	relabel $tone && relabelled=$((relabelled + 1))
	((i % 10)) && continue
	((i % 20)) && action=del || action=add
	readdress $action && readdressed=$((readdressed + 1))
done
crowd stop >/dev/null
expect "policies were applied" "$changes" echo $applied
expect "labels were changed" "$changes" echo $relabelled
expect "addresses came and went" $(((changes + 9) / 10)) echo $readdressed
echo "  an apply took $((apply_us / changes)) us with segctl's own start, the slowest $slowest_us us"

echo "== what became of the packets"
sent=0
arrived=0
attempts=0
through=0
for group in "${streams[@]}"; do
	answer=$(crowd count "$group" 3000)
	check "$group is whole ($answer)" [ "$(count_of broken "$answer")" = 0 ]
	sent=$((sent + $(count_of sent "$answer")))
	arrived=$((arrived + $(count_of arrived "$answer")))
	lost=$((lost - $(count_of lost "$answer")))
done
for group in "${knocks[@]}"; do
	answer=$(crowd count "$group" 0)
	attempts=$((attempts + $(count_of sent "$answer")))
	through=$((through + $(count_of arrived "$answer") - ${before[$group]}))
done
expect "of $sent packets that every state allows 0 were lost" 0 echo $((sent - arrived))
expect "and none had to be sent twice" 0 echo $((-lost))
expect "of $attempts attempts that every state refuses 0 got through" 0 echo $through
refused() { # JQ-CONDITION: how many packets
	segctl denied -o json | jq "[.denied[] | select($1) | .packets] | add // 0"
}
expect "no packet of theirs was refused" 0 refused '.source.workload == "web" or .port == 8080'
expect "nor an answer" 0 refused '.source.workload == "api"'
# Beside what it sent TCP repeats some. The first four went through, before there was a policy. From
# an address that is new to the agent it is refused for that, and nft then names no port.
knocked=$(refused '.port == 8081 or .reason == "spoofed_source"')
check "the intruder's were ($knocked packets)" [ "$knocked" -ge "$((attempts - 4))" ]

finish
