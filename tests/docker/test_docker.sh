#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real containers on a user-defined bridge, the daemon inside a node namespace of its own:
# test_docker.sh BUILD ebpf|nft
BUILD=$(realpath "${1:?usage: test_docker.sh BUILD PLANE}")
plane=${2:?usage: test_docker.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"

id=sgd$$
cleanup() {
	agent_stop
	[ -z "${daemon-}" ] || "$here/tests/docker/dockerd.sh" stop "$daemon" >/dev/null
	node_down
}
trap cleanup EXIT
trap 'exit 130' INT TERM

node_up "$id"
daemon=$work/docker
if ! socket=$("$here/tests/docker/dockerd.sh" start "$daemon" "/run/netns/$id"); then
	fail "start dockerd" "$(tail -5 "$daemon/dockerd.log")"
	finish
	exit 1
fi
export DOCKER_HOST=unix://$socket
agent_start --dataplane="$plane" --docker="$socket" --remove-on-exit --adoption=5 || exit 1

# run NAME ADDRESS-SUFFIX LABEL PORT...: an echo server in a container with fixed addresses.
run() {
	local label=()
	[ -z "$3" ] || label=(--label "app=$3")
	docker run -d --name "$1" --network shop --ip "10.88.0.$2" --ip6 "fd88::$2" "${label[@]}" \
		-v "$tools:/tools:ro" segd-test /tools/echo "${@:4}" >/dev/null
}

# attempt FROM ADDRESS PORT: as seen from inside the container.
attempt() {
	docker exec "$1" /tools/probe tcp "$2" "$3" "$(patience 400)"
}

known() { # NAME...: the agent has them as enforced workloads with an IPv6 address
	segctl workloads -o json | jq -e --args \
		'[.workloads[] | select(.enforced and (.interfaces | any(.addresses | any(test(":"))))) | .name] as $known
		| $ARGS.positional - $known == []' "$@"
}

now() {
	date -u +%Y-%m-%dT%H:%M:%S.%6NZ
}

# restarted NAME TIME: what the agent knows of it has begun since.
restarted() {
	segctl workloads -o json | jq -e --arg name "$1" --arg time "$2" \
		'.workloads | any(.name == $name and .enforced and .started > $time)'
}

gone() {
	segctl workloads -o json | jq -e ".workloads | all(.name != \"$1\")"
}

echo "== four containers, no policy"
docker network create --ipv6 --subnet 10.88.0.0/24 --subnet fd88::/64 shop >/dev/null || exit 1
run web 11 web tcp/80
run api 12 api tcp/8080
run db 13 db tcp/5432
run intruder 14 "" tcp/80
check "all four are known" await 5 known web api db intruder
for address in 10.88.0. fd88::; do
	for attempt in web/12/8080 web/13/5432 api/13/5432 api/11/80 db/11/80 db/12/8080 \
		intruder/11/80 intruder/12/8080 intruder/13/5432; do
		IFS=/ read -r from to port <<<"$attempt"
		expect "$from -> $address$to:$port" open attempt "$from" "$address$to" "$port"
	done
done

echo "== the three-tier policy"
check "apply" segctl policy apply -f "$here/policies/examples/three-tier.yaml"
for address in 10.88.0. fd88::; do
	expect "web -> api:8080 ($address)" open attempt web "${address}12" 8080
	expect "api -> db:5432 ($address)" open attempt api "${address}13" 5432
	for attempt in web/13/5432 api/11/80 db/11/80 db/12/8080 intruder/11/80 intruder/12/8080 \
		intruder/13/5432; do
		IFS=/ read -r from to port <<<"$attempt"
		expect "$from -> $address$to:$port is refused" timeout \
			attempt "$from" "$address$to" "$port"
	done
done

echo "== segctl denied"
denied() {
	segctl denied -o json | jq -e ".denied | any($1)"
}
check "names source, destination, port, count" denied \
	'.source.workload == "intruder" and .destination.workload == "db" and .port == 5432 and .packets > 0'
check "names the rule, or that no rule allows" denied \
	'.source.workload == "web" and .destination.workload == "db" and (.rule.text | test("no rule"))'
check "the table names both ends" sh -c "$BUILD/segctl --socket $work/segd.sock denied | grep intruder | grep -q db"

echo "== a new container gets what its labels say, without another command"
run api2 15 api tcp/8080
check "api2 is known" await 5 known api2
expect "web -> api2:8080" open attempt web 10.88.0.15 8080
expect "api2 -> db:5432" open attempt api2 10.88.0.13 5432
expect "web -> api2 over IPv6" open attempt web fd88::15 8080
run twin 16 "" tcp/8080
check "its label-less twin is known" await 5 known twin
expect "web -> twin is refused" timeout attempt web 10.88.0.16 8080
expect "twin -> db is refused" timeout attempt twin 10.88.0.13 5432

echo "== a container on the node's own network"
doctor_finds() { # REGEX
	segctl doctor -o json | jq -e --arg what "$1" \
		'.findings | any(.check == "host-network" and .level == "warning" and (.what | test($what)))'
}
doctor_lacks() {
	segctl doctor -o json | jq -e '.findings | all(.check != "host-network")'
}
check "the doctor knows of none" doctor_lacks
docker run -d --name bare --network host -v "$tools:/tools:ro" segd-test /tools/echo tcp/8099 >/dev/null
check "and names the one that has come" await 5 doctor_finds '/bare shares the network of the node'
docker rm -f bare >/dev/null
check "until it is gone" await 5 doctor_lacks

echo "== an address reused by another container inherits nothing"
docker rm -f api2 >/dev/null
check "api2 is gone" await 5 gone api2
run heir 15 "" tcp/8080
check "the heir is known" await 5 known heir
expect "web -> heir is refused" timeout attempt web 10.88.0.15 8080
expect "heir -> db is refused" timeout attempt heir 10.88.0.13 5432

echo "== restart, second network"
before=$(now)
docker restart -t 0 db >/dev/null
check "db is known again" await 5 restarted db "$before"
expect "api -> db after its restart" open attempt api 10.88.0.13 5432
expect "intruder -> db after its restart" timeout attempt intruder 10.88.0.13 5432
docker network create --subnet 10.89.0.0/24 back >/dev/null
docker network connect --ip 10.89.0.13 back db
docker network connect --ip 10.89.0.12 back api
docker network connect --ip 10.89.0.14 back intruder
has_two() {
	segctl workloads -o json |
		jq -e "[.workloads[] | select(.interfaces | length == 2) | .name] | sort == [\"api\", \"db\", \"intruder\"]"
}
check "the second network is known" await 5 has_two
expect "api -> db over the second network" open attempt api 10.89.0.13 5432
expect "intruder -> db over the second network is refused" timeout attempt intruder 10.89.0.13 5432

echo "== a third network, and one less, while they run"
docker network create --subnet 10.90.0.0/24 third >/dev/null
docker network connect --ip 10.90.0.13 third db
docker network connect --ip 10.90.0.14 third intruder
networks() { # NAME COUNT
	segctl workloads -o json |
		jq -e ".workloads[] | select(.name == \"$1\") | .interfaces | length == $2"
}
check "db is on three" await 5 networks db 3
check "intruder, too" await 5 networks intruder 3
for network in 88 89 90; do
	expect "intruder -> db over 10.$network is refused" timeout \
		attempt intruder "10.$network.0.13" 5432
done
docker network disconnect back db
check "db is on two again" await 5 networks db 2
expect "api -> db over what is left" open attempt api 10.88.0.13 5432
expect "intruder -> db over the third is refused still" timeout attempt intruder 10.90.0.13 5432

echo "== kill -9 of the agent"
agent_kill
expect "what was refused stays refused" timeout attempt intruder 10.88.0.13 5432
expect "what was allowed passes" open attempt web 10.88.0.12 8080
agent_start --dataplane="$plane" --docker="$socket" --remove-on-exit --adoption=5 || exit 1
expect "refused after the restart" timeout attempt intruder 10.88.0.13 5432
expect "allowed after the restart" open attempt web 10.88.0.12 8080

echo "== quarantine: of the name, of the container, through restarts"
isolated() { # NAME: by the agent's own word
	segctl workloads -o json | jq -e ".workloads | any(.name == \"$1\" and .enforced and .quarantine != null)"
}
expect "before it web -> api" open attempt web 10.88.0.12 8080
expect "and the node -> api" open probe "$id" tcp 10.88.0.12 8080
check "api is quarantined" segctl quarantine add api --reason "docker test"
expect "web -> api is refused" timeout attempt web 10.88.0.12 8080
expect "node -> api is refused" timeout probe "$id" tcp 10.88.0.12 8080
expect "api -> db is refused" timeout attempt api 10.88.0.13 5432
before=$(now)
docker restart -t 0 api >/dev/null
check "restarted, it is known again" await 5 restarted api "$before"
check "and quarantined still" await 5 isolated api
expect "web -> api is refused" timeout attempt web 10.88.0.12 8080
expect "api -> db is refused" timeout attempt api 10.88.0.13 5432
docker rename api evidence
check "renamed, too" await 5 isolated evidence
expect "web -> evidence is refused" timeout attempt web 10.88.0.12 8080
docker rename evidence api
docker rm -f api >/dev/null
check "it is gone" await 5 gone api
run api 12 api tcp/8080
check "made anew under its name, too" await 5 isolated api
expect "web -> the new api is refused" timeout attempt web 10.88.0.12 8080
check "its end" segctl quarantine remove api
expect "web -> api" open attempt web 10.88.0.12 8080
expect "api -> db" open attempt api 10.88.0.13 5432

finish
