#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# segctl denied --suggest: what it prints passes lint, is applied as it is, allows what was refused, over
# the wire, and nothing else. test_suggest.sh BUILD ebpf|nft
BUILD=${1:?usage: test_suggest.sh BUILD PLANE}
plane=${2:?usage: test_suggest.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgs$$
declare -A number=([web]=11 [web2]=12 [db]=13 [intruder]=14 [nobody]=15 [out]=50)
node_up "$id"
workload_up "$id-web" 11 web-7f9c4d5b6c-x2x4z "app: web, env: prod, pod-template-hash: 7f9c4d5b6c"
workload_up "$id-web2" 12 web-7f9c4d5b6c-q8v7w "app: web, env: prod, pod-template-hash: 7f9c4d5b6c"
workload_up "$id-db" 13 db "app: db, env: prod"
workload_up "$id-intruder" 14 intruder "app: intruder"
workload_up "$id-nobody" 15 nobody ""
cp "$work/workloads.yaml" "$work/listed.yaml"
workload_up "$id-out" 50 out "" # not listed: the world
cp "$work/listed.yaml" "$work/workloads.yaml"
serve "$id-db" tcp/5432 tcp/5433 tcp/22
serve "$id-out" tcp/443
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" \
	--remove-on-exit --adoption=0 || exit 1

tcp() { # FROM TO PORT [6]
	probe "$id-$1" tcp "$([ "${4-}" = 6 ] && echo fd77:: || echo 10.77.0.)${number[$2]}" "$3"
}

suggest() {
	segctl denied --suggest "$@"
}

policy() { # NAME SPEC: applies it
	printf 'apiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: %s}\nspec: %s\n' "$1" "$2" |
		segctl policy apply -f -
}

echo "== nothing was refused"
expect "web -> db:5432 passes without a policy" open tcp web db 5432
expect "web -> out:443 passes without a policy" open tcp web out 443
check "says that nothing was" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' denied --suggest |
	grep -q '^# no denied flows since'"

echo "== both ends refuse"
policy default-deny '{subject: "*", ingress: [], egress: []}' >"$work/out"
for family in 4 6; do
	expect "web -> db:5432 is refused (IPv$family)" timeout tcp web db 5432 $family
done
expect "intruder -> db:5432 is refused" timeout tcp intruder db 5432
suggest --from "web-7f9c4d5b6c-x2x4z" --to db >"$work/suggested.yaml"
check "two policies, one an end" sh -c "[ \$(grep -c '^kind: SegmentPolicy' '$work/suggested.yaml') = 2 ]"
check "by what they are, not by hash" grep -q 'subject: app=web$' "$work/suggested.yaml"
check "the other end likewise" grep -q 'to: \[{workloads: app=db}\]' "$work/suggested.yaml"
check "no hash anywhere but in names" sh -c "! grep -v '^#' '$work/suggested.yaml' | grep -q 7f9c4d5b6c"
check "the refusal is told" grep -q '^# default/web-.* -> default/db tcp/5432, ' "$work/suggested.yaml"
check "lint accepts them" segctl policy lint --agent --strict -f "$work/suggested.yaml"
segctl policy diff -f "$work/suggested.yaml" -o json >"$work/diff"
expect "a diff shows this pair and port alone" '["default/web-7f9c4d5b6c-q8v7w","default/web-7f9c4d5b6c-x2x4z"] ["default/db"] ["tcp/5432"]' \
	jq -r '[.changes[].from[]] as $from | [.changes[].to[]] as $to | [.changes[].ports[]] as $ports |
	"\($from | unique | tojson) \($to | unique | tojson) \($ports | unique | tojson)"' "$work/diff"
check "apply" segctl policy apply -f "$work/suggested.yaml"
for family in 4 6; do
	expect "web -> db:5432 passes now (IPv$family)" open tcp web db 5432 $family
done
expect "so it does for the other replica" open tcp web2 db 5432
expect "another port stays refused" timeout tcp web db 5433
expect "others stay refused" timeout tcp intruder db 5432
expect "the way back stays refused" timeout tcp db web 80

echo "== several ports and peers, one policy a subject"
expect "web -> db:22 is refused" timeout tcp web db 22
suggest --to db >"$work/suggested.yaml"
expect "db has one policy" 1 grep -c 'subject: app=db' "$work/suggested.yaml"
expect "web has one" 1 grep -c 'subject: app=web' "$work/suggested.yaml"
check "neighbouring ports are a range, others are listed" \
	grep -qF 'ports: [tcp/22, tcp/5433]' "$work/suggested.yaml"
check "what is allowed already is said to be" grep -q 'not suggested: .*db tcp/5432.*policy allows it now' \
	"$work/suggested.yaml"
check "apply" segctl policy apply -f "$work/suggested.yaml"
expect "web -> db:22 passes now" open tcp web db 22
expect "intruder -> db:5432 passes now" open tcp intruder db 5432
expect "intruder -> db:22 stays refused" timeout tcp intruder db 22

expect "ping web -> db is refused" 1 sh -c "nsenter --net=/run/netns/$id-web ping -c 1 -W 1 10.77.0.13 >/dev/null; echo \$?"
suggest --protocol icmp >"$work/suggested.yaml"
check "a ping is an echo-request" grep -qF 'ports: [icmp/echo-request]' "$work/suggested.yaml"
check "apply" segctl policy apply -f "$work/suggested.yaml"
check "ping web -> db passes now" in_ns "$id-web" ping -c 1 -W 1 10.77.0.13

echo "== the world"
expect "web -> out:443 is refused" timeout tcp web out 443
expect "web -> out:443 is refused over IPv6" timeout tcp web out 443 6
suggest --to 10.77.0.50 --to fd77::50 >"$work/suggested.yaml"
check "by address" grep -qF 'to: [{cidr: "fd77::50/128"}, {cidr: 10.77.0.50/32}]' "$work/suggested.yaml"
check "named after what it is for" grep -q 'name: web-to-outside' "$work/suggested.yaml"
check "the near miss is told" grep -q '^#   nearest: SegmentPolicy default/web-' "$work/suggested.yaml"
check "apply" segctl policy apply -f "$work/suggested.yaml"
expect "web -> out:443 passes now" open tcp web out 443
expect "web -> out:443 passes over IPv6" open tcp web out 443 6

echo "== what cannot be suggested"
policy no-ssh '{subject: app=db, tier: admin, ingress: [{action: deny, ports: [tcp/22]}]}' >"$work/out"
expect "web -> db:22 is refused by the admin tier" timeout tcp web db 22
exits "nothing to suggest is told by the exit code" 1 suggest --from web-7f9c4d5b6c-x2x4z --port 22 --rule no-ssh
check "the rule is named" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' denied --suggest --rule no-ssh |
	grep -q 'SegmentPolicy no-ssh ingress\[0\] denies it in the admin tier'"
check "a policy of no namespace is deleted by its name" segctl policy delete SegmentPolicy no-ssh
policy never '{subject: app=db, ingress: [{action: deny, from: [{workloads: app=intruder}]}]}' >"$work/out"
expect "intruder -> db:5432 is denied by a rule" timeout tcp intruder db 5432
check "deny beats allow" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' denied --suggest --rule never |
	grep -q 'deny beats allow inside the tier'"
expect "nobody -> db:5432 is refused" timeout tcp nobody db 5432
check "a workload without labels can be no subject" sh -c "'$BUILD/segctl' --socket '$work/segd.sock' \
	denied --suggest --from nobody | grep -q 'nobody has no label that says what it is'"

echo "== a baseline, where nothing isolates"
segctl policy get -o yaml >"$work/all.yaml"
segctl policy delete -f "$work/all.yaml" >"$work/out"
policy floor '{subject: app=db, tier: baseline, priority: 50, ingress: [{action: deny, ports: [tcp/5432, tcp/5433]}]}' \
	>"$work/out"
expect "db:22 is nobody's business" open tcp intruder db 22
expect "intruder -> db:5432 is refused by the baseline" timeout tcp intruder db 5432
suggest --from intruder --rule floor >"$work/suggested.yaml"
check "a baseline rule before it" grep -q 'priority: 49' "$work/suggested.yaml"
check "apply" segctl policy apply -f "$work/suggested.yaml"
expect "intruder -> db:5432 passes now" open tcp intruder db 5432
expect "others stay refused" timeout tcp web db 5432
expect "another port stays refused" timeout tcp intruder db 5433
expect "and nothing got isolated" open tcp web db 22

echo "== the node as a subject"
segctl policy get -o yaml >"$work/all.yaml"
segctl policy delete -f "$work/all.yaml" >"$work/out"
serve "$node" tcp/9100 tcp/9101
reach_node() { # FROM PORT
	probe "$id-$1" tcp 10.77.0.1 "$2"
}
expect "db -> host:9100 passes without a policy" open reach_node db 9100
policy node-in '{subject: entity:host, ingress: [{from: [{workloads: app=web}], ports: [tcp/9100]}]}' >"$work/out"
expect "db -> host:9100 is refused" timeout reach_node db 9100
# Offline it takes the addresses of the machine that it runs on.
in_ns "$node" "$BUILD/segctl" --socket "$work/segd.sock" denied --suggest --to host --from db >"$work/suggested.yaml"
check "its subject is the node" grep -q 'subject: entity:host' "$work/suggested.yaml"
check "apply" segctl policy apply -f "$work/suggested.yaml"
expect "db -> host:9100 passes now" open reach_node db 9100
expect "another port stays refused" timeout reach_node db 9101
expect "others stay refused" timeout reach_node intruder 9100

finish
