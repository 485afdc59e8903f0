#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make bench: measures, never asserts. Runs the rows, row_*.sh, and says what they found as
# Markdown, as BUILD/bench/bench.json, and as plots beside it. All of them, peers too, go before other
# work on the machine.
#
#   run.sh BUILD [ROW...]     BENCH="ROW..." selects rows, too; BENCH_ROUNDS and BENCH_MS how long
build=${1:?usage: run.sh BUILD [ROW...]}
here=$(cd "$(dirname "$0")" && pwd)
rows=("${@:2}")
[ ${#rows[@]} -gt 0 ] || read -ra rows <<<"${BENCH-}"
[ ${#rows[@]} -gt 0 ] || rows=(programs rules endpoints load start cpu early events compile store detect)
mkdir -p "$build/bench"
out=$(realpath "$build/bench")
load=$(cut -d ' ' -f 1-3 /proc/loadavg)
: >"$out/samples"
rm -f "$out"/*.svg

# Between the rows: others work on the machine, too.
machine() {
	"$here/row_machine.sh" "$build" "$out/samples" || exit 1
}

machine
for row in "${rows[@]}"; do
	start=$SECONDS
	if [ ! -x "$here/row_$row.sh" ]; then
		echo "no row $row; there are:" "$(find "$here" -name "row_*.sh" -printf "%f " | sed "s/row_//g; s/.sh//g")" >&2
		exit 2
	fi
	nice -n -19 "$here/row_$row.sh" "$build" "$out/samples" || exit 1
	machine
	[ ! -t 2 ] || printf '\r\033[K' >&2
	printf '== %-12s %4d s\n' "$row" $((SECONDS - start)) >&2
done
jq -s -f "$here/report.jq" "$out/samples" |
	jq --arg kernel "$(uname -r | cut -d - -f 1)" --argjson cores "$(nproc)" --arg load "$load" \
		'{machine: {kernel: $kernel, cores: $cores, load: $load, look_up_ns:
			(.figures[] | select(.metric == "look-up-ns").median)}} + .' >"$out/bench.json" || exit 1
"$here/plot.sh" "$out" || exit 1
"$here/report.sh" "$out/bench.json"
echo
echo "All figures: $out/bench.json; plots:" "$(find "$out" -name "*.svg" -printf "%f ")"
