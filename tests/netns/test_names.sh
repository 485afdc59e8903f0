#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Names that workloads look up, figures of what they ask, and the protocols that they speak, from a
# real DNS server and real clients: test_names.sh BUILD ebpf|nft
BUILD=${1:?usage: test_names.sh BUILD PLANE}
plane=${2:?usage: test_names.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgn$$
node_up "$id"
workload_up "$id-web" 12 web "app: web"
workload_up "$id-other" 13 other "app: other"
workload_up "$id-world" 50 world "app: world"
# It is behind the bridge like the others, but nobody's workload.
sed -i '/name: world/d' "$work/workloads.yaml"
for last in 10 11 20 53 54; do
	ip -n "$id-world" addr add "203.0.113.$last/32" dev lo
	ip -n "$id-world" addr add "2001:db8::$last/128" dev lo nodad
done
ip -n "$id" route add 203.0.113.0/24 via 10.77.0.50
ip -n "$id" route add 2001:db8::/64 via fd77::50

# dns LAST OPTION...: a DNS server at 203.0.113.LAST and 2001:db8::LAST.
dns() {
	spawn "$id-world" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
		--no-daemon --user=root --pid-file= --bind-interfaces --except-interface=none \
		--listen-address="203.0.113.$1" --listen-address="2001:db8::$1" --local-ttl=60 \
		"${@:2}" >"$work/dns.$1" 2>&1
	await 5 grep -q started "$work/dns.$1"
}
dns 53 --host-record=api.example.org,203.0.113.10,2001:db8::10 --cname=www.example.org,api.example.org
dns 54 --host-record=api.example.org,203.0.113.11,2001:db8::11
serve "$id-world" tcp/443 tcp/8443

# ask WORKLOAD NAME SERVER
ask() {
	in_ns "$id-$1" busybox nslookup "$2" "$3" 2>&1
}
segctl_status() {
	segctl status -o json | jq -c "$1"
}
# told JQ-CONDITION: who talked to whom by which names, as the log says, once each.
told() {
	segctl flows >/dev/null # so that what was counted is reported
	jq -r "select(.event != \"gap\" and ($1)) | \"\(.source.workload) \(.destination.ip) \" +
		\"\(.destination.names // [] | join(\",\"))\"" "$work/log/flows.log" | sort -u
}
tells() {
	[ "$(told "$2")" = "$1" ]
}
# is_told DESCRIPTION JQ-CONDITION WANTED
is_told() {
	await 3 tells "$3" "$2"
	expect "$1" "$3" told "$2"
}

agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit \
	--detect-protocols || exit 1

echo "== names"
expect "web -> an address that nobody asked for" open probe "$id-web" tcp 203.0.113.10 443
is_told "has no name" '.destination.ip == "203.0.113.10"' "web 203.0.113.10 "
check "web asks for api.example.org" ask web api.example.org 203.0.113.53
expect "web -> it" open probe "$id-web" tcp 203.0.113.10 8443
is_told "has its name" '.destination.ip == "203.0.113.10" and .destination.port == 8443' \
	"web 203.0.113.10 api.example.org"
expect "web -> it, IPv6" open probe "$id-web" tcp 2001:db8::10 8443
is_told "has its name, too" '.destination.ip == "2001:db8::10" and .destination.port == 8443' \
	"web 2001:db8::10 api.example.org"
echo "== what one was told is nobody else's"
expect "other -> the same address" open probe "$id-other" tcp 203.0.113.10 8443
is_told "has no name" '.source.workload == "other" and .destination.ip == "203.0.113.10"' \
	"other 203.0.113.10 "
check "other is told another address by its own server" ask other api.example.org 203.0.113.54
expect "other -> that" open probe "$id-other" tcp 203.0.113.11 8443
expect "web -> that" open probe "$id-web" tcp 203.0.113.11 8443
is_told "it is other's name alone" '.destination.ip == "203.0.113.11"' \
	"other 203.0.113.11 api.example.org
web 203.0.113.11 "

echo "== by name"
named() {
	segctl flows --dns-name "$1" -o jsonl | jq -r .destination.ip | LC_ALL=C sort -u
}
nodes() {
	segctl map -o json | jq -r '.nodes[].id' | grep :
}
expect "flows have it" $'2001:db8::10\n203.0.113.10\n203.0.113.11' named '*.example.org'
expect "no flow has another" "" named '*.example.com'
expect "the map has it as a node" "world:api.example.org" nodes

echo "== protocols"
# spoken PORT: the application of the map's edge to that port, and whom it asked for.
spoken() {
	segctl map -o json | jq -r ".edges[] | select(.port == $1 and .application) |
		[.application, .server_name // \"-\"] | join(\" \")" | sort -u
}
is_spoken() {
	[ "$(spoken "$1")" = "$2" ]
}
# speaks PORT WANTED
speaks() {
	await 3 is_spoken "$1" "$2"
	expect "port $1 speaks $2" "$2" spoken "$1"
}
mkdir "$work/www"
echo hello >"$work/www/index.html"
spawn "$id-world" busybox httpd -f -p 8080 -h "$work/www"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=api.example.org \
	-keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
spawn "$id-world" openssl s_server -quiet -www -accept 4433 -key "$work/key.pem" -cert "$work/cert.pem" 2>/dev/null
cat >"$work/ssh.sh" <<'END'
printf 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'
read -r line
END
spawn "$id-world" busybox nc -ll -p 2222 -e sh "$work/ssh.sh"
fetch() {
	in_ns "$id-web" curl -sk --max-time 3 -o /dev/null --resolve "$1:$2:203.0.113.10" "$3://$1:$2/"
}
await 5 fetch http.example.org 8080 http
await 5 fetch tls.example.org 4433 https
listens() {
	in_ns "$id-world" ss -Hltn "sport = :$1" | grep -q .
}
await 5 listens 2222
printf 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n' | in_ns "$id-web" busybox nc -w 2 203.0.113.10 2222
speaks 8080 "http http.example.org"
speaks 4433 "tls tls.example.org"
speaks 2222 "ssh -"
speaks 53 "dns -"
asked() {
	jq -r 'select(.source.workload == "other" and .dns) |
		"\(.application) \(.dns.domain) \(.dns.unique_names) \(.dns.longest_name)"' "$work/log/flows.log" | sort -u
}
expect "what was asked is counted" "dns example.org 1 16" asked
expect "nothing was lost" 0 segctl_status .plane.losses.sample

echo "== what is left"
agent_stop
if [ "$plane" = nft ]; then
	expect "no table is" "" in_ns "$id" nft list tables inet
fi
started=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit \
	--no-observe || exit 1
expect "nobody observes" null segctl_status .observed
check "web asks" ask web api.example.org 203.0.113.53
expect "web -> it" open probe "$id-web" tcp 203.0.113.10 8443
is_told "and it has no name" \
	".destination.ip == \"203.0.113.10\" and .start > \"$started\"" "web 203.0.113.10 "
check "records with all that are as the schema says" "$here/tests/validate_records.py" "$work/log/flows.log"
finish
