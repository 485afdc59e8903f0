#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a month of 50 million flows takes on disk, and a question about it (flow_store.c).
# row_store.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
progress "50 million flows"
"$BUILD/tests/bench/flow_store" >"$samples.store" || exit 1
while read -r what figure; do
	sample "$what" flow-store "$figure"
done < <(sed -n -e 's/^flow store, on disk *\([0-9.]*\) .*/store-mib-per-million \1/p' \
	-e 's/^flow store, peers of one *\([0-9.]*\) ms median.*(30 days)$/store-peers-ms \1/p' \
	-e 's/^flow store, writing *\([0-9.]*\) .*/store-edges-per-second \1/p' "$samples.store")
rm -f "$samples.store"
