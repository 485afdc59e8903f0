#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What others do to our programs, and interfaces without an end on the node:
# test_attach.sh BUILD ebpf|nft
BUILD=${1:?usage: test_attach.sh BUILD PLANE}
plane=${2:?usage: test_attach.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sga$$
node_up "$id"
workload_up "$id-db" 13 db "app: db"
workload_up "$id-jail" 14 jail "app: jail"
listed=$(cat "$work/workloads.yaml")
workload_up "$id-out" 20 out "" # nobody's workload: only the hooks of the other end judge it
printf '%s\n' "$listed" >"$work/workloads.yaml"
serve "$id-db" tcp/5432
serve "$id-out" tcp/80
probe_ms=200
options=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml")

cat >"$work/policy.yaml" <<-'YAML'
	apiVersion: segctl.io/v1
	kind: SegmentPolicy
	metadata: {name: db}
	spec:
	  subject: app=db
	  ingress: [{from: [{workloads: app=api}], ports: [tcp/5432]}]
	---
	apiVersion: segctl.io/v1
	kind: SegmentPolicy
	metadata: {name: jail}
	spec:
	  subject: app=jail
	  egress: [{to: [{workloads: app=api}]}]
YAML

both_refused() {
	expect "outsider -> db is refused $1" timeout probe "$id-out" tcp 10.77.0.13 5432
	expect "jail -> outsider is refused $1" timeout probe "$id-jail" tcp 10.77.0.20 80
}
troubles() { # REGEX: how often it was told
	segctl status -o json |
		jq "[.troubles[] | select(.message | test(\"$1\")) | select(.repaired) | .count] | add // 0"
}
told() { # REGEX COUNT
	[ "$(troubles "$1")" -ge "$2" ]
}

# meddle DESCRIPTION REGEX COMMAND...: it succeeds, the agent tells of it and puts it right.
meddle() {
	local before
	before=$(troubles "$2")
	check "$1" "${@:3}"
	check "it is noticed, told and repaired" await 5 told "$2" $((before + 1))
	both_refused "again"
}

put_before() { # INTERFACE ingress|egress: TCX_PASS
	spawn "$id" "$tools/foreign" "$1" "$2" 0 >"$work/foreign"
	await 3 grep -q attached "$work/foreign"
}

echo "== without a policy"
agent_start "${options[@]}" || exit 1
for family in 10.77.0. fd77::; do
	expect "outsider -> db (${family}13)" open probe "$id-out" tcp "${family}13" 5432
	expect "jail -> outsider (${family}20)" open probe "$id-jail" tcp "${family}20" 80
done
check "apply" segctl policy apply -f "$work/policy.yaml"
both_refused "by policy"
expect "over IPv6, too" timeout probe "$id-jail" tcp fd77::20 80

if [ "$plane" = ebpf ]; then
	mechanism=$(segctl status -o json | jq -r '.plane.attached[0].mechanism')
	if [ "$mechanism" = tcx ]; then
		echo "== tcx"
		put_before ve13 egress
		check "a program that passes everything, before ours, where db is entered" \
			await 5 told "put foreign before.*enters.*ve13" 1
		both_refused "again"
		put_before ve14 ingress
		check "one where jail is left" await 5 told "put foreign before.*leaves.*ve14" 1
		both_refused "again"
		index=$(ip -n "$id" -j link show ve13 | jq '.[0].ifindex')
		meddle "the links of db are detached" "detached .* ve13" \
			sh -c "bpftool link detach pinned $work/bpf/links/$index-enter &&
				bpftool link detach pinned $work/bpf/links/$index-leave"
	else
		skipped=$((skipped + 1))
		echo "  skip  tcx: this kernel has no tcx links"
	fi

	echo "== clsact"
	agent_stop
	check "segd --remove" nsenter --net="/run/netns/$id" -- "$BUILD/segd" --remove \
		--pin-directory="$work/bpf"
	expect "then everything passes" open probe "$id-out" tcp 10.77.0.13 5432
	agent_start "${options[@]}" --clsact || exit 1
	both_refused "by clsact filters"
	pass=$work/bpf/foreign
	"$tools/foreign" "$pass" pin 0
	our_handle() {
		tc -n "$id" -j filter show dev ve13 egress |
			jq -r '[.[].options? | select(.bpf_name // "" | test("segd_enter")) | .handle][0]'
	}
	meddle "the filter of db is deleted" "detached .* ve13" tc -n "$id" filter del dev ve13 egress
	meddle "the qdisc of jail is deleted" "detached .* ve14" tc -n "$id" qdisc del dev ve14 clsact
	meddle "a filter that passes everything, before ours" "put .* before .*enters.*ve13" \
		tc -n "$id" filter add dev ve13 egress pref 1 protocol all bpf da object-pinned "$pass"
	meddle "ours is replaced by another program" "detached .* ve13" \
		tc -n "$id" filter replace dev ve13 egress pref 1 handle "$(our_handle)" \
		protocol all bpf da object-pinned "$pass"
	agent_stop
	nsenter --net="/run/netns/$id" -- "$BUILD/segd" --remove --pin-directory="$work/bpf"
	agent_start "${options[@]}" || exit 1
fi

echo "== down and up, another name, another namespace"
ip -n "$id" link set ve13 down
ip -n "$id" link set ve13 up
check "the link is up again" await 5 ip netns exec "$id-db" ping -c1 -W1 10.77.0.13
both_refused "after down and up"
ip -n "$id" link set ve13 name renamed13
both_refused "under another name"
if [ "$plane" = ebpf ] && [ "$mechanism" = tcx ]; then
	index=$(ip -n "$id" -j link show renamed13 | jq '.[0].ifindex')
	meddle "detached under another name" "detached .* renamed13" \
		bpftool link detach pinned "$work/bpf/links/$index-enter"
fi
ip netns add "$id-far"
namespaces+=("$id-far")
ip -n "$id" link set renamed13 netns "$id-far"
ip -n "$id-far" addr add 10.77.0.99/24 dev renamed13
ip -n "$id-far" link set renamed13 up
far_down() {
	segctl workloads -o json | jq -e '.workloads | all(.name != "db" or (.enforced | not))'
}
check "moved away: no workload of this node any more" await 5 far_down
if [ "$plane" = ebpf ]; then
	expect "what is left there refuses everything" timeout probe "$id-far" tcp 10.77.0.13 5432
	ip -n "$id-far" link set renamed13 netns "$id"
	ip -n "$id" link set renamed13 master br0 up
	is_back() {
		segctl workloads -o json | jq -e '.workloads | any(.name == "db" and .enforced)'
	}
	check "moved back: it is one again" await 5 is_back
	both_refused "after that"
fi

echo "== macvlan"
# macvlan_up NAMESPACE NUMBER NAME LABELS: a part of the parent par0.
macvlan_up() {
	ip netns add "$1" || return 1
	namespaces+=("$1")
	ip netns exec "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip -n "$id" link add "mv$2" link par0 type macvlan mode bridge || return 1
	ip -n "$id" link set "mv$2" netns "$1" name eth0
	ip -n "$1" link set lo up
	ip -n "$1" addr add "10.78.0.$2/24" dev eth0
	ip -n "$1" addr add "fd78::$2/64" dev eth0 nodad
	ip -n "$1" link set eth0 up
	printf -- '- {name: %s, netns: %s, labels: {%s}}\n' "$3" "$1" "${4-}" >>"$work/macvlan.yaml"
}
ip -n "$id" link add par0 type veth peer name par1
ip -n "$id" link set par0 up
ip -n "$id" link set par1 up
if ! macvlan_up "$id-m1" 31 m-db "app: db"; then
	skipped=$((skipped + 1))
	echo "  skip  this kernel has no macvlan"
	finish
	exit
fi
macvlan_up "$id-m2" 32 m-api "app: api"
macvlan_up "$id-m3" 33 m-other "app: other"
serve "$id-m1" tcp/5432
for family in 10.78.0. fd78::; do
	expect "other -> db passes before they are workloads ($family)" open \
		probe "$id-m3" tcp "${family}31" 5432
done
cat "$work/macvlan.yaml" >>"$work/workloads.yaml"
have() { # true|false: all three are workloads, enforced or not
	segctl workloads -o json | jq -e --argjson enforced "$1" '[.workloads[] |
		select(.name | startswith("m-")) | select(.enforced == $enforced)] | length == 3'
}
if [ "$plane" = nft ]; then
	check "they are known, and not as enforced" await 5 have false
	check "status says that nft cannot" sh -c "$BUILD/segctl --socket $work/segd.sock status |
		grep -q 'macvlan'"
	finish
	exit
fi
check "all three are enforced" await 5 have true
for family in 10.78.0. fd78::; do
	expect "other -> db is refused ($family)" timeout probe "$id-m3" tcp "${family}31" 5432
	expect "api -> db passes ($family)" open probe "$id-m2" tcp "${family}31" 5432
done
denied_other() {
	segctl denied -o json | jq -e '.denied | any(.source.workload == "m-other" and
		.destination.workload == "m-db" and .port == 5432)'
}
check "segctl denied names both ends" await 5 denied_other
agent_kill
expect "with the agent killed, what was refused stays refused" timeout \
	probe "$id-m3" tcp 10.78.0.31 5432
expect "and what was allowed passes" open probe "$id-m2" tcp 10.78.0.31 5432
agent_start "${options[@]}" || exit 1
expect "refused after the restart" timeout probe "$id-m3" tcp 10.78.0.31 5432
expect "allowed after the restart" open probe "$id-m2" tcp 10.78.0.31 5432
if [ "$mechanism" = tcx ]; then
	pin=$(find "$work/bpf/links" -name '*-enter' | sort -V | tail -1)
	before=$(troubles "detached .* eth0")
	check "one is detached from outside" bpftool link detach pinned "$pin"
	check "it is noticed, told and repaired" await 5 told "detached .* eth0" $((before + 1))
	expect "refused again" timeout probe "$id-m3" tcp 10.78.0.31 5432
	nsenter --net="/run/netns/$id-m1" -- "$tools/foreign" eth0 ingress 0 >"$work/foreign" &
	children+=("$!")
	check "a program before ours, inside" await 5 told "put foreign before.*enters.*eth0" 1
	expect "refused again" timeout probe "$id-m3" tcp 10.78.0.31 5432
fi
agent_stop
nsenter --net="/run/netns/$id" -- "$BUILD/segd" --remove --pin-directory="$work/bpf"
expect "after segd --remove everything passes" open probe "$id-m3" tcp 10.78.0.31 5432

echo "== macvlan by clsact filters"
agent_start "${options[@]}" --clsact || exit 1
expect "other -> db is refused" timeout probe "$id-m3" tcp 10.78.0.31 5432
expect "api -> db passes" open probe "$id-m2" tcp 10.78.0.31 5432
check "deleted from inside" nsenter --net="/run/netns/$id-m1" tc qdisc del dev eth0 clsact
check "it is noticed, told and repaired" await 5 told "detached .* eth0" 1
expect "refused again" timeout probe "$id-m3" tcp 10.78.0.31 5432

finish
