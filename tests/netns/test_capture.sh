#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packets of workloads in files, with their verdicts: test_capture.sh BUILD ebpf|nft
BUILD=${1:?usage: test_capture.sh BUILD PLANE}
plane=${2:?usage: test_capture.sh BUILD PLANE}
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
# On the bridge, but no workload.
workload_up "$id-near" 15 near
head -4 "$work/workloads.yaml" >"$work/three.yaml"
serve "$id-api" tcp/8080 udp/8080
serve "$id-db" tcp/5432
agent_start --dataplane="$plane" --no-docker --workloads="$work/three.yaml" --remove-on-exit \
	--adoption=0 || exit 1
probe_ms=150 # whoever is refused shall be gone long before he would ask again
silence=(not arp and not icmp6)

# capture NAME OPTION...: into $work/NAME, in the background, running when this returns.
capture() {
	rm -f "$work/$1"
	"$BUILD/segctl" --socket "$work/segd.sock" capture -w "$work/$1" "${@:2}" 2>"$work/$1.log" &
	captured=$!
	children+=("$captured")
	await 5 test -s "$work/$1"
}

# Ends it as a person would; its exit code is in code.
interrupt() {
	kill -INT "$captured"
	ended
}

ended() {
	wait "$captured"
	code=$?
}

lines_of() { # FILE TCPDUMP-FILTER
	tcpdump -nr "$work/$1" "$2" 2>/dev/null | wc -l
}

comments_of() { # FILE PATTERN
	"$tools/pcapng" "$work/$1" | grep -c -- "$2"
}

has() { # FILE COUNT TCPDUMP-FILTER
	[ "$(lines_of "$1" "$3")" -ge "$2" ]
}

# settle FILE COUNT [TCPDUMP-FILTER]: what is sent has passed the taps when it is sent, and is in the file
# when the agent has read it: so many, and a moment later what would be too many.
settle() {
	await 10 has "$1" "$2" "${3-}"
	sleep 0.2
}

mac_of() {
	ip -n "$1" -o link show eth0 | sed -E 's/.*link.ether ([^ ]*).*/\1/; s/://g'
}

# Where nothing is to be seen among what is refused, so that what was sent before has been read: a
# SYN from a MAC that is not web's comes behind it.
mark_refused() { # FILE
	local ip=4500002800010000400600000a4d000b0a4d000c
	local tcp=9c40000900000000000000005002000000000000
	in_ns "$id-web" "$tools/frame" send eth0 "$(mac_of "$id-api")0200000000990800$ip$tcp"
	await 5 has "$1" 1 "ether src 02:00:00:00:00:99"
}
unmarked="not ether src 02:00:00:00:00:99"

echo "== all that a workload sends and gets"
in_ns "$id-web" ping -qc 1 10.77.0.12 >"$work/ping"
capture all.pcapng --workload api "${silence[@]}"
in_ns "$id-web" ping -qc 3 -i 0.01 10.77.0.12 >"$work/ping"
expect "web -> api passes" open probe "$id-web" tcp 10.77.0.12 8080
expect "db -> api passes" open probe "$id-db" udp fd77::12 8080
expect "db -> web is none of api's" refused probe "$id-db" tcp 10.77.0.11 1
expect "near -> api passes" open probe "$id-near" udp 10.77.0.12 8080
await 5 has all.pcapng 2 "ip and udp"
interrupt
expect "an interrupt is no failure" 0 echo "$code"
expect "each ping and each answer once" 6 lines_of all.pcapng icmp
expect "a datagram and its answer, from a workload" 2 lines_of all.pcapng "ip6 and udp"
expect "and from who is none" 2 lines_of all.pcapng "ip and udp"
expect "one SYN" 1 lines_of all.pcapng 'tcp[tcpflags] & tcp-syn != 0 and tcp[tcpflags] & tcp-ack == 0'
expect "nothing of others" 0 lines_of all.pcapng "host 10.77.0.13 and host 10.77.0.11"
check "the sum is told" grep -q "^[0-9]* packets, .* 0 dropped$" "$work/all.pcapng.log"
expect "all allowed" 0 comments_of all.pcapng denied
check "interfaces have workloads' names" grep -q "^default/web out allowed" <("$tools/pcapng" "$work/all.pcapng")

echo "== without a policy nothing is refused"
attempts() { # WANTED
	expect "web -> db tcp/5432: $1" "$1" probe "$id-web" tcp 10.77.0.13 5432
	expect "db -> api udp/8080 over IPv6: $1" "$1" probe "$id-db" udp fd77::12 8080
	expect "near -> api udp/8080: $1" "$1" probe "$id-near" udp 10.77.0.12 8080
	expect "web -> api tcp/8080: open" open probe "$id-web" tcp 10.77.0.12 8080
}
capture none.pcapng --denied "${silence[@]}"
attempts open
check "what is refused would be seen" mark_refused none.pcapng
interrupt
expect "nothing" 0 lines_of none.pcapng "$unmarked"

echo "== refused, and why"
cat >"$work/policy.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec:
  subject: app=api
  ingress:
  - from: [{workloads: app=web}]
    ports: [tcp/8080]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: db}
spec:
  subject: app=db
  ingress:
  - from: [{workloads: app=api}]
END
segctl policy apply -f "$work/policy.yaml" >"$work/applied" || exit 1
capture denied.pcapng --denied "${silence[@]}"
attempts timeout
settle denied.pcapng 3
interrupt
expect "three packets" 3 lines_of denied.pcapng ""
expect "of web to db" 1 lines_of denied.pcapng "src 10.77.0.11 and dst 10.77.0.13 and tcp port 5432"
expect "of db to api" 1 lines_of denied.pcapng "ip6 src fd77::13 and dst fd77::12 and udp port 8080"
expect "of who is no workload" 1 lines_of denied.pcapng "src 10.77.0.15 and dst 10.77.0.12"
expect "db's rule" 1 comments_of denied.pcapng \
	"^default/web out denied: policy_denied, ingress: no rule of SegmentPolicy default/db allows"
expect "api's rule" 2 comments_of denied.pcapng \
	"denied: policy_denied, ingress: no rule of SegmentPolicy default/api allows"

echo "== as many as the data plane counts"
refused() {
	segctl denied -o json |
		jq '[.denied[] | select(.protocol == ("tcp", "udp")) | .packets] | add // 0'
}
was=$(refused)
capture counted.pcapng --denied "${silence[@]}"
for port in $(seq 1 30); do
	(
		in_ns "$id-web" "$tools/probe" tcp "10.77.0.13" "$port" 2 &
		in_ns "$id-web" "$tools/probe" udp "10.77.0.12" "$port" 2 &
		in_ns "$id-db" "$tools/probe" tcp "fd77::12" "$port" 2 &
		in_ns "$id-web" "$tools/probe" tcp 10.77.0.12 8080 50 &
		in_ns "$id-near" "$tools/probe" udp 10.77.0.13 "$port" 2 &
		in_ns "$id-api" "$tools/probe" udp 10.77.0.13 "$port" 2
		wait # nobody asks when they are counted
	)
done >"$work/probed" 2>&1
settle counted.pcapng $(($(refused) - was))
interrupt
check "every one of $(($(refused) - was))" test "$(lines_of counted.pcapng '')" = $(($(refused) - was))
check "which are many" test "$(lines_of counted.pcapng '')" -ge 120

echo "== refused with an answer"
sed 's/- from/- onDeny: reject\n    from/; s/^  ingress:/  ingress:/' "$work/policy.yaml" >"$work/reject.yaml"
segctl policy apply -f "$work/reject.yaml" >"$work/applied" || exit 1
capture answered.pcapng --workload web tcp
expect "web -> db is told" refused probe "$id-web" tcp 10.77.0.13 5432
settle answered.pcapng 2
interrupt
expect "the packet" 1 comments_of answered.pcapng "^default/web out denied: policy_denied"
expect "and the answer, which db never sent" 1 comments_of answered.pcapng "^default/web in allowed: related"
expect "no more" 2 lines_of answered.pcapng tcp
segctl policy apply -f "$work/policy.yaml" >"$work/applied" || exit 1

echo "== who lies"
# forge SOURCE-MAC SOURCE-IP-IN-HEXADECIMAL: a datagram to api, out of web.
forge() {
	in_ns "$id-web" "$tools/frame" send eth0 \
		"$(mac_of "$id-api")${1}08004500001c0001000040110000${2}0a4d000c9c401f9000080000"
}
capture lies.pcapng --denied udp
forge "$(mac_of "$id-web")" 0a4d000d
forge 020000000001 0a4d000b
settle lies.pcapng 2
interrupt
expect "another's address" 1 comments_of lies.pcapng "^default/web out denied: spoofed_source"
expect "another MAC" 1 comments_of lies.pcapng "^default/web out denied: spoofed_mac"

echo "== connections that stood before"
spawn "$id-web" "$tools/pulse" 10.77.0.12 8080 20 1000 >"$work/pulse"
await 5 grep -q connected "$work/pulse"
capture stood.pcapng --denied tcp
denied=$captured
capture goes-on.pcapng --workload web tcp
check "go on" await 5 has goes-on.pcapng 4 "port 8080"
interrupt
captured=$denied
check "what is refused would be seen" mark_refused stood.pcapng
interrupt
expect "are known to be allowed" 0 lines_of stood.pcapng "$unmarked"
capture cut.pcapng --denied tcp
sed -i 's/app=web/app=nobody/' "$work/policy.yaml"
segctl policy apply -f "$work/policy.yaml" >"$work/applied" || exit 1
settle cut.pcapng 1 'host 10.77.0.11'
interrupt
check "until a policy cuts them" test "$(lines_of cut.pcapng 'host 10.77.0.11')" -gt 0
check "and then it says so" test "$(comments_of cut.pcapng 'denied: revoked')" = 1
kill "$spawned" 2>/dev/null
sed -i 's/app=nobody/app=web/' "$work/policy.yaml"
segctl policy apply -f "$work/policy.yaml" >"$work/applied" || exit 1

echo "== pairs, directions, ports"
capture pair.pcapng --workload api --workload web "${silence[@]}"
pair=$captured
capture from.pcapng --from web --to 10.77.0.12 "${silence[@]}"
from=$captured
capture to.pcap --to web "${silence[@]}"
to=$captured
capture port.pcapng --port 8080
port=$captured
expect "web -> api" open probe "$id-web" tcp 10.77.0.12 8080
expect "api -> web" refused probe "$id-api" tcp 10.77.0.11 9
expect "api -> db" open probe "$id-api" tcp 10.77.0.13 5432
settle pair.pcapng 2 'tcp[tcpflags] == tcp-syn'
settle from.pcapng 3 'src host 10.77.0.12'
settle to.pcap 1 'src host 10.77.0.12'
settle port.pcapng 1 'tcp[tcpflags] == tcp-syn'
for captured in $pair $from $to $port; do interrupt; done
syns() { # FILE [FILTER]
	lines_of "$1" "tcp[tcpflags] == tcp-syn ${2-}"
}
expect "both ways between the pair" 2 syns pair.pcapng
expect "only what the one opens" 1 syns from.pcapng
check "with the answers" test "$(lines_of from.pcapng 'src host 10.77.0.12')" -gt 2
expect "only what is opened to the other" 1 syns to.pcap "and src host 10.77.0.12"
check "by the port alone" test "$(syns port.pcapng)" = 1
expect "plain pcap by the file's name" "d4c3b2a1 or 4d3cb2a1" sh -c \
	"head -c 4 '$work/to.pcap' | od -An -tx1 | tr -d ' ' | sed 's/^4d3cb2a1$/d4c3b2a1 or 4d3cb2a1/'"

echo "== a workload that starts anew"
workload_up "$id-job" 14 job "app: job"
tail -1 "$work/workloads.yaml" >>"$work/three.yaml"
has_address() {
	segctl workloads -o json | jq -e --arg a "$1" \
		'.workloads[] | select(.name == "job" and .enforced) | .interfaces[].addresses[] | select(. == $a)'
}
await 5 has_address 10.77.0.14
capture anew.pcapng --workload job icmp
in_ns "$id-job" ping -qc 1 10.77.0.11 >"$work/ping"
check "is seen" await 5 has anew.pcapng 2 "host 10.77.0.14"
ip netns del "$id-job"
job_is_gone() {
	segctl workloads -o json | jq -e '[.workloads[] | select(.name == "job" and .enforced)] == []'
}
check "and goes" await 5 job_is_gone
workload_up "$id-heir" 14 heir
sleep 2.5 # a second long, packets that were under way are still its own
in_ns "$id-heir" ping -qc 1 10.77.0.11 >"$work/ping"
sleep 0.3
expect "who has its address then is not seen in its name" 2 lines_of anew.pcapng "host 10.77.0.14"
ip netns del "$id-heir"
# Nobody asks for the address of before, which would tell the taps.
ip -n "$id-web" neigh flush dev eth0
workload_up "$id-job" 16 job "app: job"
check "with another interface and address" await 5 has_address 10.77.0.16
pinged() {
	in_ns "$id-job" ping -qc 1 -W 1 10.77.0.11
	has anew.pcapng 2 "host 10.77.0.16"
}
check "is seen again" await 5 pinged
interrupt

echo "== into a pipe"
segctl capture --workload api -w - icmp 2>"$work/pipe.log" | tcpdump -nr - -c 2 >"$work/piped" 2>&1 &
reader=$!
await 5 grep -q "link-type" "$work/piped"
in_ns "$id-api" ping -qc 1 10.77.0.11 >"$work/ping"
wait "$reader"
expect "another program reads along" 0 echo $?
check "both packets" grep -q "ICMP echo reply" "$work/piped"

echo "== bounds"
capture time.pcapng --workload api --duration 1s
ended
expect "ends by time" 0 echo "$code"
capture size.pcapng --workload api --max 20kB icmp
in_ns "$id-api" ping -qf -c 100 10.77.0.11 >"$work/ping"
ended
expect "ends by size" 0 echo "$code"
check "no larger" test "$(stat -c %s "$work/size.pcapng")" -le 20000
check "and not much smaller" test "$(stat -c %s "$work/size.pcapng")" -gt 19000
capture snap.pcapng --workload api -s 60 icmp
in_ns "$id-api" ping -qc 1 -s 1000 10.77.0.11 >"$work/ping"
settle snap.pcapng 2
interrupt
check "cuts packets" test "$(stat -c %s "$work/snap.pcapng")" -lt 1000
expect "but not their verdicts" 2 comments_of snap.pcapng "allowed: "
segctl capture -w "$work/quiet.pcap" --workload api --max 20 --duration 1s icmp 2>"$work/quiet.pcap.log"
expect "a header that is beyond is not written" 0 stat -c %s "$work/quiet.pcap"
head -c 4000 /dev/zero >"$work/shared"
(
	trap '' XFSZ
	ulimit -f 8
	exec "$BUILD/segctl" --socket "$work/segd.sock" capture --workload api -w - icmp \
		>>"$work/shared" 2>"$work/shared.log"
) &
captured=$!
children+=("$captured")
await 5 sh -c "[ \$(stat -c %s '$work/shared') -gt 4000 ]"
in_ns "$id-api" ping -qf -c 100 10.77.0.11 >"$work/ping"
ended
check "a disk that is full ends it" test "$code" != 0
expect "and nothing is taken from a file of others" 8192 stat -c %s "$work/shared"
running=()
for i in 1 2 3 4 5 6 7 8; do
	capture "many$i" --workload api
	running+=("$captured")
done
says_no() { # WORDS COMMAND...
	! "${@:2}" >"$work/said" 2>&1 && grep -q -- "$1" "$work/said"
}
check "eight at once" says_no "8 captures are running" segctl capture --workload api -w "$work/ninth"
for captured in "${running[@]}"; do interrupt; done

echo "== whatever ends the command"
capture killed.pcapng --workload api icmp
in_ns "$id-api" ping -qf -c 50 10.77.0.11 >"$work/ping"
settle killed.pcapng 100
kill -KILL "$captured"
wait "$captured" 2>/dev/null
expect "complete up to the last packet" 100 lines_of killed.pcapng icmp
check "and ends with a whole block" "$tools/pcapng" "$work/killed.pcapng"

echo "== a reader that stands still"
resident() {
	awk '/^VmRSS/ { print $2 }' "/proc/$agent_pid/status"
}
capture still.pcapng --workload api icmp
await 5 test -s "$work/still.pcapng"
before=$(resident)
kill -STOP "$captured"
in_ns "$id-api" ping -qf -c 4000 -s 1400 10.77.0.11 >"$work/ping"
sleep 0.3
check "costs the agent no more than its bound" test $(($(resident) - before)) -lt 8192
exits "and nobody else anything" 0 segctl status
kill -CONT "$captured"
sleep 1
came_to_rest() {
	local size
	size=$(stat -c %s "$work/still.pcapng")
	sleep 0.5
	[ "$(stat -c %s "$work/still.pcapng")" = "$size" ]
}
await 10 came_to_rest
interrupt
expect "ends in good order" 0 echo "$code"
read -r written dropped missed <<<"$("$tools/pcapng" "$work/still.pcapng" drops)"
check "what it missed is counted ($written written, $missed missed, $dropped dropped)" \
	test $((missed > 0 && written + missed + dropped >= 8000)) = 1
expect "what it has is there" "$written" lines_of still.pcapng icmp

echo "== into a file of the agent's"
post() {
	curl -sf --unix-socket "$work/segd.sock" http://segd/v1/capture -d "$1"
}
status_of() {
	curl -s -o "$work/said" -w '%{http_code}' --unix-socket "$work/segd.sock" \
		http://segd/v1/capture -d "$1"
}
mkdir -p "$work/state/captures"
truncate -s 250M "$work/state/captures/old.pcapng"
expect "of nobody" 404 status_of '{"workloads": ["nobody"], "seconds": 1, "bytes": 20000000, "file": true}'
expect "larger than all may be" 422 status_of \
	'{"workloads": ["api"], "seconds": 1, "bytes": 268435457, "file": true}'
check "it takes the place of no other" test -e "$work/state/captures/old.pcapng"
path=$(post '{"workloads": ["api"], "seconds": 60, "bytes": 20000000, "file": true}' | jq -r .path)
check "is there at once" test -s "$path"
expect "for root alone" 600 stat -c %a "$path"
check "the oldest made room" test ! -e "$work/state/captures/old.pcapng"
in_ns "$id-web" "$tools/probe" tcp 10.77.0.12 8080 900 >"$work/probed"
grows() {
	[ "$(tcpdump -nr "$path" "tcp port 8080" 2>/dev/null | wc -l)" -gt 5 ]
}
check "and grows" await 10 grows
exits "files that are being written keep their room" 22 post \
	'{"workloads": ["api"], "seconds": 1, "bytes": 250000000, "file": true}'
growing=$(post '{"workloads": ["web"], "seconds": 60, "bytes": 20000000, "file": true}' | jq -r .path)
truncate -s 250M "$growing"
check "another one" post '{"workloads": ["db"], "seconds": 1, "bytes": 1000000, "file": true}'
check "makes no room of what is being written" test -e "$growing"
exits "it must be bounded" 22 post '{"workloads": ["api"], "file": true}'

echo "== read back through policy"
cat >"$work/pods.yaml" <<'END'
{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, status: {podIPs: [{ip: 10.77.0.11}, {ip: "fd77::11"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: api, labels: {app: api}}, status: {podIPs: [{ip: 10.77.0.12}, {ip: "fd77::12"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, labels: {app: db}}, status: {podIPs: [{ip: 10.77.0.13}, {ip: "fd77::13"}]}}
END
replay() { # FILE OPTION...: no agent, no rights
	setpriv --reuid=65534 --regid=65534 --clear-groups "$BUILD/segctl" flows --pcap "$work/$1" \
		-f "$work/pods.yaml" "${@:2}"
}
cp "$BUILD/segctl" "$work/segctl"
chmod 755 "$work"
chmod 644 "$work"/*.pcapng
replayed() { # WANTED-WORDS-PER-LINE FILE OPTION...
	BUILD=$work replay "$2" -o jsonl "${@:3}" 2>/dev/null |
		jq -r '[.event, .verdict, .source.workload // .source.entity, .destination.workload, .rule.name // "-"] | join(" ")' | sort | uniq -c | sed 's/^ *//'
}
expect "what was refused is refused, by the same rules" "1 denied denied db api api
1 denied denied web db db
1 denied denied world api api" replayed denied denied.pcapng -f "$work/policy.yaml"
expect "and without the policies it is not" 0 sh -c \
	"cd '$work' && ./segctl flows --pcap denied.pcapng -f pods.yaml -o jsonl --verdict denied 2>/dev/null | wc -l"
expect "what passed would be refused by others" "1 denied denied db api api
1 denied denied web api api
1 denied denied world api api" replayed all all.pcapng -f "$work/policy.yaml" --verdict denied --to api
expect "by the running agent's policies" 3 sh -c \
	"'$BUILD/segctl' --socket '$work/segd.sock' flows --pcap '$work/denied.pcapng' -o jsonl --verdict denied 2>/dev/null | wc -l"
check "as a table" sh -c "cd '$work' && ./segctl flows --pcap denied.pcapng -f pods.yaml policy.yaml |
	grep -q 'default/web .* default/db .* tcp/5432 .* denied'"
capture scan.pcapng --workload web tcp
for port in $(seq 1 40); do in_ns "$id-web" "$tools/probe" tcp 10.77.0.13 "$port" 5 >>"$work/scan"; done
settle scan.pcapng 40
interrupt
chmod 644 "$work/scan.pcapng"
finds() { # FILE WORDS
	BUILD=$work replay "$1" -f "$work/policy.yaml" --detect 2>/dev/null | grep -q -- "$2"
}
check "detectors find what it shows" finds scan.pcapng "scan.*default/web"
check "and nothing where there is nothing" finds all.pcapng "nothing was found"

echo "== on a terminal"
check "progress, and the sum" sh -c "script -qec \"'$BUILD/segctl' --socket '$work/segd.sock' capture \
	--workload api -w '$work/seen.pcapng' --duration 2s\" /dev/null </dev/null |
	tr '\r' '\n' | grep -c ' dropped' | grep -qv '^[01]$'"

echo "== mistakes"
exits "a bad filter" 2 segctl capture --workload api -w "$work/x" tcp port zzz
check "says libpcap's word" says_no "unknown port 'zzz'" segctl capture --workload api -w "$work/x" tcp port zzz
echo precious >"$work/kept"
exits "no such workload" 1 segctl capture --workload nobody -w "$work/kept"
expect "leaves the file" precious cat "$work/kept"
exits "no file" 2 segctl capture --workload api
exits "nothing to capture" 2 segctl capture -w "$work/x"
expect "port 0" 422 status_of '{"port": 0, "seconds": 1}'
expect "no byte of each packet" 422 status_of '{"workloads": ["api"], "snap": 0, "seconds": 1}'
expect "no byte at all" 422 status_of '{"workloads": ["api"], "bytes": 0, "seconds": 1}'
exits "a broken program" 22 curl -sf --unix-socket "$work/segd.sock" http://segd/v1/capture \
	-d '{"program": [[5, 0, 0, 99]]}'
unprivileged() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$BUILD/segctl" --socket "$work/segd.sock" \
		capture --workload api -w /dev/null
}
exits "who has no right gets no packet" 3 unprivileged

echo "== inside a macvlan"
macvlan_up() { # NAMESPACE NUMBER NAME
	ip netns add "$1" || return 1
	namespaces+=("$1")
	ip netns exec "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip -n "$id" link add "mv$2" link par0 type macvlan mode bridge || return 1
	ip -n "$id" link set "mv$2" netns "$1" name eth0
	ip -n "$1" addr add "10.78.0.$2/24" dev eth0
	ip -n "$1" link set eth0 up
	printf -- '- {name: %s, netns: %s, labels: {app: %s}}\n' "$3" "$1" "$3" >>"$work/three.yaml"
}
enforced() {
	segctl workloads -o json |
		jq -e '[.workloads[] | select(.name | startswith("m-")) | select(.enforced)] | length == 2'
}
ip netns add "$id-out" && namespaces+=("$id-out")
ip -n "$id" link add par0 type veth peer name par1 netns "$id-out"
ip -n "$id" link set par0 up
ip -n "$id-out" link set par1 up
ip -n "$id-out" addr add 10.78.0.9/24 dev par1
if [ "$plane" = nft ]; then
	echo "  skip  nft does not enforce there"
	skipped=$((skipped + 1))
elif ! macvlan_up "$id-m1" 31 m-api; then
	echo "  skip  this kernel has no macvlan"
	skipped=$((skipped + 1))
else
	macvlan_up "$id-m2" 32 m-web
	check "both are enforced" await 5 enforced
	capture inside.pcapng --workload m-api --workload m-web icmp
	in_ns "$id-m2" ping -qc 2 -i 0.01 10.78.0.31 >"$work/ping"
	settle inside.pcapng 4
	interrupt
	expect "each packet once" 4 lines_of inside.pcapng icmp
	sed 's/app=db/app=m-api/; s/: db/: m-api/' "$work/policy.yaml" >"$work/inside.yaml"
	segctl policy apply -f "$work/inside.yaml" >"$work/applied"
	capture entering.pcapng --denied --to m-api
	in_ns "$id-out" ping -qc 1 -W 1 10.78.0.31 >"$work/ping"
	settle entering.pcapng 1
	interrupt
	expect "what is refused as it enters" 1 comments_of entering.pcapng \
		"^default/m-api in denied: policy_denied, ingress"
fi

echo "== an agent that ends"
capture left.pcapng --workload api
agent_stop
ended
expect "ends the capture, and that is told" 3 echo "$code"
check "in words" grep -q "ended the stream" "$work/left.pcapng.log"
check "the file is whole" "$tools/pcapng" "$work/left.pcapng"

finish
