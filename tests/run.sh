#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make test: every suite, each by its own closing line, and one sum at the end.
set -u
build=${1:?usage: run.sh BUILD}
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here" || exit 1
logs=$build/test-logs
mkdir -p "$logs"
passed=0
failed=0
skipped=0
make=(make --no-print-directory)

# run NAME COMMAND...: its output goes to a log; counts are added up from its closing lines
# ("N passed, N failed, N skipped", or cmocka's). A suite without a closing line, or with an exit code
# that its counts do not explain, has failed.
run() {
	local name=$1 log=$logs/$1.log start=$SECONDS code p f s
	shift
	printf '%-28s' "$name"
	"$@" >"$log" 2>&1 </dev/null
	code=$?
	read -r p f s < <(awk '
		/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { p += $1; f += $3; s += $5 }
		/^\[  PASSED  \] [0-9]+ test\(s\)\.$/ { p += $4 }
		/^\[  FAILED  \] .*[0-9]+ test\(s\), listed below:$/ { for (i = 1; i <= NF; i++) if ($i == "test(s),") f += $(i - 1) }
		/^\[  SKIPPED \] .*[0-9]+ test\(s\), listed below:$/ { for (i = 1; i <= NF; i++) if ($i == "test(s),") s += $(i - 1) }
		END { print p + 0, f + 0, s + 0 }' "$log")
	if [ "$code" != 0 ] && [ "$f" = 0 ] || [ $((p + f + s)) = 0 ]; then
		f=$((f + 1))
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%5d passed %3d failed %3d skipped %5d s\n' "$p" "$f" "$s" $((SECONDS - start))
	[ "$f" = 0 ] || { echo "--- $log"; tail -40 "$log"; echo "---"; }
	grep -hi '^ *skip' "$log" | sort | uniq | head -5
}

# Two programs at a time: each has its own namespaces and directories. What they say stays together.
all_of() {
	local outputs program code=0
	outputs=$(mktemp -d)
	printf '%s\0' "$@" | xargs -0 -P 2 -n 1 sh -c '
		out=$1/$(echo "$2" | tr / _)
		{ echo "== $2"; timeout 300 "$2"; } >"$out" 2>&1 || echo "exit code $?" >"$out.failed"' \
		sh "$outputs"
	for program in "$outputs"/*; do
		cat "$program"
		[ "$program" = "${program%.failed}" ] || code=1
	done
	rm -r "$outputs"
	return $code
}

echo "building"
"${make[@]}" BUILD="$build" binaries tools unit-binaries bpf-test-binaries differential-binary \
	conformance-binary evasion-binary &&
	"${make[@]}" BUILD="$build/asan" SANITIZE=1 unit-binaries &&
	"${make[@]}" BUILD="$build" fuzz-binaries || exit 1

run lint "${make[@]}" BUILD="$build" lint
for room in base policies flow control workload agent cli; do
	mapfile -t programs < <(find "$build/asan/tests/unit/$room" -name 'test_*' -type f -executable 2>/dev/null | sort)
	[ ${#programs[@]} = 0 ] || run "unit-$room (sanitized)" all_of "${programs[@]}"
done
for room in bpf xdp nft host lock doctor; do
	mapfile -t programs < <(find "$build/asan/tests/unit/$room" -name 'test_*' -type f -executable | sort)
	run "unit-$room (sanitized)" all_of "${programs[@]}"
done
mapfile -t programs < <(find "$build/tests/bpf" -name 'test_*' -type f -executable | sort)
run bpf-programs all_of "${programs[@]}"
run differential timeout 300 "$build/tests/differential/differential" --models 300 --probes 40
run fuzz tests/fuzz/run.sh "$build" 4
run conformance tests/conformance/test.sh "$build"
run cli tests/netns/cli.sh "$build"
run examples tests/examples.sh "$build"
run trace tests/golden/trace/run.sh "$build"
for script in tests/netns/test_*.sh; do
	name=$(basename "$script" .sh)
	for plane in ebpf nft; do
		run "netns-${name#test_} ($plane)" timeout 300 "$script" "$build" "$plane"
	done
done
for plane in ebpf nft; do
	run "docker ($plane)" timeout 300 tests/docker/test_docker.sh "$build" "$plane"
done
run browser timeout 120 tests/browser/test_map.sh "$build"
run demo tests/netns/demo_check.sh "$build"
run install tests/netns/install.sh "$build"

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
