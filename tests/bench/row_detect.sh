#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a record costs all detectors, and what they keep, of 10,000 workloads and a million peers
# (detect_scale.c). row_detect.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
progress "a million peers"
"$BUILD/tests/bench/detect_scale" >"$samples.detect" || exit 1
while read -r what figure; do
	sample "$what" detection "$figure"
done < <(sed -n -e 's/^detect scale, a record *\([0-9.]*\) .*/detect-record-us \1/p' \
	-e 's/^detect scale, memory *\([0-9.]*\) .*/detect-memory-mib \1/p' "$samples.detect")
rm -f "$samples.detect"
