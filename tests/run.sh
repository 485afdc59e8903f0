#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make test: every suite, each by its own closing line, and one sum at the end.
set -u
build=${1:?usage: run.sh BUILD}
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here" || exit 1
logs=$build/test-logs
results=$logs/results
mkdir -p "$logs"
: >"$results"
make=(make --no-print-directory)
export build logs results

# counts LOG: passed, failed and skipped of its closing lines ("N passed, N failed, N skipped", or
# cmocka's).
counts() {
	awk '
		/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { p += $1; f += $3; s += $5 }
		/^\[  PASSED  \] [0-9]+ test\(s\)\.$/ { p += $4 }
		/^\[  FAILED  \] .*[0-9]+ test\(s\), listed below:$/ { for (i = 1; i <= NF; i++) if ($i == "test(s),") f += $(i - 1) }
		/^\[  SKIPPED \] .*[0-9]+ test\(s\), listed below:$/ { for (i = 1; i <= NF; i++) if ($i == "test(s),") s += $(i - 1) }
		END { print p + 0, f + 0, s + 0 }' "$1"
}

# run NAME COMMAND...: its output goes to a log; counts are added up from that. A suite without a
# closing line, or with an exit code that its counts do not explain, has failed.
run() {
	local name=$1 log=$logs/$1.log start=$SECONDS code p f s
	shift
	"$@" >"$log" 2>&1 </dev/null
	code=$?
	read -r p f s < <(counts "$log")
	if [ "$code" != 0 ] && [ "$f" = 0 ] || [ $((p + f + s)) = 0 ]; then
		f=$((f + 1))
	fi
	echo "$p $f $s $name" >>"$results"
	# In one write: suites that run side by side do not mix their lines.
	printf '%s\n' "$(
		printf '%-28s%5d passed %3d failed %3d skipped %5d s\n' \
			"$name" "$p" "$f" "$s" $((SECONDS - start))
		[ "$f" = 0 ] || failure "$log"
		grep -hi '^ *skip' "$log" | sort | uniq | head -5
	)"
}

# failure LOG: each check that failed with what it said, then how the log ends.
failure() {
	echo "--- $1"
	grep -hE -A 4 '^ *FAIL|^\[  ERROR|^\[  FAILED|ERROR: AddressSanitizer|runtime error:' "$1" | head -60
	echo "..."
	tail -15 "$1"
	echo "---"
}

# side_by_side COUNT: reads lines "NAME|SCRIPT ARGUMENT..." and runs COUNT at a time, for they wait more
# than they compute. Each has its own namespaces and directories.
side_by_side() {
	xargs -d '\n' -P "$1" -n 1 bash -c 'IFS="|" read -r name command <<<"$1"
		run "$name" timeout 600 $command' side_by_side
}
export -f run counts failure

# all_of COUNT PROGRAM...: COUNT at a time, each with its own namespaces and directories. What one says
# stays together.
all_of() {
	local outputs program code=0
	outputs=$(mktemp -d)
	printf '%s\0' "${@:2}" | xargs -0 -P "$1" -n 1 sh -c '
		out=$1/$(echo "$2" | tr / _)
		{ echo "== $2"; timeout 600 "$2"; } >"$out" 2>&1 || echo "exit code $?" >"$out.failed"' \
		sh "$outputs"
	for program in "$outputs"/*; do
		cat "$program"
		[ "$program" = "${program%.failed}" ] || code=1
	done
	rm -r "$outputs"
	return $code
}

# room NAME: its unit tests, two at a time.
room() {
	local programs
	mapfile -t programs < <(find "$build/asan/tests/unit/$1" -name 'test_*' -type f -executable | sort)
	run "unit-$1 (sanitized)" all_of 2 "${programs[@]}"
}
export -f all_of room

echo "building"
"${make[@]}" BUILD="$build" binaries tools bpf-test-binaries differential-binary conformance-binary \
	evasion-binary &&
	"${make[@]}" BUILD="$build/asan" SANITIZE=1 unit-binaries &&
	"${make[@]}" BUILD="$build" fuzz-binaries || exit 1

run lint "${make[@]}" BUILD="$build" lint
# Three rooms at a time, those first that take longest, so that none of them is left alone at the end.
{ printf '%s\n' bpf policies nft workload flow; ls tests/unit; } | awk '!seen[$0]++' |
	xargs -P 3 -n 1 bash -c 'room "$1"' room || echo "0 1 0 rooms" >>"$results"
mapfile -t programs < <(find "$build/tests/bpf" -name 'test_*' -type f -executable | sort)
run bpf-programs all_of 2 "${programs[@]}"
run differential timeout 300 "$build/tests/differential/differential" --models 300 --probes 40
run fuzz tests/fuzz/run.sh "$build" 4
run conformance tests/conformance/test.sh "$build"
# suites alone|beside: lines for side_by_side, of the scripts that say "Runs alone" and why, or of the
# others, those first that take longest.
suites() {
	local script name plane match=-l
	local longest=(tests/docker/test_docker.sh
		tests/netns/test_{subscriber,nft_failures,lock,xdp,durability,capture,crash,quarantine}.sh)
	[ "$1" = alone ] || match=-L
	for script in $(printf '%s\n' "${longest[@]}" tests/netns/test_*.sh tests/docker/test_*.sh | awk '!seen[$0]++' |
		xargs grep $match '^# Runs alone'); do
		name=$(basename "$script" .sh)
		for plane in ebpf nft; do
			echo "$(basename "$(dirname "$script")")-${name#test_} ($plane)|$script $build $plane"
		done
	done
}
suites alone | side_by_side 1 || echo "0 1 0 alone" >>"$results"
{
	echo "cli|tests/netns/cli.sh $build"
	suites beside
	echo "browser|tests/browser/test_map.sh $build"
	echo "install|tests/netns/install.sh $build"
	echo "trace|tests/golden/trace/run.sh $build"
	echo "examples|tests/examples.sh $build"
} | side_by_side 4 || echo "0 1 0 side by side" >>"$results"
run demo tests/netns/demo_check.sh "$build"

awk '$2 { print "failed: " substr($0, index($0, $4)) }
	{ p += $1; f += $2; s += $3 }
	END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 }' "$results"
