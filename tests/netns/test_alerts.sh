#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What becomes of an alert: test_alerts.sh BUILD ebpf|nft
#
# web looks for services of db. One alert comes of it, however long it goes on: listed, shown,
# followed, logged, posted, told to syslog, counted; seen, muted; there after a restart, and after
# its state was damaged the agent says so and goes on. An offline run over the flow log finds the
# same.
BUILD=${1:?usage: test_alerts.sh BUILD PLANE}
plane=${2:?usage: test_alerts.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=alrt$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-db" 13 db "app: db"
serve "$id-db" tcp/80

# Who listens: a web server of one answer a connection, and a syslog daemon.
hook() {
	while true; do
		printf 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' |
			timeout 60 nc -N -l 127.0.0.1 8099 || break
		echo
	done >>"$work/hook" 2>/dev/null
}
export work
spawn "$id" bash -c "$(declare -f hook); hook"
spawn "$id" nc -l -k -u -U "$work/log.sock" >"$work/syslog"

cat >"$work/detect.yaml" <<END
severity: low
webhook.url: http://127.0.0.1:8099/alerts
syslog.socket: $work/log.sock
END
start=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit
	--detect-settings="$work/detect.yaml")
agent_start "${start[@]}" || exit 1

scan() {
	local port
	for port in $(seq "$1" "$2"); do
		probe_ms=200 probe "$id-web" tcp 10.77.0.13 "$port" >/dev/null
	done
}
alerts() { segctl alerts --detector scan "$@" -o json; }
first() { alerts --all | jq -r ".alerts[0] | $1"; }
count() { alerts "$@" | jq '.alerts | length'; }
counts() { [ "$(first .count)" = "$1" ]; }
has_alert() { [ "$(count --all)" -gt 0 ]; }
metric() { curl -s --unix-socket "$work/segd.sock" http://segd/metrics | grep -F "$1"; }
# said FILE WORDS: the file has them by now.
said() { grep -qF -- "$2" "$work/$1"; }

echo "== before"
expect "what is allowed is open" open probe "$id-web" tcp 10.77.0.13 80
expect "no alert" "no alerts" segctl alerts

echo "== an alert"
segctl alerts --follow -o jsonl >"$work/followed" 2>/dev/null &
children+=("$!")
scan 7001 7020
check "it comes" await 10 has_alert
alert=$(first .id)
expect "who" default/web first .actor.id
expect "to whom" default/db first .target.id
expect "by which technique" "T1046 Network Service Discovery" first '.technique | .id + " " + .name'
scan 7021 7030
check "it goes on" await 10 counts 30
expect "one, however long it goes on" 1 count
check "it is shown" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' alerts show $alert | grep -q 'technique *T1046'"
check "its story, too" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' alerts show i$alert | grep -q '$alert'"
check "its flows, too" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' flows --alert $alert -o json |
	jq -e '.flows | length > 4 and all(.source.workload == \"web\")'"
expect "of the time that is asked for" 0 sh -c "'$BUILD/segctl' --socket '$work/segd.sock' \
	flows --since 2100-01-01T00:00:00Z --alert $alert -o json | jq '.flows | length'"
exits "one that is not there" 1 segctl alerts show 000000000000

echo "== who is told"
check "a follower" await 5 said followed "\"news\":\"raised\",\"id\":\"$alert\""
check "the alert log" await 5 said log/alerts.log "\"id\":\"$alert\""
check "the agent's own log" await 5 said segd.log "alert $alert)"
check "a webhook" await 10 said hook "\"id\":\"$alert\""
check "with a sentence for chats" said hook '"text":"'
check "syslog" await 5 said syslog "T1046, alert $alert)"
check "in structured data" said syslog "[segd@32473 id=\"$alert\" detector=\"scan\""
check "metrics" metric 'segd_alerts_total{detector="scan",severity="medium"} 1'
check "and its story" metric 'segd_incidents_open 1'

echo "== seen, muted"
check "seen" segctl alerts ack "$alert" --note "a drill"
expect "it is not listed any more" 0 count
expect "but with the others" 1 count --all
expect "who saw it, and what came of it" "root: a drill" \
	first '.acknowledged | .user + ": " + .note'
check "muted" segctl alerts mute "$alert" --for 1h --reason "we test"
expect "it is" true first .muted
mute=$(segctl alerts mutes -o json | jq -r '.mutes[0].id')
exits "without an end" 2 segctl alerts mute "$alert" --reason "for ever"
exits "everything" 2 segctl alerts mute --for 1h --reason "all"

echo "== a restart"
alerts --all | jq -S '.alerts[0] | del(.open)' >"$work/before.json"
agent_stop
agent_start "${start[@]}" || exit 1
expect "the alert is there as it was" "$(cat "$work/before.json")" \
	sh -c "'$BUILD/segctl' --socket '$work/segd.sock' alerts --all --detector scan -o json | jq -S '.alerts[0] | del(.open)'"
expect "the mute, too" "$mute" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' alerts mutes -o json | jq -r '.mutes[0].id'"
check "unmuted" segctl alerts unmute "$mute"
expect "it is not muted any more" false first .muted
check "roles are remembered" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' baseline show -o json |
	jq -e '.roles | any(.role == \"default/web\")'"
check "and forgotten" segctl baseline forget default/web
exits "once" 1 segctl baseline forget default/web
# A crash would bring it back until then.
forgotten() { ! grep -q '"role":"default/web"' "$work/state/baseline.jsonl"; }
check "on disk, too" await 5 forgotten

echo "== offline"
agent_stop
segctl detect -r "$work/log" -o json >"$work/offline.json"
expect "the same alerts" "$(jq -c '[.id, .sentence, .count, .first, .last, .evidence]' <"$work/before.json")" \
	jq -c '.alerts[] | select(.detector == "scan") | [.id, .sentence, .count, .first, .last, .evidence]' "$work/offline.json"
# Two agents found them, one after the other, and the last connections ended with the last.
found='[.alerts[] | {id, detector, key, severity, sentence, because, first, raised, last, count, reports,
	evidence, incident}] | sort_by(.id)'
expect "all of them" "$(jq -cS "$found" "$work/state/alerts.json")" jq -cS "$found" "$work/offline.json"
echo 'scan.enabled: false' >"$work/off.yaml"
expect "not with the detector off" 0 sh -c "'$BUILD/segctl' detect -r '$work/log' --detect-settings '$work/off.yaml' -o json |
	jq '[.alerts[] | select(.detector == \"scan\")] | length'"

echo "== damage"
echo '{' >"$work/state/alerts.json"
echo '{}' >"$work/state/baseline.jsonl"
agent_start "${start[@]}" || exit 1
check "it is set aside" test -e "$work/state/alerts.json.damaged" -a -e "$work/state/baseline.jsonl.damaged"
check "and told" said segd.log "alerts.json is damaged"
expect "detection goes on" "no alerts" segctl alerts
agent_stop
echo 'scan.failures: many' >"$work/detect.yaml"
exits "settings with a mistake" 1 agent_start "${start[@]}"
check "are told by place" said segd.log "detect.yaml:1:"

finish
