#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What others do to our tables, and a second agent: test_nft_failures.sh BUILD ebpf|nft
BUILD=${1:?usage: test_nft_failures.sh BUILD PLANE}
plane=${2:?usage: test_nft_failures.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgn$$
node_up "$id"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-intruder" 14 intruder ""
serve "$id-db" tcp/5432 udp/5432
options=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --adoption=0)

verdicts() { # api reaches db, the intruder does not; over both families
	probe_ms=900 probe "$id-api" tcp 10.77.0.13 5432
	probe_ms=900 probe "$id-api" tcp fd77::13 5432
	probe_ms=150 probe "$id-intruder" tcp 10.77.0.13 5432
	probe_ms=150 probe "$id-intruder" tcp fd77::13 5432
}
enforced=$'open\nopen\ntimeout\ntimeout'

bridges=/proc/sys/net/bridge/bridge-nf-call-iptables
ip netns exec "$id" sh -c "echo 0 >$bridges"
agent_start "${options[@]}" || exit 1
expect "without a policy the intruder reaches db" $'open\nopen\nopen\nopen' verdicts
check "apply" segctl policy apply -f "$here/policies/examples/three-tier.yaml"
expect "under the policy it does not" "$enforced" verdicts

echo "== a second agent"
snapshot() {
	in_ns "$id" nft -s list ruleset
	find "$work/bpf" 2>/dev/null | sort
}
swept() { # chains of the policy before this one are gone
	! in_ns "$id" nft list chains | grep -Eq 'egress-default-[0-9a-f]{12} '
}
second() { # OPTION...
	in_ns "$id" timeout 20 "$BUILD/segd" --socket="$work/second.sock" \
		--log-directory="$work/second.log" --pin-directory="$work/bpf" --node=second \
		--no-docker "$@"
}
check "the chains of the time before are gone" await 10 swept
snapshot >"$work/before"
exits "on the same network is refused" 1 second --dataplane=ebpf --state-directory="$work/second"
exits "with the other data plane, too" 1 second --dataplane=nft --state-directory="$work/second"
exits "and so is taking enforcement away from under the first" 1 second --remove
second --dataplane=nft --state-directory="$work/second" 2>"$work/second.error"
check "it names the first one" grep -q "another segd (pid $agent_pid) enforces on this network" \
	"$work/second.error"
exits "with the same policies on another network it is refused" 1 \
	in_ns "$id-api" timeout 20 "$BUILD/segd" --socket="$work/second.sock" --no-docker \
	--log-directory="$work/second.log" --pin-directory="$work/other" \
	--state-directory="$work/state"
snapshot >"$work/after"
check "nothing was touched" cmp "$work/before" "$work/after"
expect "the first one goes on" "$enforced" verdicts
agent_kill
agent_start "${options[@]}" || exit 1
expect "a killed one leaves no lock behind" "$enforced" verdicts

echo "== somebody empties conntrack's table"
in_ns "$id" nft -f - <<END
table inet others {
	chain prerouting {
		type nat hook prerouting priority dstnat
		ip daddr 10.77.0.1 tcp dport 15432 dnat to 10.77.0.13:5432
		ip6 daddr fd77::1 tcp dport 15432 dnat to [fd77::13]:5432
	}
	chain postrouting {
		type nat hook postrouting priority srcnat
		ct status dnat masquerade
	}
}
END
# eBPF judges what the node translates by the address before that.
ends=(10.77.0.13:5432 fd77::13:5432)
[ "$plane" = ebpf ] || ends+=(10.77.0.1:15432 fd77::1:15432)
pulses=()
for end in "${ends[@]}"; do
	spawn "$id-api" "$tools/pulse" "${end%:*}" "${end##*:}" 20 >"$work/pulse$end"
	pulses+=("$spawned")
	await 5 grep -q connected "$work/pulse$end"
done
are_back() {
	[ "$(in_ns "$id" conntrack -L -p tcp --state ESTABLISHED 2>/dev/null | wc -l)" = ${#ends[@]} ]
}
for ((i = 1; i <= 3; i++)); do
	in_ns "$id" conntrack -F 2>/dev/null
	# With eBPF nobody needs them there.
	[ "$plane" = ebpf ] || check "connections are in it again, $i" await 5 are_back
	sleep 0.1
done
kill -TERM "${pulses[@]}"
for end in "${ends[@]}"; do
	check "what policy allows goes on: to $end" \
		await 15 grep -Eq '^beats=([0-9]+) answered=\1 ' "$work/pulse$end"
done
if [ "$plane" = nft ]; then
	put_back() {
		segctl flows >/dev/null
		jq -r 'select(.event == "new" and .reason == "adopted") | "\(.source.workload) -> \(.destination.workload
			) \(.destination.port) \(.tcp_flags // "-")"' "$work/log/flows.log" | sort | uniq -c
	}
	expect "their records go on under another id" "     12 api -> db 5432 -" put_back
fi
in_ns "$id" nft delete table inet others

if [ "$plane" != nft ]; then
	finish
	exit
fi

# --- what was done, and what came of it ----------------------------------------------------------

repairs() {
	segctl status -o json | jq .plane.repairs.count
}
repaired() { # COUNT
	[ "$(repairs)" -ge "$1" ]
}
kernel() { # without what packets have added; tables come in the order in which they were made
	in_ns "$id" nft -s list ruleset | sed -z 's/elements = {[^}]*counter[^}]*}//g' |
		sed '/^\s*$/d' | sort
}

# deed DESCRIPTION WORDS COMMAND...: the command harms a table; it must be as before, and be told.
deed() {
	local count
	kernel >"$work/whole"
	count=$(repairs)
	echo "== $1"
	check "somebody does it" in_ns "$id" "${@:3}"
	check "it is noticed and repaired" await 5 repaired $((count + 1))
	kernel >"$work/again"
	check "the tables are as they were" diff "$work/whole" "$work/again"
	expect "and hold" "$enforced" verdicts
	check "the log says who and what" grep -q "nft (pid [0-9]*) $2.*: it is as it was" \
		"$work/segd.log"
	check "so does status" sh -c "$BUILD/segctl --socket $work/segd.sock status -o json |
		jq -e '.plane.repairs.last | test(\"$2\")'"
}

await 5 swept
deed "nft flush ruleset" "removed table inet segd" nft flush ruleset
deed "nft delete table" "removed table inet segd" nft delete table inet segd
deed "the devices' table is deleted" "changed table netdev segd" nft delete table netdev segd
deed "a rule that lets everything through" "changed table inet segd" \
	nft insert rule inet segd forward accept
deed "all rules of a chain are gone" "changed table inet segd" nft flush chain inet segd judge
deed "a subject is taken out of the map" "changed table inet segd" \
	nft delete element inet segd ingress4 '{ 10.77.0.13 }'
deed "a workload is no workload any more" "changed table inet segd" \
	nft delete element inet segd workloads6 '{ fd77::13 }'
deed "a chain of somebody else's" "put something into table inet segd" \
	nft add chain inet segd evil '{ type filter hook forward priority -300; policy drop; }'
deed "the table is put to sleep" "changed table inet segd" \
	nft add table inet segd '{ flags dormant; }'
deed "who may send what is forgotten" "changed table netdev segd" \
	nft flush chain netdev segd leave
count=$(repairs)
check "another table's changes are none of ours" in_ns "$id" nft add table inet other
segctl status >/dev/null
expect "and nothing is repaired" "$count" repairs

echo "== a flush under traffic"
port=9999
seen() {
	in_ns "$id-db" nft -j list counter inet seen arrived | jq '.nftables[1].counter.packets'
}
in_ns "$id-db" nft -f - <<END
table inet seen {
	counter arrived { }
	chain input { type filter hook input priority 0; udp dport $port counter name arrived; }
}
END
flood() { # COUNT
	in_ns "$id-intruder" "$tools/probe" udp 10.77.0.13 $port 50 "$1" >/dev/null
}
segctl policy delete SegmentPolicy default-deny >/dev/null
segctl policy delete SegmentPolicy db >/dev/null
flood 100
check "without the policy datagrams arrive ($(seen))" test "$(seen)" -gt 0
check "apply again" segctl policy apply -f "$here/policies/examples/three-tier.yaml"
before=$(seen)
flood 100
expect "under it none does" "$before" seen
sent=300000
flood $sent &
flooding=$!
for turn in 1 2 3 4 5; do
	count=$(repairs)
	in_ns "$id" nft flush ruleset
	await 5 repaired $((count + 1)) || fail "flush $turn is repaired"
done
wait $flooding
passed_by=$(($(seen) - before))
check "five flushes: $passed_by of $sent datagrams slipped through" test $passed_by -lt $((sent / 10))
milliseconds=$(segctl status -o json | jq .plane.repairs.last_milliseconds)
echo "        the last repair took $milliseconds ms"
before=$(seen)
flood 100
expect "then none passes" "$before" seen

echo "== an edit under traffic lets nothing through"
before=$(seen)
flood 200000 &
flooding=$!
for turn in 1 2 3 4 5; do
	count=$(repairs)
	in_ns "$id" nft add rule inet segd judge counter
	await 5 repaired $((count + 1)) || fail "edit $turn is repaired"
done
wait $flooding
expect "not one datagram" "$before" seen

echo "== kill -9, and nothing is reported twice or never"
logged() { # packets, as the flow log has them
	jq -s '[.[] | select(.event == "denied" and .destination.port == 7777) | .packets[0]] | add // 0' \
		"$work/log/flows.log"
}
logged_is() {
	[ "$(logged)" = "$1" ]
}
refused() { # COUNT
	in_ns "$id-intruder" "$tools/probe" udp 10.77.0.13 7777 50 "$1" >/dev/null
}
refused 100
check "100 refusals are in the log" await 5 logged_is 100
agent_kill
refused 50
agent_start "${options[@]}" || exit 1
refused 7
check "then the 50 of meanwhile, and 7 more" await 5 logged_is 157
expect "status says that they are from meanwhile" 50 sh -c \
	"$BUILD/segctl --socket $work/segd.sock status -o json | jq .plane.inherited_refusals"
refused 1
check "one more is one more" await 5 logged_is 158

echo "== the kernel's announcements of connections overrun"
cat >"$work/udp.yaml" <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: udp-in}
spec:
  subject: app=db
  ingress:
  - {from: [{workloads: app=api}], ports: [udp/5432]}
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: udp-out}
spec:
  subject: app=api
  egress:
  - {to: [{workloads: app=db}], ports: [udp/5432]}
END
check "a policy allows them" segctl policy apply -f "$work/udp.yaml"
many=30000 # the socket has room for some 24000
kill -STOP "$agent_pid"
in_ns "$id-api" "$tools/spread" 10.77.0.13 5432 "$many"
dropped() { # so far, of all that listen
	in_ns "$id" awk 'NR > 1 { sum += $9 } END { print sum + 0 }' /proc/net/netlink
}
check "the kernel has no room for some" test "$(dropped)" -gt 0
kill -CONT "$agent_pid"
expect "policy holds" "$enforced" verdicts
listed() { # connections that conntrack has and the agent does not, or the other way round
	local known
	known=$(segctl status -o json | jq .plane.connections)
	[ "$known" -ge "$many" ]
}
check "all $many are known again" await 3 listed
udp() { # EVENT
	grep "\"event\":\"$1\"" "$work/log/flows.log" |
		grep -cE '"protocol":"udp","source":[^}]*"port":[1-3][0-9]{4},.*"destination":[^}]*"port":5432,'
}
expect "each in a record, once" "$many" udp new
status() { # FILTER
	segctl status -o json | jq "$1"
}
expect "and none is lost" 0 status .plane.losses.connection_events

echo "== of connections that are over before it hears of them"
in_ns "$id" conntrack -F 2>/dev/null
ended() { # COUNT
	[ "$(udp end)" -ge "$1" ]
}
check "the first ones end" await 10 ended "$many"
rm "$work/log/flows.log" # the agent begins another
kill -STOP "$agent_pid"
in_ns "$id-api" "$tools/spread" 10.77.0.13 5432 "$many"
in_ns "$id" conntrack -F 2>/dev/null
kill -CONT "$agent_pid"
check "each end is told" await 20 ended "$many"
expect "and no more of them" "$many" udp end
lost=$(status .plane.losses.connection_events)
check "beginnings are lost ($lost)" test "$lost" -gt 1000
expect "each beginning is in a record or in a gap" "$many" expr "$(udp new)" + "$lost"

echo "== NFLOG overruns"
rm "$work/log/flows.log" # the agent begins another, and what is read over and over stays short
flood_denied() { # packets of it, as the flow log has them
	grep -s '"event":"denied"' "$work/log/flows.log" | jq -s '[.[] | select(
		.destination.port >= 20000 and .destination.port < 65000) | .packets[0]] | add // 0'
}
unnamed() { # refusals that are known by number alone
	status '.plane.losses.denial_aggregates'
}
gap_sum() {
	grep -s '"event":"gap"' "$work/log/flows.log" | jq -s 'map(.lost) | add // 0'
}
kernel_counts() {
	in_ns "$id" nft -j list counter inet segd policy_denied |
		jq '.nftables[1].counter.packets'
}
all_told() { # each refusal in a record, or in a gap where no element was free for it
	[ $(($(flood_denied) + $(unnamed) - unnamed_before)) = "$kinds" ]
}
kinds=45000
unnamed_before=$(unnamed)
losses_before=$(status '.plane.losses | .denial_aggregates + .connection_events')
gaps_before=$(gap_sum)
before=$(kernel_counts)
kill -STOP "$agent_pid"
in_ns "$id-intruder" "$tools/spread" 10.77.0.13 20000 $kinds ports
kill -CONT "$agent_pid"
check "each of $kinds refusals is told all the same" await 10 all_told
expect "as many as the kernel counts" $kinds expr "$(kernel_counts)" - "$before"
check "the log's losses are counted" sh -c "[ $(status .plane.losses.denial_details) -gt 1000 ]"
lost_in_gaps() {
	segctl status >/dev/null # what is known by now is written by now
	[ $(($(gap_sum) - gaps_before)) = $(($(status '.plane.losses |
		.denial_aggregates + .connection_events') - losses_before)) ]
}
check "gap records say what has no record, and no more" await 5 lost_in_gaps
expect "policy holds" "$enforced" verdicts

echo "== announcements of nftables overrun"
overruns() {
	status .plane.repairs.overruns
}
overruns_over() {
	[ "$(overruns)" -gt "$1" ]
}
{
	printf 'table inet big {\nset many {\ntype ipv4_addr\nelements = {\n'
	seq -f '%.0f' 167772160 167922159 | sed 's/$/,/'
	printf '}\n}\n}\n'
} >"$work/big.nft"
before=$(overruns)
count=$(repairs)
kernel >"$work/whole"
kill -STOP "$agent_pid"
check "somebody makes a table of 150000 elements" in_ns "$id" nft -f "$work/big.nft"
check "and lets everything through" in_ns "$id" nft insert rule inet segd forward accept
expect "which it does" $'open\nopen\nopen\nopen' verdicts
kill -CONT "$agent_pid"
check "the overrun is counted" await 5 overruns_over "$before"
check "the edit that nobody announced is repaired" await 5 repaired $((count + 1))
expect "policy holds" "$enforced" verdicts
check "the log says why" grep -q "somebody may have changed (announcements of nftables were lost)" \
	"$work/segd.log"
in_ns "$id" nft delete table inet big
kernel >"$work/again"
check "the tables are as they were" diff "$work/whole" "$work/again"

echo "== settings that somebody turns off"
setting() {
	in_ns "$id" cat "$1"
}
setting_is() { # PATH VALUE
	[ "$(setting "$1")" = "$2" ]
}
set_to() { # PATH VALUE
	in_ns "$id" sh -c "echo $2 >$1"
}
for path in $bridges /proc/sys/net/bridge/bridge-nf-call-ip6tables \
	/proc/sys/net/netfilter/nf_conntrack_acct; do
	expect "$path is on" 1 setting "$path"
	check "somebody turns it off" set_to "$path" 0
	check "it is on again" await 3 setting_is "$path" 1
	check "and told" await 3 grep -q "somebody turned off $path: it is on again" "$work/segd.log"
done
expect "policy holds" "$enforced" verdicts
check "status has it" sh -c "$BUILD/segctl --socket $work/segd.sock status -o json |
	jq -e '[.troubles[] | select(.repaired and (.message | test(\"bridge-nf-call-iptables\")))] |
		length == 1'"

echo "== the list loads again"
in_ns "$id" nft list ruleset >"$work/list.nft"
check "it names policies" grep -q 'comment "default/api' "$work/list.nft"
check "and rules" grep -q 'comment "no rule of SegmentPolicy default/db allows"' "$work/list.nft"
ip netns add "$id-copy"
namespaces+=("$id-copy")
for number in 12 13 14; do
	ip -n "$id-copy" link add "ve$number" type veth peer name "pe$number"
done
# nft 1.0.6 has no name for fields of neighbour discovery, and does not read those that it lists by
# their place (@th,64,128) back as part of a key.
grep -v '@th,' "$work/list.nft" >"$work/named.nft"
expect "all but six rules have names for everything" 6 \
	sh -c "grep -c '@th,[0-9]*,[0-9]* @' '$work/list.nft'"
check "what nft lists, nft loads elsewhere" in_ns "$id-copy" nft -f "$work/named.nft"
stateless() { # NAMESPACE: without what packets have added
	in_ns "$1" nft -s list table inet segd | sed -z 's/elements = {[^}]*counter[^}]*}//g'
}
stateless "$id" >"$work/whole"
stateless "$id-copy" >"$work/again"
check "and lists the same" diff "$work/whole" "$work/again"

echo "== edited while no agent runs"
agent_kill
check "somebody empties a chain" in_ns "$id" nft flush chain inet segd judge
expect "which lets the intruder in" $'open\nopen\nopen\nopen' verdicts
agent_start "${options[@]}" || exit 1
expect "the next agent puts it right" "$enforced" verdicts

echo "== removal"
agent_stop
agent_start "${options[@]}" --remove-on-exit || exit 1
agent_stop
expect "no table is left" "" in_ns "$id" nft list tables
expect "settings are as they were" 0 setting "$bridges"

finish
