#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh BUILD SECONDS: each fuzzer in BUILD/fuzz for that long, two at a time, from the seeds that the
# tree holds. What it finds beside the seeds stays in BUILD/fuzz/corpus, what it breaks on in
# BUILD/fuzz/broken.
set -u
build=$1 seconds=$2
here=$(cd "$(dirname "$0")" && pwd)
policies=$here/../../policies

# fuzz NAME: one line that begins with ok, FAIL or SKIP; after FAIL how its log ends.
fuzz() {
	local name=$1 program=$build/fuzz/$1 corpus=$build/fuzz/corpus/$1 broken=$build/fuzz/broken/$1
	local log=$build/fuzz/$1.log dictionary=$here/${1#fuzz_}.dict seeds options
	if [ ! -x "$program" ]; then
		echo "SKIP $name: $program was not built"
		return
	fi
	mkdir -p "$corpus" "$broken"
	seeds=("$corpus")
	[ "$name" = fuzz_documents ] && seeds+=("$policies/examples" "$policies/invalid")
	[ -d "$here/seeds/$name" ] && seeds+=("$here/seeds/$name")
	options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1
		-artifact_prefix="$broken/")
	[ -f "$dictionary" ] && options+=(-dict="$dictionary")
	if "$program" "${options[@]}" "${seeds[@]}" >"$log" 2>&1; then
		echo "ok   $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s"
	else
		printf '%s\n' "FAIL $name: see $log and $broken
$(tail -n 20 "$log")"
	fi
}
export -f fuzz
export build seconds here policies

results=$(mktemp)
trap 'rm "$results"' EXIT
basename -s .c "$here"/fuzz_*.c | xargs -P 2 -n 1 bash -c 'fuzz "$1"' fuzz | tee "$results"
count() { # WORD
	grep -c "^$1 " "$results"
}
echo "$(count ok) passed, $(count FAIL) failed, $(count SKIP) skipped"
[ "$(count FAIL)" = 0 ] && [ "$(count ok)" != 0 ]
