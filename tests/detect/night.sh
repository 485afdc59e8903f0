#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# night.sh BUILD ebpf|nft [new|learnt]: a shop's night in two minutes: what operators, agents and
# protocols do that looks like an attack and is none. A client of twelve brokers, FTP with its many
# ports, long and unknown names in the DNS, names of those who read the web pages, ping of everything,
# SNMP without answers, clients of a database that is down, replication, shipped logs, a crawler, updates
# at the full minute, sockets that stay open. Where what is usual is learnt, also an operator's rounds
# by SSH. As benign.sh otherwise.
BUILD=${1:?usage: night.sh BUILD ebpf|nft [new|learnt]}
plane=${2:?ebpf or nft}
history=${3:-new}
duration=${BENIGN_SECONDS:-$([ "$history" = learnt ] && echo 110 || echo 80)}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/detect/day.sh
. "$here/tests/detect/day.sh"
id=night-$$

day_up || exit 1
brokers=(broker{1..12})
routers=(router{1..6})
for name in "${brokers[@]}" "${routers[@]}" consumer ftp till mail names monitor logs replica crawler down \
	reader1 reader2 reader3; do
	member "$name"
done
for name in "${brokers[@]}"; do
	start "$name" "$tools/echo" tcp/9092
done
for name in router1 router2 router3 router4; do # 5 and 6 do not answer
	start "$name" "$tools/echo" udp/161
done
start ftp "$tools/echo" tcp/21 $(seq -f 'tcp/%g' 50000 50059)
start logs socat -u tcp-listen:5140,fork,reuseaddr open:/dev/null,append
start replica socat -u tcp-listen:5433,fork,reuseaddr open:/dev/null,append
start names dnsmasq --no-daemon --no-resolv --no-hosts --address=/cdn.example/203.0.113.80 \
	--address=/shop.example/10.77.0.11 --listen-address="$(ip_of names)" --bind-interfaces
[ "$history" = new ] || sshd_up router1 router2 router3 router4 reader1 reader2 || exit 1
day_begin || exit 1

# ask NAME TYPE FROM: one question to the resolver; type in hex.
ask() {
	local label packet='\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00'
	for label in ${1//./ }; do
		packet+=$(printf '\\x%02x%s' ${#label} "$label")
	done
	# shellcheck disable=SC2059
	printf "$packet\\x00\\x00\\x$2\\x00\\x01" | inside "$3" timeout 1 nc -u -q 0 -w 1 "$(ip_of names)" 53
}

# All brokers on one port, and they each other, now and then.
day_brokers() {
	local name other
	while going; do
		for name in "${brokers[@]}"; do
			inside consumer nc -z -w 1 "$(ip_of "$name")" 9092
		done
		name=${brokers[RANDOM % 12]}
		for other in "${brokers[@]}"; do
			[ "$other" = "$name" ] || inside "$name" nc -z -w 1 "$(ip_of "$other")" 9092
		done
		sleep 3
	done
}

# Each file has a connection of its own, to a port that the server chooses.
day_ftp() {
	local port
	while going; do
		inside till nc -z -w 1 "$(ip_of ftp)" 21
		for port in $(shuf -i 50000-50059 -n 25); do
			head -c 20000 /dev/zero | inside till nc -N -w 1 "$(ip_of ftp)" "$port" >/dev/null
		done
		sleep 10
	done
}

# Names as content networks and object stores have them, each time another one.
day_long_names() {
	local n
	while going; do
		for n in 1 2 3; do
			ask "d$(head -c 7 /dev/urandom | od -An -tx1 | tr -d ' \n').cdn.example" 01 crawler
		done
		sleep 2
	done
}

# A mail server asks lists of senders for each that connects, and mostly there is no such name.
day_mail() {
	local n
	while going; do
		for n in 1 2 3 4; do
			ask "$((RANDOM % 256)).$((RANDOM % 256)).$((RANDOM % 256)).$((RANDOM % 256)).list.example" 01 mail
		done
		sleep 1
	done
}

# Who reads the pages: each address once.
day_reverse_names() {
	while going; do
		ask "$((RANDOM % 256)).$((RANDOM % 256)).113.203.in-addr.arpa" 0c web
		sleep 0.5
	done
}

# Everybody is pinged, those that are not there too, and once in a while with whole frames.
day_ping() {
	local n round=0
	while going; do
		for n in {11..46}; do
			in_ns "$id-monitor" ping -qc 1 -W 1 -s $((round % 5 ? 56 : 1400)) "10.77.0.$n" &
		done
		wait
		round=$((round + 1))
		sleep 5
	done
}

day_snmp() {
	local name
	while going; do
		for name in "${routers[@]}"; do
			echo walk | inside monitor timeout 1 nc -u -q 0 -w 1 "$(ip_of "$name")" 161
		done
		sleep 2
	done
}

# Three clients of a database that is down for most of the night, and ever more patient.
day_database_down() {
	local name clients=()
	for name in reader1 reader2 reader3; do
		{
			wait_s=1
			while going; do
				inside "$name" nc -z -w 1 "$(ip_of down)" 5432
				sleep "$wait_s"
				[ "$wait_s" -ge 8 ] || wait_s=$((wait_s * 2))
			done
		} &
		clients+=("$!")
	done
	sleep $((duration * 2 / 3))
	start down "$tools/echo" tcp/5432
	wait "${clients[@]}"
}

day_replication() {
	while going; do
		head -c 1M /dev/zero
		sleep 1
	done | inside db nc -N -w 30 "$(ip_of replica)" 5433
}

day_logs() {
	local name
	for name in web api cache consumer mail; do
		while going; do
			head -c 20000 /dev/zero
			sleep 1
		done | inside "$name" nc -N -w 30 "$(ip_of logs)" 5140 &
	done
	wait
}

day_crawler() {
	while going; do
		inside crawler curl -s -m 2 "http://$(ip_of web)/page/$RANDOM" >/dev/null
		sleep 0.2
	done
}

# All at the same moment, since the clock says so.
day_updates() {
	local name
	while going; do
		for name in web api cache mail monitor reader1 reader2; do
			inside "$name" nc -z -w 1 "$world_ip" 80 &
		done
		wait
		sleep 10
	done
}

# Open all night, with a word now and then.
day_sockets() {
	local n
	for n in 1 2 3 4 5 6; do
		while going; do
			echo still here
			sleep 5
		done | inside web nc -N -w 30 "$world_ip" 443 >/dev/null &
	done
	wait
}

# From one to the next, with the same few commands, and on from none of them.
day_rounds() {
	local name
	[ "$history" = learnt ] || return 0
	while going; do
		for name in router1 router2 router3 router4 reader1 reader2; do
			# shellcheck disable=SC2046
			inside ops ssh $(ssh_options) "root@$(ip_of "$name")" uptime
		done
		sleep 15
	done
}

day_run brokers ftp long_names mail reverse_names ping snmp database_down replication logs crawler updates sockets \
	rounds
