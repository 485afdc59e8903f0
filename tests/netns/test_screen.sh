#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The live screens over a real agent, in a real terminal of 80x24 (tmux): rates move, keys do what the
# help line says, from a workload to its edges, their flows and the rule; a terminal that changes its
# size, an agent that hangs or goes away, and the terminal as it was afterwards.
# test_screen.sh BUILD ebpf|nft
BUILD=$(realpath "${1:?usage: test_screen.sh BUILD PLANE}")
plane=${2:?usage: test_screen.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
tidy() {
	[ -z "${work-}" ] || tmux -S "$work/tmux" kill-server 2>/dev/null
	node_down
}
trap tidy EXIT
trap 'exit 130' INT TERM
export LC_ALL=C.UTF-8
unset COLUMNS NO_COLOR

id=sgl$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-intruder" 14 intruder "app: intruder"
serve "$id-api" tcp/8080
serve "$id-db" tcp/5432
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" \
	--remove-on-exit --adoption=0 || exit 1
segctl policy apply -f "$here/policies/examples/three-tier.yaml" >/dev/null
# Steady traffic: one connection with twenty beats a second, and refusals, bounded.
spawn "$id-web" "$tools/pulse" 10.77.0.12 8080 50 >/dev/null
spawn "$id-intruder" bash -c "for i in {1..600}; do '$tools/probe' tcp 10.77.0.13 5432 100; done" >/dev/null
await 5 sh -c "'$BUILD/segctl' --socket '$work/segd.sock' denied -o json | jq -e '.denied[0]'"

screen() {
	tmux -S "$work/tmux" -f /dev/null "$@"
}

# open_screen WORDS…: segctl in a terminal of 80x24, below a line that was there before.
open_screen() {
	screen kill-session -t live 2>/dev/null
	screen new-session -d -s live -x 80 -y 24 \
		"echo was here before; ${environment-} '$BUILD/segctl' --socket '$work/segd.sock' $*; echo ended \$?; stty -a; cat"
}

key() {
	screen send-keys -t live "$@"
}

picture() {
	screen capture-pane -p -t live
}

shows() {
	picture | grep -qE -- "$1"
}

lacks() {
	! shows "$1"
}

# sees DESCRIPTION PATTERN: before long.
sees() {
	if await 10 shows "$2"; then
		pass "$1"
	else
		fail "$1" "expected: $2" "$(picture)"
	fi
}

# The server ends with its last session.
screen new-session -d -s keep cat

echo "== top: workloads, each second"
open_screen top
sees "says who enforces what" "^segd on test +$plane +generation [0-9]+ +4 workloads"
sees "workloads with packets and bytes a second" "default/api +1 +[1-9][0-9.]* +[1-9][0-9.]* (B|KiB) "
sees "and denials" "default/intruder .* [1-9][0-9.]* +[0-9]+ +[1-9][0-9]*$"
check "the busiest comes first" sh -c "tmux -S '$work/tmux' capture-pane -p -t live | sed -n 4p | grep -Eq 'default/(web|api)'"
# What does not fit would be cut at the right, or names in the middle.
sees "80 columns are enough for all of them" \
	"^WORKLOAD +EDGES +PKT/S +BYTES/S +CONN/S +DENY/S +PACKETS +DENIED$"
expect "and for whole names" "api db intruder web" \
	sh -c "tmux -S '$work/tmux' capture-pane -p -t live | sed -n '4,7s,^default/\([a-z]*\) .*,\1,p' | sort | paste -sd' '"
sees "the help line is whole" "q quit .*arrows move"
first=$(picture | awk '/default\/api/ { print $(NF - 1) }')
await 5 sh -c "[ \"\$(tmux -S '$work/tmux' capture-pane -p -t live | awk '/default.api/ { print \$(NF - 1) }')\" != '$first' ]"
expect "totals grow by themselves" 0 echo $?
key s
sees "s sorts by the next column" "by bytes"
key s s
sees "and on to denials" "by denials"
await 5 sh -c "tmux -S '$work/tmux' capture-pane -p -t live | sed -n 4p | grep -Eq 'default/(intruder|db)'"
expect "who is refused most comes first" 0 echo $?
key /
key d b
sees "/ filters" "^1 workloads, by denials, filter: db_"
key Enter
sees "Enter keeps the filter" "filter: db$"

echo "== from a workload to its edges, flows and the rule"
key Enter
sees "the edges of db" "edges of default/db, .*denied, by packets"
sees "with their verdict" "default/intruder +default/db +tcp/5432 +denied"
check "nobody else's" await 5 lacks "default/web"
sees "the way back is in the help line" "Esc back"
key Enter
sees "the flows of the edge" "10.77.0.14:[0-9]+ +10.77.0.13:5432 +denied"
sees "and why" "denied, egress: no rule of SegmentPolicy default/default-deny allows"
key Enter
sees "the rule, as it is written" 'subject: "\*"'
sees "where it was written" "application tier, written in .*three-tier.yaml"
key Escape
sees "back to the flows" "[0-9]+ flows.*, by time"
key Escape
sees "back to the edges" "edges of default/db"
key Escape
sees "back to the workloads, as they were" "workloads, by denials, filter: db"
key Escape
sees "and without the filter" "^4 workloads, by denials$"
key Tab
sees "Tab shows all edges" "default/web +default/api +tcp/8080 +allowed"
key p
sees "p pauses" "paused"
key p
key q
sees "q ends it" "ended 0"
sees "the terminal shows what it did before" "was here before"
sees "and echoes again" "[^-]echo "

echo "== map --live"
open_screen map --live
sees "edges, denied first" "^default/intruder +default/db +tcp/5432 +denied"
sees "80 columns are enough here, too" "^FROM +TO +PORT +VERDICT +CONNS +PACKETS +PKT/S$"
key s
sees "sorted otherwise" "[0-9] edges, .*by connections"
key Tab
sees "Tab shows workloads" "^WORKLOAD "
key Tab
sees "and leads back to edges with totals" "^FROM +TO +PORT +VERDICT +CONNS +PACKETS +PKT/S$"
sees "as they were" "edges, .*by connections"
screen resize-window -t live -x 120 -y 30
sees "more columns where there is room" "LAST"
screen resize-window -t live -x 40 -y 8
await 5 lacks "LAST"
check "few columns and lines do" sh -c "tmux -S '$work/tmux' capture-pane -p -t live | grep -q denied"
screen resize-window -t live -x 80 -y 24
sees "and back" "q quit .*arrows move"
kill -STOP "$agent_pid"
sees "an agent that hangs is told" "answer in time"
sees "over the last picture" "default/intruder"
key q
sees "and q still ends it" "ended 0"
kill -CONT "$agent_pid"
open_screen map --live --group-by app --to db
sees "groups and filters of the command line" "^app=intruder +app=db +tcp/5432 +denied"
key Enter
sees "also lead to flows" "10.77.0.14:[0-9]+ +10.77.0.13:5432"
agent_kill
sees "an agent that is gone is told" "no agent"
key q
sees "q" "ended 0"
open_screen top
sees "without an agent there is one line, and no screen" "no agent listens on "
sees "and its exit code" "ended 3"

echo "== colours"
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" \
	--remove-on-exit --adoption=0 || exit 1
await 5 sh -c "'$BUILD/segctl' --socket '$work/segd.sock' map -o json | jq -e '.edges[0]'"
colours() {
	screen capture-pane -e -p -t live | grep -c $'\e\[[0-9;]*3[1-3]m'
}
open_screen map --live
sees "a screen" "denied"
check "denied is red" [ "$(colours)" -gt 0 ]
environment="NO_COLOR=1" open_screen map --live
sees "a screen" "denied"
expect "NO_COLOR: none" 0 colours
key q

finish
