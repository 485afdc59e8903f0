#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Plots what make bench measured: plot.sh DIRECTORY, where samples are and the SVGs go.
directory=${1:?usage: plot.sh DIRECTORY}
json=$directory/bench.json

# plot ROW FILE TITLE AXIS: microseconds a connection against X, a line a configuration.
plot() {
	local data=$directory/plot.data lines='' configuration index=0
	: >"$data"
	while read -r configuration; do
		printf '"%s"\n' "$configuration"
		jq -r --arg row "$1" --arg c "$configuration" '.figures[] | select(.row == $row and
			.metric == "connections" and .configuration == $c) | "\(.x) \(1e6 / .figure)"' "$json" | sort -n
		printf '\n\n'
	done < <(jq -r --arg row "$1" '[.figures[] | select(.row == $row and .metric == "connections")
		| .configuration] | unique[]' "$json") >"$data"
	[ -s "$data" ] || { rm -f "$data"; return 0; }
	for ((index = 0; index < $(grep -c '^"' "$data"); index++)); do
		lines+="${lines:+, }'$data' index $index using 1:2 with linespoints linewidth 2 title columnheader(1)"
	done
	gnuplot <<-END
		set terminal svg size 800,480 font "sans-serif,14" background "white"
		set output "$directory/$2"
		set title "$3"
		set logscale xy
		set xlabel "$4"
		set ylabel "µs for a TCP connection, opened and closed"
		set key outside right top noenhanced
		set grid
		plot $lines
	END
	rm -f "$data"
}

plot rules rules.svg "Who reaches one workload: from 10 to 10,000 rules" rules &&
	plot endpoints endpoints.svg "A node of 10 to 1,000 endpoints" endpoints
