#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints what make bench measured as tables in Markdown: report.sh BENCH.JSON
json=${1:?usage: report.sh BENCH.JSON}

# peers X: traffic under X rules, all metrics side by side.
peers() {
	jq -r --argjson x "$1" '
		def cell($figures; $metric; $divisor; $digits): $figures | map(select(.metric == $metric))[0]
			| if . then "\(.figure / $divisor * $digits | round / $digits) (\(.ratio // "–"))" else "–" end;
		def half($figures): $figures | map(select(.metric == "round-trips"))[0]
			| if . then "\(500000 / .figure * 100 | round / 100) (\(.ratio // "–"))" else "–" end;
		.figures | map(select(.row == "rules" and .x == $x)) | if . == [] then empty else
		(group_by(.configuration) | map({key: .[0].configuration, value: .}) | from_entries) as $by
		| ("none", "segd-ebpf", "segd-fast", "segd-lock", "segd-nft", "nftables", "iptables-ipset", "iptables-linear")
		| select($by[.]) | . as $c | $by[$c]
		| "| \($c) | \(cell(.; "bytes"; 125000000; 10)) | \(half(.)) | \(cell(.; "datagrams"; 1000; 1)) | \(cell(.; "connections"; 1000; 10)) |"
		end' "$json" >"$json.rows"
	[ ! -s "$json.rows" ] || {
		printf '\n%s rules: figure (ratio to no filter in the same rounds)\n\n' "$1"
		echo '| | TCP, Gbit/s | TCP half round trip, µs | small UDP, thousand/s | TCP connections, thousand/s |'
		echo '|---|---|---|---|---|'
		cat "$json.rows"
	}
	rm -f "$json.rows"
}

jq -r '"Measured on Linux \(.machine.kernel), \(.machine.cores) cores, by make bench; load average before: \(.machine.load).",
	"One look-up in a hash took \(.machine.look_up_ns) ns here.\n",
	"| what | budget | measured | at 42 ns a look-up | |", "|---|---|---|---|---|",
	(.budgets[] | "| \(.what) | \(.budget) | \(.measured)\(.unit) | \(
		if .at_42_ns then "\(.at_42_ns)\(.unit)" else "" end) | \(
		if .met == null then "unclear: noise" elif .met then "met" else "**missed**" end) |")' "$json"
peers 10
peers 10000
jq -r '.figures | map(select(.row != "rules" and .row != "programs" and .row != "machine")) | if . == [] then empty else
	"\nOther figures\n", "| row | what | of | at | median | p99 |", "|---|---|---|---|---|---|",
	(.[] | "| \(.row) | \(.metric) | \(.configuration) | \(.x // "") | \(.median) | \(.p99) |") end' "$json"
