#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make demo: three tiers and an intruder in network namespaces, one policy, and what became of the
# traffic. Everything shown is checked; the exit code says whether it was so. DEMO_PAGE: file for the
# map as a page. DEMO_MORE: a script that is read in the demo's world before it ends.
BUILD=${1:?usage: demo.sh BUILD}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"

policy=$here/policies/examples/three-tier.yaml
declare -A number=([web]=11 [api]=12 [db]=13 [intruder]=14)
# from, to, port, and whether the policy lets it pass
attempts=(
	"web api 8080 open" "api db 5432 open"
	"web db 5432 timeout" "db web 80 timeout"
	"intruder web 80 timeout" "intruder api 8080 timeout" "intruder db 5432 timeout"
)

if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then
	bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
	bold='' green='' red='' plain=''
fi

title() {
	printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}

say_and_run() {
	printf '%s$ segctl %s%s\n' "$bold" "$*" "$plain"
	segctl "$@"
}

refuse_to_start() {
	echo "demo: $1" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || refuse_to_start "needs root: network namespaces and eBPF"
for name in web api db intruder node; do
	[ ! -e "/run/netns/$name" ] ||
		refuse_to_start "a network namespace '$name' is there already (ip netns del $name)"
done

trap node_down EXIT
trap 'exit 130' INT TERM HUP

# One line for each attempt and family; all at the same time, since silence takes its time.
attempt_all() {
	local attempt from to port wanted family address results=$work/results
	mkdir -p "$results"
	for attempt in "${attempts[@]}"; do
		read -r from to port wanted <<<"$attempt"
		for family in ipv4 ipv6; do
			address=10.77.0.${number[$to]}
			[ $family = ipv4 ] || address=fd77::${number[$to]}
			probe "$from" tcp "$address" "$port" >"$results/$from-$to-$family" &
		done
	done
	wait $(jobs -p | grep -vxF "$(printf '%s\n' "${children[@]}" "$agent_pid")") 2>/dev/null
	for attempt in "${attempts[@]}"; do
		read -r from to port wanted <<<"$attempt"
		[ "$1" = policy ] || wanted=open
		show_attempt "$from" "$to" "$port" "$wanted"
	done
}

show_attempt() {
	local v4 v6 word=refused colour=$red
	v4=$(cat "$work/results/$1-$2-ipv4")
	v6=$(cat "$work/results/$1-$2-ipv6")
	[ "$4" != open ] || { word=passed colour=$green; }
	if [ "$v4" = "$4" ] && [ "$v6" = "$4" ]; then
		printf '  %-10s -> %-4s tcp/%-5s %s%s%s (IPv4 and IPv6)\n' "$1" "$2" "$3" "$colour" \
			"$word" "$plain"
	else
		failed=$((failed + 1))
		printf '  %-10s -> %-4s tcp/%-5s EXPECTED %s, got %s over IPv4 and %s over IPv6\n' \
			"$1" "$2" "$3" "$4" "$v4" "$v6"
	fi
}

# must DESCRIPTION JQ-FILTER SEGCTL-ARGUMENT...: what the screen said must be in the data, too.
must() {
	if ! segctl "${@:3}" -o json | jq -e "$2" >/dev/null; then
		failed=$((failed + 1))
		echo "  NOT SO: $1" >&2
	fi
}

title "1. Four workloads on a bridge, each with a TCP server; no policy yet"
node_up node
for name in web api db intruder; do
	workload_up $name ${number[$name]} $name "app: $name"
done
serve web tcp/80
serve api tcp/8080
serve db tcp/5432
agent_start --node=demo --no-docker --workloads="$work/workloads.yaml" --remove-on-exit --adoption=0 ||
	exit 1
say_and_run workloads
attempt_all open

title "2. The policy: web to api:8080, api to db:5432, nothing else"
say_and_run policy apply -f "$policy" || failed=$((failed + 1))
attempt_all policy

title "3. Who was refused, and by which rule"
say_and_run denied
for from in web db intruder; do
	must "$from was refused with a rule" \
		".denied | any(.source.workload == \"$from\" and .reason == \"policy_denied\" and .rule.name != null)" \
		denied
done

title "4. The map of what happened"
say_and_run map
[ -z "${DEMO_PAGE-}" ] || segctl map -o html >"$DEMO_PAGE"
must "web -> api:8080 is on the map" \
	'.edges | any(.from == "default/web" and .to == "default/api" and .port == 8080 and .verdict == "allowed")' map
must "intruder -> db:5432 is on the map as denied" \
	'.edges | any(.from == "default/intruder" and .to == "default/db" and .port == 5432 and .verdict == "denied")' map

title "5. Why db is safe"
say_and_run inspect workload db

if [ -n "${DEMO_MORE-}" ]; then
	# shellcheck source=tests/browser/picture_screen.sh
	. "$DEMO_MORE"
fi

[ "$failed" = 0 ] || { echo; echo "demo: $failed things did not happen as said" >&2; exit 1; }
title "Everything happened as said. Next: segctl --help, man segd-policy."
