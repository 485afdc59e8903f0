# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A small shop to attack: nginx, PostgreSQL, Redis and sshd from Debian, each in a namespace of its own
# with private directories; a world outside, behind the node; and whoever else a suite adds. Source it
# behind tests/lib.sh. Every address exists in these namespaces only.

world_ip=198.51.100.9
other_world_ip=198.51.100.10
metadata_ip=169.254.169.254
declare -A number=() # of workloads: 10.77.0.NUMBER
next_number=10

# member NAME [LABELS]: one more workload; a role of its own unless LABELS say otherwise.
member() {
	next_number=$((next_number + 1))
	number[$1]=$next_number
	workload_up "$id-$1" "$next_number" "$1" "${2-app: $1}"
}

ip_of() {
	echo "10.77.0.${number[$1]}"
}

# inside NAME COMMAND...: as the workload.
inside() {
	in_ns "$id-$1" "${@:2}"
}

# start NAME COMMAND...: a service there, until node_down.
start() {
	spawn "$id-$1" "${@:2}" >>"$work/services.log" 2>&1
}

# The world: an address of documentation, one more, and the cloud's metadata.
world_up() {
	ip netns add "$id-world" || return 1
	namespaces+=("$id-world")
	ip -n "$node" link add veworld type veth peer name eth0 netns "$id-world"
	ip -n "$node" addr add 198.51.100.1/24 dev veworld
	ip -n "$node" link set veworld up
	ip -n "$node" route add "$metadata_ip/32" via "$world_ip"
	ip -n "$id-world" link set lo up
	ip -n "$id-world" addr add "$world_ip/24" dev eth0
	ip -n "$id-world" addr add "$other_world_ip/24" dev eth0
	ip -n "$id-world" addr add "$metadata_ip/32" dev lo
	ip -n "$id-world" link set eth0 up
	ip -n "$id-world" route add default via 198.51.100.1
	start world "$tools/echo" tcp/80 tcp/443 tcp/8443 udp/123
}

# listens NAME PORT: somebody has the TCP port open there.
listens() {
	inside "$1" ss -Hltn "sport = :$2" | grep -q .
}

nginx_up() {
	local home=$work/nginx
	mkdir -p "$home"
	cat >"$home/nginx.conf" <<-END
		user root;
		worker_processes 1;
		master_process off;
		daemon off;
		pid $home/pid;
		error_log $home/error.log;
		events { worker_connections 256; }
		http {
			access_log off;
			client_body_temp_path $home/body;
			proxy_temp_path $home/proxy;
			fastcgi_temp_path $home/fastcgi;
			uwsgi_temp_path $home/uwsgi;
			scgi_temp_path $home/scgi;
			server { listen 80; listen [::]:80; location / { return 200 "shop\n"; } }
		}
	END
	start "$1" nginx -p "$home" -c "$home/nginx.conf"
	await 20 listens "$1" 80
}

# Trust for all but one user: what is looked at is who may come, not who knows a password.
postgres_up() {
	local home=$work/postgres bin
	bin=$(echo /usr/lib/postgresql/*/bin)
	chmod 711 "$work"
	install -d -o postgres -g postgres -m 700 "$home"
	(cd / && runuser -u postgres -- "$bin/initdb" -D "$home/data" -A trust --no-sync -U shop) \
		>"$work/initdb.log" 2>&1 || return 1
	echo 'host all all 0.0.0.0/0 trust' >>"$home/data/pg_hba.conf"
	start "$1" runuser -u postgres -- "$bin/postgres" -D "$home/data" -c listen_addresses='*' \
		-c unix_socket_directories="$home" -c fsync=off -c ssl=off -c shared_buffers=4MB
	await 30 listens "$1" 5432
}

redis_up() {
	start "$1" redis-server --port 6379 --bind 0.0.0.0 --protected-mode no --dir "$work" --save ''
	await 20 listens "$1" 6379
}

# sshd_up NAME...: one configuration and key for all.
sshd_up() {
	local home=$work/ssh name
	mkdir -p "$home" /run/sshd
	[ -e "$home/host" ] || ssh-keygen -q -t ed25519 -N '' -f "$home/host"
	[ -e "$home/key" ] || ssh-keygen -q -t ed25519 -N '' -f "$home/key"
	cp "$home/key.pub" "$home/authorized"
	cat >"$home/sshd_config" <<-END
		HostKey $home/host
		AuthorizedKeysFile $home/authorized
		PidFile none
		StrictModes no
		UsePAM no
		PasswordAuthentication yes
		PermitRootLogin prohibit-password
		AllowTcpForwarding yes
		MaxStartups 100
		LogLevel ERROR
		Subsystem sftp internal-sftp
	END
	for name in "$@"; do
		start "$name" /usr/sbin/sshd -D -e -f "$home/sshd_config"
	done
	for name in "$@"; do
		await 20 listens "$name" 22
	done
}

ssh_options() {
	echo "-i $work/ssh/key -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null" \
		"-o LogLevel=ERROR -o ConnectTimeout=5 -o BatchMode=yes"
}

# The shop with its usual customers: web, api, db, cache, ops. SHOP=small: of echo servers.
shop_up() {
	member web
	member api
	member db
	member cache
	member ops
	world_up || return 1
	start api "$tools/echo" tcp/8080
	if [ "${SHOP-}" = small ]; then
		start web "$tools/echo" tcp/80
		start db "$tools/echo" tcp/5432
		start cache "$tools/echo" tcp/6379
		start ops "$tools/echo" tcp/22
		await 5 listens ops 22
		return
	fi
	nginx_up web || return 1
	redis_up cache || return 1
	postgres_up db || return 1
	sshd_up ops
}

# What the shop does all day, once.
business() {
	inside web nc -z -w 2 "$(ip_of api)" 8080
	inside api psql -h "$(ip_of db)" -U shop -d postgres -Atc 'select 1'
	inside api redis-cli -h "$(ip_of cache)" ping
	inside api curl -s -m 3 "http://$(ip_of web)/"
} >/dev/null 2>&1
