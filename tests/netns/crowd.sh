# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Many connections at once, counted at both ends: tools/crowd.c behind two pipes. Source it after
# lib.sh. $node, $id and $work are of the test.

# crowd_up: the process that has all connections.
crowd_up() {
	mkfifo "$work/crowd.in" "$work/crowd.out"
	"$tools/crowd" <"$work/crowd.in" >"$work/crowd.out" &
	children+=("$!")
	exec 8>"$work/crowd.in" 9<"$work/crowd.out"
}

# crowd COMMAND...: prints the answer.
crowd() {
	local answer
	echo "$*" >&8
	read -r -t 30 answer <&9 || answer="crowd: no answer"
	echo "$answer"
}

# crowd_open GROUP COUNT tcp|udp FROM TO NUMBER PORT: over both families, as GROUP4 and GROUP6;
# COUNT in each, to 10.77.0.NUMBER and fd77::NUMBER.
crowd_open() {
	expect "$2 of ${1}4 are open" "${1}4 opened=$2" \
		crowd open "${1}4" "$2" "$3" "$id-$4" "$id-$5" "10.77.0.$6" "$7"
	expect "$2 of ${1}6 are open" "${1}6 opened=$2" \
		crowd open "${1}6" "$2" "$3" "$id-$4" "$id-$5" "fd77::$6" "$7"
}

# count_of WORD ANSWER: the number behind WORD=.
count_of() {
	local rest=${2#* "$1"=}
	echo "${rest%% *}"
}

# everything_arrives GROUP WAIT-MS: each end of each connection sends, and all of it arrives.
everything_arrives() {
	local answer
	answer=$(crowd send "$1" "$2")
	echo "$answer"
	[ "$(count_of flows "$answer")" -gt 0 ] &&
		[ "$(count_of sent "$answer")" = $((2 * $(count_of flows "$answer"))) ] &&
		[ "$(count_of arrived "$answer")" = "$(count_of sent "$answer")" ] &&
		[ "$(count_of broken "$answer")" = 0 ]
}

# nothing_arrives GROUP WAIT-MS [connector|acceptor]: each end of each connection sends, or that
# one, and none of it arrives.
nothing_arrives() {
	local answer
	answer=$(crowd send "$@")
	echo "$answer"
	[ "$(count_of sent "$answer")" -gt 0 ] && [ "$(count_of arrived "$answer")" = 0 ]
}
