#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# benign.sh BUILD ebpf|nft [new|learnt]: a shop's day in a minute: health checks, Prometheus with 50 targets,
# start-up before what is needed, rolling restarts, connection pools, a load balancer with dead backends,
# the nightly backup, DNS-heavy clients, a CI job that talks to everything on its list, peers that look
# for each other. Nothing of it may raise an alert of medium or above, and one of low at most. new: nothing
# is learnt before, which is when detectors know least; learnt: what is usual is known after 45 seconds,
# and the day goes on for as long. BENIGN_SECONDS: how long a day is.
BUILD=${1:?usage: benign.sh BUILD ebpf|nft [new|learnt]}
plane=${2:?ebpf or nft}
history=${3:-new}
duration=${BENIGN_SECONDS:-$([ "$history" = learnt ] && echo 100 || echo 75)}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/detect/day.sh
. "$here/tests/detect/day.sh"
id=benign-$$

day_up || exit 1
for name in lb backend1 backend2 backend3 backend4 backend5 backend6 prometheus exporters backup ci \
	resolver crowd peer1 peer2 peer3 peer4 late shopper; do
	member "$name"
done
for name in peer1 peer2 peer3 peer4; do
	start "$name" "$tools/echo" udp/7946 tcp/7946
done
for name in backend1 backend2 backend3; do # 4 to 6 are dead
	start "$name" "$tools/echo" tcp/8080
done
start backup socat -u tcp-listen:873,fork,reuseaddr open:/dev/null,append
start resolver "$tools/echo" udp/53
start exporters "$tools/echo" $(seq -f 'tcp/%g' 9100 9149)
start crowd "$tools/echo" tcp/9000

day_begin || exit 1

# Every 2 seconds, from the node, as runtimes do it.
day_health_checks() {
	while going; do
		in_ns "$node" nc -z -w 1 "$(ip_of web)" 80
		in_ns "$node" nc -z -w 1 "$(ip_of db)" 5432
		in_ns "$node" nc -z -w 1 "$(ip_of ops)" 22
		sleep 2
	done
}

# 50 targets each 5 seconds, 4 of which are not there.
day_prometheus() {
	local port
	while going; do
		for port in {9100..9153}; do
			inside prometheus nc -z -w 1 "$(ip_of exporters)" "$port"
		done
		sleep 5
	done
}

# Starts before everything that it needs, and tries until it is there.
day_start_up() {
	local began=$SECONDS
	while going; do
		inside late nc -z -w 1 "$(ip_of db)" 5432
		inside late nc -z -w 1 "$(ip_of cache)" 6379
		inside late nc -z -w 1 "$(ip_of api)" 8081
		inside late nc -z -w 1 "$(ip_of web)" 8082
		inside late nc -z -w 1 "$(ip_of crowd)" 9001
		inside late nc -z -w 1 "$(ip_of resolver)" 9002
		if [ "$began" ] && [ $((SECONDS - began)) -gt 15 ]; then
			start api "$tools/echo" tcp/8081
			start web "$tools/echo" tcp/8082
			start crowd "$tools/echo" tcp/9001
			start resolver "$tools/echo" tcp/9002
			began=
		fi
		sleep 1
	done
}

# One backend after the other is away for a while, and comes back.
day_rolling_restart() {
	local name server
	for name in backend1 backend2 backend3; do
		going || return
		server=$(inside "$name" ss -Hltnp 'sport = :8080' | sed -n 's/.*pid=\([0-9]*\).*/\1/p')
		kill "$server"
		sleep 6
		start "$name" "$tools/echo" tcp/8080
		sleep 6
	done
}

day_load_balancer() {
	local n
	while going; do
		for n in 1 2 3 4 5 6; do
			inside lb nc -z -w 1 "$(ip_of backend$n)" 8080
		done
		sleep 1
	done
}

# 25 connections that stay, and a query now and then.
day_pool() {
	local i
	for i in {1..25}; do
		{
			while going; do
				echo 'select 1;'
				sleep 7
			done
		} | inside api psql -h "$(ip_of db)" -U shop -d postgres -At >/dev/null &
	done
	wait
}

# A page for each visitor, a session for each page.
day_pages() {
	while going; do
		inside web nc -z -w 2 "$(ip_of api)" 8080
		inside shopper curl -s -m 2 "http://$(ip_of web)/" >/dev/null
		inside api redis-cli -h "$(ip_of cache)" incr pages >/dev/null
		sleep 0.5
	done
}

day_backup() {
	sleep 10
	head -c 300M /dev/zero | inside db nc -N -w 30 "$(ip_of backup)" 873
}

# Short questions from ever new ports.
day_dns() {
	local i
	while going; do
		for i in {1..20}; do
			printf '\1\2\1\0\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1' |
				inside crowd timeout 1 nc -u -q 0 -w 1 "$(ip_of resolver)" 53 >/dev/null
		done
		sleep 1
	done
}

# Everything on its list, twice.
day_ci() {
	local round target
	for round in 1 2; do
		for target in web:80 api:8080 db:5432 cache:6379 ops:22 backend1:8080 backend2:8080 \
			backend3:8080 resolver:53 crowd:9000 exporters:9100 exporters:9101 peer1:7946; do
			inside ci nc -z -w 1 "$(ip_of "${target%:*}")" "${target#*:}"
		done
		# shellcheck disable=SC2046
		inside ci ssh $(ssh_options) "root@$(ip_of ops)" true
		inside ci psql -h "$(ip_of db)" -U shop -d postgres -Atc 'select count(*) from pg_class'
		sleep 20
	done
}

# Four peers that ask a range of addresses for more of them, and the whole network by multicast.
day_peers() {
	local name n
	while going; do
		for name in peer1 peer2 peer3 peer4; do
			for n in 1 2 3 4; do
				echo ping | inside "$name" timeout 1 nc -u -q 0 -w 1 "$(ip_of peer$n)" 7946
			done
			echo ping | inside "$name" timeout 1 nc -u -q 0 -w 1 "$(ip_of crowd)" 7946
			echo ping | inside "$name" timeout 1 nc -u -q 0 -w 1 "$(ip_of lb)" 7946
			echo ping | inside "$name" timeout 1 nc -u -q 0 -w 1 224.0.0.251 5353
		done
		sleep 2
	done
}

# Clockwork to the outside: time, and a metrics service.
day_outside() {
	while going; do
		echo time | inside lb timeout 1 nc -u -q 0 -w 1 "$world_ip" 123
		inside api nc -z -w 1 "$world_ip" 443
		sleep 3
	done
}

day_run health_checks prometheus start_up rolling_restart load_balancer pool pages backup dns ci peers outside
