#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Flow log and store when the agent is killed, the disk is full or read only, the store is damaged and
# the clock jumps: test_durability.sh BUILD ebpf|nft
BUILD=${1:?usage: test_durability.sh BUILD PLANE}
plane=${2:?usage: test_durability.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
away() {
	agent_stop
	umount "$work/disk" 2>/dev/null
	node_down
}
trap away EXIT
trap 'exit 130' INT TERM

id=sgd$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-intruder" 13 intruder "app: intruder"
serve "$id-api" tcp/9000
in_ns "$id" sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_time_wait=1 \
	net.netfilter.nf_conntrack_tcp_timeout_close=1
in_ns "$id-api" sysctl -qw net.ipv4.tcp_max_tw_buckets=0
mkdir "$work/disk"
mount -t tmpfs -o size=64m segd-test "$work/disk"
log=$work/disk/log
options=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --adoption=0
	--log-directory="$log" --state-directory="$work/disk/state")

connect() { # PORT COUNT
	in_ns "$id" "$tools/short_connections" "$id-web" "$id-api" 10.77.0.12 "$1" "$2" | cut -d ' ' -f 1
}
refused() { # DESCRIPTION
	expect "$1" timeout probe "$id-intruder" tcp 10.77.0.12 9000
}
status() { # JQ-FILTER
	segctl status -o json | jq -r "$1"
}
all_lines() { # of all its files
	find "$log" -name 'flows-*.zst' -exec zstdcat {} +
	find "$log" -name 'flows*.log' -exec cat {} +
}
lines() { # PATTERN: how many have it
	all_lines | grep -cE "$1"
}
begun() { # PORT: connections to it and the next that the log says have begun
	lines "\"event\":\"new\".*\"destination\":[^}]*\"port\":($1|$(($1 + 1))),"
}
has_begun() { # PORT COUNT
	[ "$(begun "$1")" = "$2" ]
}
stored() { # PORT [OPTION...]: connections to it and the next that the store knows of
	segctl map -o json --port "$1" --port $(($1 + 1)) --since "${2-1h}" | jq '[.edges[].connections] | add // 0'
}
has_stored() { # PORT COUNT [SINCE]
	[ "$(stored "$1" "${3-1h}")" = "$2" ]
}
metric() { # NAME
	curl -s --unix-socket "$work/segd.sock" http://segd/metrics | awk -v name="$1" '$1 == name { print $2 }'
}
says() { # PATTERN: the agent's own log does
	grep -qE "$1" "$work/segd.log"
}
well() {
	[ "$(status '.flows | [.log.error, .store.error] | all(. == null)')" = true ]
}
valid() {
	"$here/tests/validate_records.py" <(all_lines)
}

agent_start "${options[@]}" || exit 1
expect "intruder -> api tcp/9000 passes without a policy" open probe "$id-intruder" tcp 10.77.0.12 9000
check "apply" segctl policy apply -f - <<'YAML'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec:
  subject: app=api
  ingress: [{from: [{workloads: app=web}]}]
YAML

echo "== kill -9 while it writes"
expect "connections" opened=500 connect 8000 500
check "are in the store before long" await 4 has_stored 8000 500
expect "more" opened=500 connect 8100 500
sleep 1.1 # what is older must be on file
connect 8200 5000 >"$work/storm" &
storm=$!
being_written() {
	[ "$(begun 8200)" -gt 0 ]
}
check "a storm of them is being written" await 4 being_written
agent_kill
wait "$storm"
refused "what was refused stays refused"
expect "of what is a second old, the log has each" 500 begun 8100
agent_start "${options[@]}" || exit 1
check "the next agent leaves whole lines behind" valid
expect "the store is sound, and has the first" 500 stored 8000
check "and all is well" well

echo "== connections that go on over a restart"
serve "$id-api" tcp/8080
spawn "$id-web" "$tools/pulse" 10.77.0.12 8080 20 >"$work/long"
long=$spawned
await 5 grep -q connected "$work/long"
counts() { # KEY: packets or bytes that the store has, both ways
	segctl map -o json --port 8080 --since 1h | jq --arg key "$1" '[.edges[][$key][]] | add // 0'
}
is_counted() {
	[ "$(counts packets)" -ge 20 ]
}
check "one is counted" await 5 is_counted
shorts=()
for end in stop kill; do
	spawn "$id-web" "$tools/pulse" 10.77.0.12 8080 20 >"$work/short.$end"
	await 5 grep -q connected "$work/short.$end"
	check "another begins" await 4 has_stored 8080 $((${#shorts[@]} + 2))
	shorts+=("$spawned")
	"agent_$end"
	agent_start "${options[@]}" || exit 1
done
before=$(counts packets)
counts_on() {
	[ "$(counts packets)" -gt "$before" ]
}
check "the third agent counts on" await 5 counts_on
kill -TERM "$long" "${shorts[@]}"
final() { # KEY: as the log has it of their ends
	all_lines | grep '"event":"end".*"port":8080,' | jq -s --arg key "$1" '[.[][$key][]] | add // 0'
}
have_ended() {
	[ "$(lines '"event":"end".*"port":8080,')" = 3 ]
}
check "all three end" await 5 have_ended
expect "the store has as many connections" 3 stored 8080
expect "each packet once" "$(final packets)" counts packets
expect "each byte once" "$(final bytes)" counts bytes
ids() { # of each, in all records
	all_lines | grep '"port":8080,' | jq -r '"\(.source.port) \(.id)"' | sort -u | wc -l
}
expect "each has one id" 3 ids

echo "== a full disk"
rm -f "$log"/* # and what they took is free once the agent has noticed
connect 8290 2 >/dev/null
check "the agent begins another log" await 5 test -s "$log/flows.log"
dd if=/dev/zero of="$work/disk/filler" bs=4k 2>/dev/null
expect "connections" opened=3000 connect 8300 3000
fails() {
	[[ $(status .flows.log.error) == *"No space left on device"* ]]
}
check "status says that the log cannot be written" await 4 fails
check "so does the journal, why and what of it" await 3 says \
	"error: the flow log: .*No space left on device; records wait"
doctor_says() {
	segctl doctor -o json | jq -e --arg check "$1" '.findings | any(.check == $check and .level == "error")'
}
check "and the doctor" doctor_says flow-log
expect "and a metric" 1 metric segd_flow_log_failing
refused "policy holds"
expect "what is allowed passes" opened=2 connect 8310 2
{
	printf '%s\n' 'apiVersion: segctl.io/v1' 'kind: SegmentPolicy' 'metadata: {name: large}' \
		"spec: {subject: app=none, ingress: [{from: [{workloads: app=none}], ports: [$(seq -s, -f 'tcp/%.0f' 1024 4096)]}]}"
} >"$work/large.yaml"
exits "a policy that cannot be kept is refused" 1 segctl policy apply -f "$work/large.yaml"
refused "and the former one holds"
rm "$work/disk/filler"
check "with room again all is well by itself" await 4 well
check "which the journal says" await 3 says "the flow log is written again"
check "the store has each connection" await 4 has_stored 8300 3000
all_told() { # each beginning and end is in a record or in the gap
	local lost
	lost=$(all_lines | grep '"event":"gap"' | jq -s 'map(.lost) | add // 0')
	[ "$lost" = "$(status .flows.log.lost)" ] &&
		[ $(($(lines '"port":83(00|01|10|11),') + lost)) -ge 6004 ]
}
check "the log has it, or a gap says how much is missing" await 4 all_told
check "the lines are whole" valid
check "now the policy is taken" segctl policy apply -f "$work/large.yaml"
agent_stop
check "and kept" grep -q "name: large" "$work/disk/state/policies.journal"

echo "== a directory that is read only"
cp -r "$work/disk/state" "$work/state"
mount -o remount,ro "$work/disk"
agent_start "${options[@]}" --state-directory="$work/state" || exit 1
read_only() {
	[[ $(status .flows.log.error) == *"Read-only file system"* ]]
}
check "the agent starts, and status says so" await 5 read_only
refused "policy holds"
mount -o remount,rw "$work/disk"
check "and it goes on by itself" await 5 well
agent_stop

echo "== an agent that comes to a disk which takes nothing"
agent_start "${options[@]}" || exit 1
segctl policy delete SegmentPolicy large >/dev/null
check "a quarantine" segctl quarantine add api --reason "odd DNS traffic" --for 1h
check "and a policy on probation" segctl policy apply --confirm 1h -f - <<'YAML'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec: {subject: app=api, ingress: [{action: allow}]}
YAML
agent_kill
overdue() { # FILE FILTER
	jq "$2" "$work/disk/state/$1" >"$work/overdue" && cp "$work/overdue" "$work/disk/state/$1"
}
check "their time passes without an agent: of one" overdue quarantine.json '.quarantines[].until_ns = 1'
check "and of the other" overdue unconfirmed.json '.deadline_ns = 0'
rm -f "$work/disk/state/flows.db-"* "$log"/*.part # the room of which the next agent would have
dd if=/dev/zero of="$work/disk/filler" bs=4k 2>/dev/null
agent_start "${options[@]}" || exit 1
pass "the agent starts on a full disk"
expect "the quarantine is over" "no workload is in quarantine" segctl quarantine list
refused "the former policy is back"
expect "with what it allows" opened=2 connect 8320 2
check "what is not on disk, it says" says "enforced, but would not survive a restart: .*No space left"
rm "$work/disk/filler"
decided() {
	[ "$(status .confirm)" = null ]
}
check "with room again it is decided" await 4 decided
agent_stop
check "for good" test ! -e "$work/disk/state/unconfirmed.json"
mount -o remount,ro "$work/disk"
agent_start "${options[@]}" || exit 1
pass "the agent starts on a disk that is read only"
refused "policy holds"
exits "no other is taken" 1 segctl policy delete SegmentPolicy api
refused "that one holds"
agent_stop
mount -o remount,rw "$work/disk"

echo "== a damaged store"
dd if=/dev/urandom of="$work/disk/state/flows.db" bs=4096 seek=1 count=4 conv=notrunc 2>/dev/null
printf '{"schema":1,"time":"2026-' >>"$log/flows.log"
agent_start "${options[@]}" || exit 1
set_aside() {
	[ -s "$(status .flows.store.set_aside)" ]
}
check "is set aside" await 4 set_aside
check "which the journal says" await 3 says "the flow store was damaged: it is set aside as"
trouble() {
	status '.troubles[].message' | grep -q 'flow store was damaged'
}
check "and the status" trouble
expect "the agent goes on" opened=200 connect 8400 200
check "with another one" await 4 has_stored 8400 200
check "half a line is no line" valid
refused "policy holds"
agent_stop

echo "== the clock jumps"
day=86400
echo 0 >"$work/clock"
LD_PRELOAD=$(realpath "$BUILD/tests/netns/clock_shim.so") CLOCK_SHIM=$work/clock \
	agent_start "${options[@]}" || exit 1
before=$(date -u -d '-1 hour' +%Y-%m-%dT%H:%M:%SZ)
expect "connections" opened=100 connect 8500 100
check "are in log" await 5 has_begun 8500 100
check "and store" await 4 has_stored 8500 100 "$before"
echo $((1000 * day)) >"$work/clock"
expect "then, a thousand days later" opened=100 connect 8600 100
check "are in the log" await 5 has_begun 8600 100
check "and the store" await 4 has_stored 8600 100 "$before"
year() {
	[ "$(lines "\"time\":\"$(date -u -d '+1000 days' +%Y)")" -ge 100 ]
}
check "under their date" year
echo $((-10 * day)) >"$work/clock"
expect "then, earlier than any" opened=100 connect 8700 100
check "are in the log" await 5 has_begun 8700 100
check "and the store" await 4 has_stored 8700 100 "$(date -u -d '-11 days' +%Y-%m-%dT%H:%M:%SZ)"
expect "nothing of before is lost, in the log" 100 begun 8500
expect "nor in the store" 100 stored 8500 "$before"
expect "and nothing of later" 100 stored 8600 "$before"
refused "policy holds"
check "all is well" well

finish
