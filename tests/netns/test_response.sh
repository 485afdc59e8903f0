#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An intruder is isolated by a detector: test_response.sh BUILD ebpf|nft
#
# web scans db. The alert isolates it: its next packet is refused, running traffic too; who
# investigates gets in, nobody else does; its end restores exactly what was. A second intruder is
# beyond the limit, and the alert says so. How long it took is printed, not judged: make test shares
# its machine.
BUILD=${1:?usage: test_response.sh BUILD PLANE}
plane=${2:?usage: test_response.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=resp$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-cron" 12 cron "app: cron"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-lab" 14 lab "role: forensics"
serve "$id-web" tcp/22
serve "$id-cron" tcp/22
serve "$id-db" tcp/80 udp/53
spawn "$id-db" "$tools/beat" receive 9000 >"$work/beats"
receiver=$spawned
await 5 grep -q ready "$work/beats"

cat >"$work/detect.yaml" <<'END'
scan.quarantine: 1h
capture.duration: 1m
capture.severity: medium
quarantine.allow: [{from: [{workloads: role=forensics}], ports: [tcp/22]}]
END
start=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml"
	--detect-settings="$work/detect.yaml" --automatic-quarantines=1 --remove-on-exit)
agent_start "${start[@]}" || exit 1

# --- looking ----------------------------------------------------------------------------------------

# world: what passes, in one line.
world() {
	local attempt from number port
	for attempt in "web 13 80" "cron 13 80" "lab 11 22" "cron 11 22" "lab 12 22"; do
		read -r from number port <<<"$attempt"
		! probe_ms=900 probe "$id-$from" tcp "10.77.0.$number" "$port" >/dev/null ||
			printf '%s ' "${attempt// /-}"
	done
}
scan() { # NAME: closed ports of db, one after the other
	local port
	for port in $(seq 7001 7025); do
		probe_ms=200 probe "$id-$1" tcp 10.77.0.13 "$port" >/dev/null
	done
}
alert() { # NAME JQ-PATH
	segctl alerts --all --detector scan --actor "$1" -o json | jq -r ".alerts[0] | $2"
}
is_isolated() {
	segctl quarantine list -o json |
		jq -e ".quarantines | any(.name == \"$1\" and .state == \"isolated\")"
}
beats() {
	kill -USR1 "$receiver"
	sleep 0.1
	tail -n 1 "$work/beats"
}
# arrived: beats that came within 0.3 s.
arrived() {
	local before after
	before=$(beats)
	sleep 0.3
	after=$(beats)
	before=${before#count=} after=${after#count=}
	echo $((${after% *} - ${before% *}))
}
flow_goes_on() { [ "$(arrived)" -gt 0 ]; }
flow_has_stopped() { [ "$(arrived)" = 0 ]; }
whole='web-13-80 cron-13-80 lab-11-22 cron-11-22 lab-12-22 '

echo "== before"
expect "everybody reaches everybody" "$whole" world
spawn "$id-web" "$tools/beat" send 10.77.0.13 9000 1000
check "web sends to db" await 5 flow_goes_on
exits "no alert" 0 sh -c "[ \"\$('$BUILD/segctl' --socket '$work/segd.sock' alerts)\" = 'no alerts' ]"

echo "== an intruder"
scan web
check "he is isolated" await 10 is_isolated web
check "what he had open stops" await 5 flow_has_stopped
expect "he reaches nobody, and only who investigates reaches him" \
	"cron-13-80 lab-11-22 lab-12-22 " world
check "the quarantine names the alert" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' quarantine list -o json |
	jq -e '.quarantines[0] | .origin == \"detector\" and (.reason | startswith(\"alert $(alert web .id): \"))
	and .seconds_left > 3000 and .seconds_left <= 3600'"
expect "the alert says what came of it" "isolated for 3600 s" alert web .response.quarantine
expect "he is who did it" "default/web" alert web .actor.id
expect "by the technique" T1046 alert web .technique.id
check "its flows are shown" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' flows --alert $(alert web .id) -o json |
	jq -e '.flows | length >= 5 and all(.source.workload == \"web\" and .destination.workload == \"db\")'"
capture=$(alert web .response.capture)
has_packets() { [ "$(tcpdump -r "$capture" 2>/dev/null | wc -l)" -gt 3 ]; }
check "what he sends is recorded" await 5 has_packets
last=$(beats)
raised=$(date -u -d "$(alert web .raised)" +%s%N)
printf '  note  from the alert to the kernel: %.1f ms as the agent says, %.1f ms by the last packet that arrived\n' \
	"$(alert web .response.milliseconds)" "$(echo "(${last##*=} - $raised) / 1000000" | bc -l 2>/dev/null ||
		echo $(((${last##*=} - raised) / 1000000)))"

echo "== one more than may be"
scan cron
has_alert() { [ "$(alert "$1" .id)" != null ]; }
check "there is an alert" await 10 has_alert cron
was_refused() { alert cron .response.quarantine | grep -q 'refused: 1 workloads are isolated automatically'; }
check "it says why he is not isolated" await 5 was_refused
expect "he is not" "cron-13-80 lab-11-22 lab-12-22 " world

echo "== its end"
check "web is given back" segctl quarantine remove web
expect "exactly what was" "$whole" world
check "what went on is there again" await 5 flow_goes_on

finish
