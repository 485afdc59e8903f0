# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What benign days have in common: the shop, an agent that detects, everything at once, and what it says
# of that. Source it first. Asks for BUILD, here, id, plane, history (new or learnt) and duration.
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
# shellcheck source=tests/detect/shop.sh
. "$here/tests/detect/shop.sh"
trap node_down EXIT
trap 'exit 130' INT TERM HUP

day_up() {
	node_up "$id" || return 1
	shop_up || { tail -5 "$work"/*.log >&2; return 1; }
}

# day_begin: the day lasts for duration seconds from now on.
day_begin() {
	# As in the attack suite.
	printf 'beacon.shortest: 0.3\nlearning: %s\n' "$([ "$history" = learnt ] && echo 45s || echo 7d)" \
		>"$work/detect.yaml"
	agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit \
		--adoption=0 --detect-settings="$work/detect.yaml" || return 1
	segctl policy apply -f "$here/tests/detect/open.yaml" >"$work/apply.log" || return 1
	ends=$((SECONDS + duration))
}

going() {
	[ $SECONDS -lt $ends ]
}

# day_run NAME...: functions day_NAME, side by side. Then nothing of it may have raised an alert of medium
# or above, and one of low at most.
day_run() {
	local day days=() records
	for day in "$@"; do
		"day_$day" >"$work/$day.log" 2>&1 </dev/null &
		days+=("$!")
	done
	wait "${days[@]}"
	sleep 35 # the last connections are told of
	segctl alerts --all -o json >"$work/alerts.json"
	[ "$(jq '.alerts | length' "$work/alerts.json")" = 0 ] || segctl alerts --all -o wide
	records=$(wc -l <"$work/log/flows.log")
	check "there is something to look at: $records records" [ "$records" -gt 300 ]
	expect "$plane, $history: no alert is critical" 0 day_alerts critical
	expect "$plane, $history: none is high" 0 day_alerts high
	expect "$plane, $history: none is medium" 0 day_alerts medium
	check "$plane, $history: at most one is low" [ "$(day_alerts low)" -le 1 ]
	[ -z "${KEEP-}" ] || { mkdir -p "$KEEP" && cp "$work"/log/* "$work/alerts.json" "$KEEP"; }
	finish
}

day_alerts() { # SEVERITY
	jq --arg severity "$1" '[.alerts[] | select(.severity == $severity)] | length' "$work/alerts.json"
}
