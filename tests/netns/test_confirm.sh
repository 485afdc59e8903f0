#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Policies on probation: test_confirm.sh BUILD ebpf|nft
# The operator's session to the node, on a port that is no failsafe, applies a policy that cuts this
# very session; it lives again after the rollback.
BUILD=${1:?usage: test_confirm.sh BUILD PLANE}
plane=${2:?usage: test_confirm.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=hostc$$
operator=$id-op
node_up "$id"
ip netns add "$operator"
namespaces+=("$operator")
ip -n "$node" link add up0 type veth peer name eth0 netns "$operator"
ip -n "$node" addr add 10.78.0.1/24 dev up0
ip -n "$node" link set up0 up
ip -n "$operator" addr add 10.78.0.2/24 dev eth0
ip -n "$operator" link set eth0 up
echo 'workloads: []' >"$work/workloads.yaml"
serve "$node" tcp/22 tcp/8080
start=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit)
agent_start "${start[@]}" || exit 1

# A shell on the node, over TCP: what the operator types runs there, what it prints comes back.
printf '#!/bin/sh\nexec sh 2>&1\n' >"$work/shell"
chmod +x "$work/shell"
listen() { # PORT
	spawn "$node" busybox nc -ll -p "$1" -e "$work/shell"
	await 5 in_ns "$node" sh -c "ss -ltn | grep -q :$1"
}

# session PORT: typed lines go in through descriptor $typed, printed ones to $work/screen.PORT.
session() {
	local pipe=$work/typed.$1
	mkfifo "$pipe"
	nsenter --net="/run/netns/$operator" -- busybox nc 10.78.0.1 "$1" <"$pipe" \
		>"$work/screen.$1" &
	children+=($!)
	exec {typed}>"$pipe"
}

# says WORD: the node's shell, asked now, answers.
says() {
	echo "echo answer-$1" >&"$typed"
	await 3 grep -q "answer-$1" "$screen"
}

lines() {
	segctl policy get -o json | jq -c '[.policies[].name] | sort'
}

pending() {
	segctl status -o json | jq -e '.confirm != null'
}

decided() {
	! pending
}

cat >"$work/first.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: door}
spec:
  subject: entity:host
  ingress: [{ports: [tcp/2222, tcp/8080]}]
END
cat >"$work/wrong.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: shut, namespace: default}
spec:
  subject: entity:host
  tier: admin
  ingress: [{action: deny}]
  egress: [{action: deny}]
END
segctl policy apply -f "$work/first.yaml" >/dev/null
listen 2222
session 2222
screen=$work/screen.2222

echo "== the operator cuts the branch"
check "the session works" says before
echo "'$BUILD/segctl' --socket '$work/segd.sock' policy apply --confirm 6s -f '$work/wrong.yaml'" >&"$typed"
check "the policy is in force, on probation" await 3 pending
expect "nothing new gets in" timeout probe "$operator" tcp 10.78.0.1 8080
expect "the failsafe port does" open probe "$operator" tcp 10.78.0.1 22
echo "echo answer-cut" >&"$typed"
check "status tells how long it is" sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' status | grep -q 'rolled back in'"
check "another apply is refused meanwhile" sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' policy apply -f '$work/first.yaml' 2>&1 | grep -q confirmation"
exits "and a deletion" 1 segctl policy delete SegmentPolicy door
check "until then the session is dead" sh -c "! grep -q answer-cut '$screen'"
check "the agent goes back by itself" await 6 decided
expect "the former policies are there" '["door"]' lines
check "and the session goes on where it was" await 10 grep -q answer-cut "$screen"
check "with new commands, too" says after
exits "there is nothing left to confirm" 1 segctl policy confirm

echo "== confirmed"
segctl policy apply --confirm 60s -f "$work/wrong.yaml" >"$work/apply"
check "the client says what to do" grep -q 'segctl policy confirm' "$work/apply"
check "confirm is taken" segctl policy confirm
check "and the decision is closed" decided
expect "the policies stay" '["door","shut"]' lines
segctl policy delete SegmentPolicy shut -n default >/dev/null

echo "== reverted by hand"
segctl policy apply --confirm 60s -f "$work/wrong.yaml" >/dev/null
check "revert is taken" segctl policy confirm --revert
expect "the former policies are back" '["door"]' lines

echo "== the agent is killed meanwhile"
segctl policy apply --confirm 60s -f "$work/wrong.yaml" >/dev/null
agent_kill
agent_start "${start[@]}" || exit 1
check "the next one waits on" pending
check "and takes the confirmation" segctl policy confirm
expect "the policies stay" '["door","shut"]' lines
segctl policy delete SegmentPolicy shut -n default >/dev/null
segctl policy apply --confirm 2s -f "$work/wrong.yaml" >/dev/null
agent_kill
overdue() { # by the clock that the deadline was written with
	[ "$(cut -d. -f1 /proc/uptime)" -gt $(($(jq .deadline_ns "$work/state/unconfirmed.json") / 1000000000)) ]
}
check "its time passes without an agent" await 5 overdue
expect "what it left still refuses" timeout probe "$operator" tcp 10.78.0.1 8080
agent_start "${start[@]}" || exit 1
check "the next one rolls back at once" decided
expect "to the former policies" '["door"]' lines
expect "which are in the kernel, too" open probe "$operator" tcp 10.78.0.1 8080

echo "== the disk fails just then"
agent_stop
DISK_SHIM=$work/failing LD_PRELOAD=$(realpath "$BUILD/tests/netns/disk_shim.so") agent_start "${start[@]}" || exit 1
touch "$work/failing"
exits "an apply says so" 1 segctl policy apply --confirm 5s -f "$work/wrong.yaml"
expect "and is in force" timeout probe "$operator" tcp 10.78.0.1 8080
check "on probation" pending
check "the agent goes back by itself" opens "$operator" tcp 10.78.0.1 8080
rm "$work/failing"
check "and has decided once it is stored" await 4 decided
expect "to the former policies" '["door"]' lines
touch "$work/failing"
apply_again() { # QUERY: prints what the agent says
	curl -s --unix-socket "$work/segd.sock" --data-binary "@$work/wrong.yaml" "http://segd/v1/policies$1" |
		jq -r .error.message
}
says_in_force() {
	apply_again "$1" | grep "the policies are enforced, but would not survive" | grep -v "nothing was applied"
}
check "what is in force is not called nothing" says_in_force "?confirm=60"
unstored() {
	segctl doctor -o json | jq -e '.findings | any(.check == "unstored" and .level == "error")
		and (any(.check == "reconcile" and .level == "error") | not)'
}
check "the doctor says that it is in force, and not on disk" unstored
exits "what cannot be kept is not confirmed" 1 segctl policy confirm
rm "$work/failing"
check "until it can" segctl policy confirm
agent_kill
agent_start "${start[@]}" || exit 1
expect "then it is kept" '["door","shut"]' lines
segctl policy delete SegmentPolicy shut -n default >/dev/null

echo "== on a terminal"
ask() { # ANSWER: through a pseudo-terminal
	{ await 5 pending; echo "$1"; sleep 0.1; } | script -qec \
		"'$BUILD/segctl' --socket '$work/segd.sock' policy apply --confirm 20s -f '$work/wrong.yaml'" /dev/null
}
ask n >"$work/asked"
check "the question is put" grep -q 'Keep this policy' "$work/asked"
check "no is no" grep -q reverted "$work/asked"
expect "the former policies are back" '["door"]' lines
ask y >"$work/asked"
check "yes is yes" grep -q confirmed "$work/asked"
expect "the policies stay" '["door","shut"]' lines

for time in 0s 25h 5x -1s; do
	exits "--confirm $time is no time" 2 segctl policy apply --confirm="$time" -f "$work/first.yaml"
done
finish
