#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A table of 100,000 elements into the kernel: by the nft data plane, and by nft -f.
# row_load.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
rounds=${BENCH_ROUNDS:-5}
round=0
progress "100,000 elements, $rounds rounds"
while read -r ours peer; do
	round=$((round + 1))
	sample load-ms segd-nft "$ours" 100000
	sample load-ms nftables "$peer" 100000
done < <("$BUILD/tests/bench/nft_load" 100000 "$rounds" | jq -r '"\(.ours_ms) \(.nft_ms)"')
[ $round = "$rounds" ] || give_up "no figures"
