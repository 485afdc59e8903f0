#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# bench.sh BUILD: make detect-bench. Every attack of attacks.sh on both data planes, without and with a
# policy, with what is usual learnt and without; then a benign day and a benign night on both. Prints what
# was found, and after how long and how many probes, sessions or bytes. RUNS selects:
# "ebpf:open:learnt nft:benign:new".
BUILD=${1:?usage: bench.sh BUILD}
here=$(cd "$(dirname "$0")/../.." && pwd)
out=$BUILD/detect
mkdir -p "$out"
failed=0

runs=${RUNS-ebpf:open:learnt ebpf:closed:learnt ebpf:open:new nft:open:learnt nft:closed:learnt nft:open:new
	ebpf:benign:new ebpf:benign:learnt nft:benign:new ebpf:night:new nft:night:learnt}
: >"$out/attacks.txt"
: >"$out/benign.txt"
for run in $runs; do
	IFS=: read -r plane posture history <<<"$run"
	printf '== %s, %s\n' "$plane" "$posture${history:+, $history}" >&2
	if [ "$posture" = benign ] || [ "$posture" = night ]; then
		"$here/tests/detect/$posture.sh" "$BUILD" "$plane" "$history" | tee -a "$out/benign.txt" >&2
	else
		"$here/tests/detect/attack.sh" "$BUILD" "$plane" "$posture" "$history" |
			tee "$out/$plane-$posture-$history.txt" >&2
		grep -E '\|(found|missed)$' "$out/$plane-$posture-$history.txt" >>"$out/attacks.txt"
	fi
	[ "${PIPESTATUS[0]}" = 0 ] || failed=1
done

# A row for each attack, a column for each run: seconds and what was counted until the first alert.
awk -F'|' '
	function cell(s, n) { return s == "-" ? "missed" : sprintf("%s s, %s", s, n) }
	{
		column = $2 " " $3 " " $4
		if (!(column in seen)) { seen[column]; columns[++width] = column }
		if (!($1 in row)) { names[++height] = $1; row[$1] = $5 " " $6 }
		told[$1, column] = cell($8, $9)
	}
	END {
		printf "%-14s %-22s", "attack", "detector, technique"
		for (i = 1; i <= width; i++) printf " %-20s", columns[i]
		print ""
		for (j = 1; j <= height; j++) {
			printf "%-14s %-22s", names[j], row[names[j]]
			for (i = 1; i <= width; i++) {
				text = told[names[j], columns[i]]
				printf " %-20s", text == "" ? "-" : text
			}
			print ""
		}
	}' "$out/attacks.txt" | tee "$out/table.txt"
cat "$out/benign.txt"
exit $failed
