# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Part of cli.sh: packets read through policy without an agent. The capture is made here, of raw IPv4
# packets: intruder tries forty ports of db, web and api have a word.

little() { # VALUE: four bytes, the least first
	printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24)))"
}

syn() { # SECOND FROM TO PORT: the last bytes of addresses in 10.0.0.0/24
	little "$1" && little 0 && little 40 && little 40
	printf '%b' "$(printf '\\x45\\0\\0\\x28\\0\\0\\0\\0\\x40\\x06\\0\\0\\x0a\\0\\0\\x%02x\\x0a\\0\\0\\x%02x' "$2" "$3")"
	printf '%b' "$(printf '\\x9c\\x40\\x%02x\\x%02x\\0\\0\\0\\x01\\0\\0\\0\\0\\x50\\x02\\x20\\0\\0\\0\\0\\0' $(($4 >> 8)) $(($4 & 255)))"
}

{
	little 0xa1b2c3d4 && printf '\x02\0\x04\0' && little 0 && little 0 && little 65535 && little 101
	for port in {1..40}; do syn $((1600000000 + port)) 6 4 "$port"; done
	syn 1600000050 3 2 80
} >"$work/scan.pcap"
cd "$golden/offline" || exit 1
shop=(-f pods.yaml -f policy.yaml)

echo "== packets through policy"
expect "each connection once" 41 sh -c '"$@" -o jsonl 2>/dev/null | jq -s "map(select(.event != \"ended\")) | length"' sh \
	"$BUILD/segctl" flows --pcap "$work/scan.pcap" "${shop[@]}"
ports() {
	segctl flows --pcap "$work/scan.pcap" "${shop[@]}" "$@" -o json 2>/dev/null | jq -c '[.flows[].destination.port]'
}
expect "all of them" 41 sh -c "echo '$(ports)' | jq 'unique | length'"
expect "or the newest" "$(ports | jq -c '.[-3:]')" ports --limit 3
exits "flows are no finding" 0 segctl flows --pcap "$work/scan.pcap" "${shop[@]}"
exits "a scan is" 1 segctl flows --pcap "$work/scan.pcap" "${shop[@]}" --detect
head -c 1000 "$work/scan.pcap" >"$work/cut.pcap"
exits "a capture that ends in the middle is not the same" 2 segctl flows --pcap "$work/cut.pcap" "${shop[@]}" --detect
exits "nor are policies with mistakes" 2 segctl flows --pcap "$work/scan.pcap" -f broken.yaml --detect
exits "which for flows are no answer" 1 segctl flows --pcap "$work/scan.pcap" -f broken.yaml
exits "with a filter that takes it" 1 segctl flows --pcap "$work/scan.pcap" "${shop[@]}" --detect --from intruder
expect "filters choose what detectors see" "nothing was found" sh -c '"$@" 2>/dev/null' sh \
	"$BUILD/segctl" flows --pcap "$work/scan.pcap" "${shop[@]}" --detect --from web
says "what an alert stands on is in no file" 2 "unrecognized option '--alert'" \
	segctl flows --pcap "$work/scan.pcap" "${shop[@]}" --alert 1a1b2c3d4e5f
says "alerts are not limited by flows" 2 "--limit is of flows" \
	segctl flows --pcap "$work/scan.pcap" "${shop[@]}" --detect --limit 3
exits "policies without Pods are no cluster" 2 segctl flows --pcap "$work/scan.pcap" -f policy.yaml
expect "which is said in place of an answer" "segctl flows: no packet is of a Pod in these files: give the cluster's Pods by -f, too; see 'segctl flows --help'" \
	sh -c '"$@" 2>&1 | tail -n 1' sh "$BUILD/segctl" flows --pcap "$work/scan.pcap" -f policy.yaml --detect
expect "and nothing is" "" sh -c '"$@" 2>/dev/null' sh "$BUILD/segctl" flows --pcap "$work/scan.pcap" -f policy.yaml --detect
