#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 under traffic, restart, adoption: test_crash.sh BUILD ebpf|nft
BUILD=${1:?usage: test_crash.sh BUILD PLANE}
plane=${2:?usage: test_crash.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgc$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-intruder" 14 intruder ""
serve "$id-web" tcp/80
serve "$id-api" tcp/8080
serve "$id-db" tcp/5432
options=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml")
agent_start "${options[@]}" || exit 1

echo "== a connection and refusals before the crash"
expect "intruder -> db passes without a policy" open probe "$id-intruder" tcp 10.77.0.13 5432
check "apply" segctl policy apply -f "$here/policies/examples/three-tier.yaml"
expect "web -> api" open probe "$id-web" tcp 10.77.0.12 8080
expect "intruder -> db" timeout probe "$id-intruder" tcp 10.77.0.13 5432
spawn "$id-web" "$tools/pulse" 10.77.0.12 8080 5 >"$work/pulse4"
pulse4=$spawned
spawn "$id-web" "$tools/pulse" fd77::12 8080 5 >"$work/pulse6"
pulse6=$spawned
await 5 grep -q connected "$work/pulse4"
await 5 grep -q connected "$work/pulse6"
pulse_packets() { # of the longest connection web -> api, as seen by the agent
	segctl flows -o json --from web --to api --port 8080 |
		jq '[.flows[] | select(.event != "end") | .packets[0]] | max // 0'
}
await 5 sh -c "[ \$($BUILD/segctl --socket $work/segd.sock flows -o json --from web --to api |
	jq '[.flows[].packets[0]] | max') -gt 20 ]"
before=$(pulse_packets)
check "the running connections are counted ($before packets)" test "$before" -gt 20

echo "== kill -9 under traffic"
agent_kill
expect "what was refused stays refused" timeout probe "$id-intruder" tcp 10.77.0.13 5432
expect "over IPv6, too" timeout probe "$id-intruder" tcp fd77::13 5432
expect "a new allowed connection passes" open probe "$id-web" tcp 10.77.0.12 8080
expect "over IPv6, too" open probe "$id-web" tcp fd77::12 8080
check "the running connections go on" kill -0 "$pulse4" "$pulse6"

echo "== restart"
agent_start "${options[@]}" || exit 1
expect "the policies are there" 4 sh -c "$BUILD/segctl --socket $work/segd.sock status -o json | jq .policies"
expect "what was refused stays refused" timeout probe "$id-intruder" tcp 10.77.0.13 5432
expect "what was allowed passes" open probe "$id-web" tcp 10.77.0.12 8080
counters_go_on() {
	[ "$(pulse_packets)" -gt "$before" ]
}
check "the flow counters go on from $before" await 5 counters_go_on

echo "== kill -9 ten more times, at any moment"
for i in 1 2 3 4 5 6 7 8 9 10; do
	agent_kill
	nsenter --net="/run/netns/$id" -- "$BUILD/segd" --socket="$work/segd.sock" --node=test \
		--state-directory="$work/state" --log-directory="$work/log" \
		--pin-directory="$work/bpf" "${options[@]}" 2>>"$work/segd.log" &
	agent_pid=$!
	sleep "0.0$((i * 7 % 10))"
	probe_ms=150 expect "refused during start $i" timeout probe "$id-intruder" tcp 10.77.0.13 5432
done
agent_kill
agent_start "${options[@]}" || exit 1
expect "still refused" timeout probe "$id-intruder" tcp 10.77.0.13 5432
expect "still allowed" open probe "$id-web" tcp 10.77.0.12 8080
kill -TERM "$pulse4" "$pulse6"
await 3 grep -q beats= "$work/pulse4"
await 3 grep -q beats= "$work/pulse6"
for family in 4 6; do
	result=$(grep beats= "$work/pulse$family")
	check "no packet was lost over IPv$family ($result)" \
		grep -Eq '^beats=([0-9]+) answered=\1 lost=0$' "$work/pulse$family"
done

echo "== the other data plane takes over, and back"
has_table() {
	in_ns "$id" nft list table inet segd
}
has_links() {
	find "$work/bpf" -name '*-leave' 2>/dev/null | grep -q .
}
other=nft
[ "$plane" = ebpf ] || other=ebpf
agent_stop
agent_start "${options[@]}" --dataplane=$other || exit 1
expect "refused by $other" timeout probe "$id-intruder" tcp 10.77.0.13 5432
expect "allowed by $other" open probe "$id-web" tcp 10.77.0.12 8080
if [ $other = nft ]; then
	check "the table is there" has_table
	exits "and no program of ours" 1 has_links
else
	exits "no table of ours" 1 has_table
	check "and the programs are there" has_links
fi
agent_stop
agent_start "${options[@]}" || exit 1
expect "refused by $plane again" timeout probe "$id-intruder" tcp 10.77.0.13 5432
expect "allowed by $plane again" open probe "$id-web" tcp 10.77.0.12 8080

echo "== the end of enforcement"
agent_stop
expect "a stopped agent leaves enforcement" timeout probe "$id-intruder" tcp 10.77.0.13 5432
check "segd --remove" nsenter --net="/run/netns/$id" -- "$BUILD/segd" --remove \
	--pin-directory="$work/bpf"
check "nothing of either is left" sh -c "! find '$work/bpf' -name '*.debug' -o -type f -print | grep -q . &&
	! nsenter --net=/run/netns/$id nft list tables | grep -q segd"
expect "then everything passes again" open probe "$id-intruder" tcp 10.77.0.13 5432

finish
