#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh BUILD SECONDS: each fuzzer in BUILD/fuzz for that long, from the seeds that the tree holds.
# What it finds beside the seeds stays in BUILD/fuzz/corpus, what it breaks on in BUILD/fuzz/broken.
set -u
build=$1 seconds=$2
here=$(cd "$(dirname "$0")" && pwd)
policies=$here/../../policies
passed=0 failed=0 skipped=0

for source in "$here"/fuzz_*.c; do
	name=$(basename "$source" .c)
	program=$build/fuzz/$name
	if [ ! -x "$program" ]; then
		echo "SKIP $name: $program was not built"
		skipped=$((skipped + 1))
		continue
	fi
	corpus=$build/fuzz/corpus/$name broken=$build/fuzz/broken/$name log=$build/fuzz/$name.log
	mkdir -p "$corpus" "$broken"
	seeds=("$corpus")
	[ "$name" = fuzz_documents ] && seeds+=("$policies/examples" "$policies/invalid")
	[ -d "$here/seeds/$name" ] && seeds+=("$here/seeds/$name")
	dictionary=$here/${name#fuzz_}.dict
	options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1
		-artifact_prefix="$broken/")
	[ -f "$dictionary" ] && options+=(-dict="$dictionary")
	if "$program" "${options[@]}" "${seeds[@]}" >"$log" 2>&1; then
		executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		echo "ok   $name: $executed inputs in $seconds s"
		passed=$((passed + 1))
	else
		echo "FAIL $name: see $log and $broken"
		tail -n 20 "$log"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
