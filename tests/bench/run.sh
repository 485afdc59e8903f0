#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make bench: measures, never asserts. Every configuration is measured in every round, one after the
# other, so that a noisy machine disturbs all alike; ratios are of medians over the rounds.
#
#   run.sh BUILD [ROUNDS [SECONDS]]     results also in BUILD/bench.json
BUILD=$(realpath "${1:?usage: run.sh BUILD [ROUNDS [SECONDS]]}")
rounds=${2:-5}
seconds=${3:-2}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

configurations=(none segd-ebpf segd-lock segd-fast segd-nft nftables iptables)
id=sgb$$
server=10.77.0.12

echo "== cost of the eBPF programs for a packet (BPF_PROG_TEST_RUN)"
"$BUILD/tests/bench/program_cost" || exit 1
"$BUILD/tests/bench/program_cost" -o json >"$BUILD/bench-programs.json"

echo
echo "== cost of early dropping, for a packet and to load"
"$BUILD/tests/bench/early_cost" || exit 1

echo
echo "== policies to rule IR, on one core"
"$BUILD/tests/bench/policy_compile" || exit 1

echo
echo "== from an apply to its enforcement"
for plane in ebpf nft; do
	"$here/tests/bench/apply_latency.sh" "$BUILD" $plane 1000 250 50 || exit 1
done

echo
echo "== flow events"
"$BUILD/tests/bench/flow_events" || exit 1

node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
spawn "$id-api" iperf3 --server --port 8080 >/dev/null
spawn "$id-api" sockperf server --tcp --port 8081 >/dev/null 2>&1
cat >"$work/policy.yaml" <<'END'
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
  egress: [{to: [{workloads: app=api}], ports: [tcp/8080-8081]}]
---
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec:
  subject: app=api
  ingress: [{from: [{workloads: app=web}], ports: [tcp/8080-8081]}]
END

# The same policy, as a person would write it.
cat >"$work/hand.nft" <<'END'
table inet hand {
	set web { type ipv4_addr; elements = { 10.77.0.11 } }
	set api { type ipv4_addr; elements = { 10.77.0.12 } }
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state established,related accept
		ip saddr @web ip daddr @api tcp dport 8080-8081 accept
	}
}
END

bridge_netfilter() {
	ip netns exec "$id" sysctl -qw net.bridge.bridge-nf-call-iptables="$1" \
		net.bridge.bridge-nf-call-ip6tables="$1"
}

segd_up() {
	agent_start --dataplane="$1" --no-docker --workloads="$work/workloads.yaml" \
		--remove-on-exit "${@:2}" &&
		segctl policy apply -f "$work/policy.yaml" >/dev/null
}

up() {
	case $1 in
	none) ;;
	segd-ebpf) segd_up ebpf ;;
	segd-lock) segd_up ebpf --second-lock ;;
	segd-fast) segd_up ebpf --fast-path ;;
	segd-nft) segd_up nft ;;
	nftables) bridge_netfilter 1 && in_ns "$id" nft -f "$work/hand.nft" ;;
	iptables)
		bridge_netfilter 1
		in_ns "$id" ipset create web hash:ip && in_ns "$id" ipset add web 10.77.0.11
		in_ns "$id" ipset create api hash:ip && in_ns "$id" ipset add api 10.77.0.12
		in_ns "$id" iptables -P FORWARD DROP
		in_ns "$id" iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
		in_ns "$id" iptables -A FORWARD -p tcp -m multiport --dports 8080,8081 \
			-m set --match-set web src -m set --match-set api dst -j ACCEPT
		;;
	esac
}

down() {
	case $1 in
	segd-*) agent_stop ;;
	nftables) in_ns "$id" nft delete table inet hand ;;
	iptables)
		in_ns "$id" iptables -F FORWARD
		in_ns "$id" iptables -P FORWARD ACCEPT
		in_ns "$id" ipset destroy
		;;
	esac
	bridge_netfilter 0
}

throughput() { # bit/s
	in_ns "$id-web" iperf3 --client $server --port 8080 --time "$seconds" --json |
		jq '.end.sum_received.bits_per_second'
}

round_trip() { # microseconds, half of it, as sockperf says
	in_ns "$id-web" sockperf ping-pong --tcp -i $server -p 8081 -t "$seconds" 2>&1 |
		sed -n 's/.*avg-lat[a-z]*= *\([0-9.]*\).*/\1/p' | tail -1
}

: >"$work/samples"
await 5 in_ns "$id-web" nc -z $server 8081
for ((round = 1; round <= rounds; round++)); do
	for configuration in "${configurations[@]}"; do
		printf '\r== traffic: round %d of %d, %-12s' "$round" "$rounds" "$configuration" >&2
		up "$configuration" || { echo "cannot set up $configuration" >&2; exit 1; }
		bits=$(throughput)
		latency=$(round_trip)
		down "$configuration" >/dev/null 2>&1
		[ -n "$bits" ] && [ -n "$latency" ] || { echo "no figure for $configuration" >&2; exit 1; }
		echo "{\"configuration\": \"$configuration\", \"throughput\": $bits, \"latency\": $latency}" \
			>>"$work/samples"
	done
done
printf '\r%60s\r' '' >&2

jq -s --slurpfile programs "$BUILD/bench-programs.json" '
	def median: sort | .[length / 2 | floor];
	group_by(.configuration)
	| map({key: .[0].configuration, value: {
		throughput_bits_per_second: (map(.throughput) | median),
		tcp_half_round_trip_us: (map(.latency) | median), rounds: length}})
	| from_entries as $t
	| {programs: $programs[0], traffic: ($t | map_values(. + {
		throughput_ratio: (.throughput_bits_per_second / $t.none.throughput_bits_per_second),
		round_trip_ratio: (.tcp_half_round_trip_us / $t.none.tcp_half_round_trip_us)}))}' \
	"$work/samples" >"$BUILD/bench.json"

echo
echo "== two workloads on a bridge, medians of $rounds interleaved rounds of $seconds s; ratio to no filter"
for configuration in "${configurations[@]}"; do
	jq -r --arg c "$configuration" '.traffic[$c] | [$c,
		(.throughput_bits_per_second / 1e9 * 100 | round / 100), (.throughput_ratio * 1000 | round / 1000),
		(.tcp_half_round_trip_us * 100 | round / 100), (.round_trip_ratio * 1000 | round / 1000)] | @tsv' \
		"$BUILD/bench.json"
done | awk -F '\t' '
	BEGIN { printf "%-12s %14s %7s %22s %7s\n", "", "TCP Gbit/s", "ratio", "TCP half trip us", "ratio" }
	{ printf "%-12s %14.2f %7.3f %22.2f %7.3f\n", $1, $2, $3, $4, $5 }'
echo "all figures: $BUILD/bench.json"
