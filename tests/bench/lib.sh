# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034 # node, work and agent_pid are read by tests/lib.sh
# What the rows of make bench share. A row is a script, row.sh BUILD SAMPLES: it measures in rounds,
# all configurations one after the other in each, and appends one JSON object a figure to SAMPLES.
# It never asserts.
#
# Each configuration is a node of its own, and all of them stand at once, so that to measure the next
# one takes no time and a noisy machine disturbs all alike.
BUILD=$(realpath "${1:?usage: row.sh BUILD SAMPLES}")
samples=$(realpath "${2:?usage: row.sh BUILD SAMPLES}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
row=$(basename "$0" .sh)
row=${row#row_}
id=sgb$$
round=1
api=10.77.0.12
port=8080
declare -A works agents spaces
trap worlds_down EXIT
trap 'exit 130' INT TERM

progress() {
	[ ! -t 2 ] || printf '\r\033[K%-10s %s' "$row" "$*" >&2
}

give_up() {
	printf '\n%s: %s\n' "$row" "$*" >&2
	exit 1
}

# sample METRIC CONFIGURATION VALUE [X]: X is what the figure is plotted against. Metrics say their unit.
sample() {
	[ -n "$3" ] && [ "$3" != null ] || give_up "no figure: $1 of $2"
	printf '{"row": "%s", "metric": "%s", "configuration": "%s", "value": %s, "x": %s, "round": %s}\n' \
		"$row" "$1" "$2" "$3" "${4-null}" "$round" >>"$samples"
}

# How fast the machine is in this round, of which others have a share.
sample_machine() {
	sample look-up-ns machine "$("$BUILD/tests/bench/look_up")"
}

# --- worlds ---------------------------------------------------------------------------------------

# world_up CONFIGURATION: a node with the workloads web and api on its bridge.
world_up() {
	node_up "$id-$1" || give_up "no node for $1"
	workload_up "$node-web" 11 web "app: web" && workload_up "$node-api" 12 api "app: api" ||
		give_up "no workloads for $1"
	sysctl_in "$node" net.netfilter.nf_conntrack_max=262144
	sysctl_in "$node-api" net.ipv4.tcp_max_tw_buckets=0
	works[$1]=$work agents[$1]='' spaces[$1]="${namespaces[*]}"
}

# enter CONFIGURATION: what is called from now on is about that world.
enter() {
	node=$id-$1 work=${works[$1]} agent_pid=${agents[$1]}
	read -ra namespaces <<<"${spaces[$1]}"
}

# leave CONFIGURATION: what the world has got since enter.
leave() {
	agents[$1]=$agent_pid spaces[$1]="${namespaces[*]}"
}

worlds_down() {
	local configuration
	for configuration in "${!works[@]}"; do # agents first: node_down waits for all children
		enter "$configuration"
		agent_stop
		leave "$configuration"
	done
	for configuration in "${!works[@]}"; do
		enter "$configuration"
		node_down
	done
	[ -z "${scratch-}" ] || rm -rf "$scratch"
}

# Some are the machine's own, and are left alone.
sysctl_in() { # NAMESPACE NAME=VALUE
	ip netns exec "$1" sysctl -qw "$2" 2>/dev/null
}

# plane_options CONFIGURATION: which data plane, and how
plane_options() {
	case $1 in
	segd-ebpf*) echo --dataplane=ebpf ;;
	segd-fast) echo --dataplane=ebpf --fast-path ;;
	segd-lock) echo --dataplane=ebpf --second-lock ;;
	segd-nft*) echo --dataplane=nft ;;
	esac
}

# segd_up CONFIGURATION OPTION...: an agent with web and api in the world.
segd_up() {
	local options
	enter "$1"
	read -ra options <<<"$(plane_options "$1")"
	agent_start "${options[@]}" --no-docker --workloads="$work/workloads.yaml" --adoption=0 \
		--remove-on-exit "${@:2}" || give_up "no agent for $1"
	leave "$1"
}

bridge_netfilter() {
	sysctl_in "$node" net.bridge.bridge-nf-call-iptables=1
}

# traffic CONFIGURATION MS KIND...: rates as JSON
traffic() {
	"$BUILD/tests/bench/traffic" "$id-$1-web" "$id-$1-api" $api $port "$2" "${@:3}"
}

# --- one policy, in every language ------------------------------------------------------------------

# What a policy is made of: PAIRS, lines of "SOURCE DESTINATION PORT"; the last that counts is web to
# api, TCP and UDP. Each peer gets the form that is best for it, but for iptables-linear: a rule a pair.

# pairs COUNT: strangers that may reach api, each at a port of its own out of 100, and last web.
pairs() {
	awk -v count="$1" -v api=$api 'BEGIN {
		for (i = 0; i < count - 1; i++)
			printf "198.%d.%d.%d %s %d\n", 18 + int(i / 62500), int(i / 250) % 250, i % 250 + 1,
				api, 5000 + i % 100
		print "10.77.0.11", api, 8080 }'
}

# segd_policy <PAIRS: a rule a pair, too, a hundred in each document; and who else sends or hears
# nothing.
segd_policy() {
	cat <<-'END'
		apiVersion: segctl.io/v1
		kind: SegmentPolicy
		metadata: {name: default-deny}
		spec: {subject: "*", ingress: [], egress: []}
		---
		apiVersion: segctl.io/v1
		kind: SegmentPolicy
		metadata: {name: web}
		spec:
		  subject: app=web
		  egress: [{to: [{workloads: app=api}], ports: [tcp/8080, udp/8080]}]
		---
		apiVersion: segctl.io/v1
		kind: SegmentPolicy
		metadata: {name: api}
		spec:
		  subject: app=api
		  ingress: [{from: [{workloads: app=web}], ports: [tcp/8080, udp/8080]}]
	END
	awk '$3 != 8080 {
		if (n++ % 100 == 0)
			printf "---\napiVersion: segctl.io/v1\nkind: SegmentPolicy\n" \
				"metadata: {name: r%d}\nspec:\n  subject: app=api\n  ingress:\n", n / 100
		printf "  - {from: [{cidr: %s/32}], ports: [tcp/%d]}\n", $1, $3 }'
}

nft_policy() {
	cat <<-'END'
		table inet hand
		delete table inet hand
		table inet hand {
			set pairs {
				type ipv4_addr . ipv4_addr . inet_service
				elements = {
	END
	awk '{ printf "%s . %s . %s,\n", $1, $2, $3 }'
	cat <<-'END'
				}
			}
			chain forward {
				type filter hook forward priority 0; policy drop;
				ct state established,related accept
				meta l4proto { tcp, udp } ip saddr . ip daddr . th dport @pairs accept
			}
		}
	END
}

# ipset_policy NEW <PAIRS: commands for ipset restore
ipset_policy() {
	echo "create $1 hash:ip,port,ip maxelem 1048576"
	awk -v set="$1" '{ print "add", set, $1 ",tcp:" $3 "," $2; print "add", set, $1 ",udp:" $3 "," $2 }'
}

iptables_frame() { # RULES: commands for iptables-restore around them
	printf '*filter\n:FORWARD DROP [0:0]\n'
	echo '-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT'
	cat
	echo COMMIT
}

linear_policy() {
	awk '{ if ($3 == 8080) print "-A FORWARD -s", $1, "-d", $2, "-p udp --dport", $3, "-j ACCEPT"
		print "-A FORWARD -s", $1, "-d", $2, "-p tcp --dport", $3, "-j ACCEPT" }' | iptables_frame
}

# install CONFIGURATION FILE: the policy of these pairs; those of an earlier call are among them.
install() {
	enter "$1"
	case $1 in
	segd-*)
		segd_policy <"$2" >"$work/policy.yaml"
		segctl policy apply -f "$work/policy.yaml" >/dev/null
		;;
	nftables)
		bridge_netfilter
		nft_policy <"$2" >"$work/hand.nft"
		in_ns "$node" nft -f "$work/hand.nft"
		;;
	iptables-ipset)
		bridge_netfilter
		in_ns "$node" iptables -F FORWARD
		in_ns "$node" ipset destroy
		ipset_policy pairs <"$2" | in_ns "$node" ipset restore
		echo '-A FORWARD -m set --match-set pairs src,dst,dst -j ACCEPT' | iptables_frame |
			in_ns "$node" iptables-restore
		;;
	iptables-linear)
		bridge_netfilter
		linear_policy <"$2" | in_ns "$node" iptables-restore
		;;
	esac || give_up "cannot install $2 for $1"
}
