# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Part of cli.sh: a recorded flow log read without an agent. Every filter against jq over the same
# file, every format against its golden file or by what its standard demands.

log=$here/tests/unit/flow/data/flows.log

# narrows JQ-CONDITION FILTER...: segctl shows exactly the records for which jq finds the condition
# true; some of them, not all.
narrows() {
	local wanted shown
	wanted=$(jq -rs "[.[] | select(.event != \"gap\") | select($1) | .id] | join(\" \")" "$log")
	shown=$(segctl flows -r "$log" "${@:2}" -o json |
		jq -r '[.flows[] | select(.event != "gap") | .id] | join(" ")')
	if [ "$shown" = "$wanted" ] && [ -n "$wanted" ] && [ "$(wc -w <<<"$wanted")" -lt 12 ]; then
		pass "flows ${*:2}: $(wc -w <<<"$wanted") of 12"
	else
		fail "flows ${*:2}" "expected: $wanted" "got:      $shown"
	fi
}

echo "== a recorded log: filters"
narrows '.source.workload == "web"' --from web
narrows '.source.workload == "web" and .source.namespace == "blog"' --from blog/web
narrows '.source.entity == "host"' --from host
narrows '.destination.entity == "world"' --to world
narrows '.destination.ip == "192.0.2.80"' --to 192.0.2.80
narrows '[.source, .destination] | any(.workload == "db")' --workload db
narrows '[.source, .destination] | any(.workload == "db")' db
narrows '[.source, .destination] | any(.labels.app == "db")' --label app=db
narrows '[.source, .destination] | any(.labels // {} | has("note"))' --label note
narrows '[.source, .destination] | any(.namespace == "blog")' --namespace blog
narrows '.destination.port == 5432' --port 5432
narrows '.destination.port == 5432 or .destination.port == 443' --port 5432 --port 443
narrows '.protocol == "udp"' --protocol udp
narrows '.protocol == "arp"' --protocol arp
narrows '.verdict == "denied"' --verdict denied
narrows '.verdict == "audited"' --verdict audited
narrows '.rule.name == "db-from-api"' --rule db-from-api
narrows '.rule.name == "db-from-api" and .rule.namespace == "shop"' --rule shop/db-from-api
narrows '.reason == "spoofed_arp"' --reason spoofed_arp
narrows '.time >= "2026-11-21T08:00:05"' --since 2026-11-21T08:00:05Z
narrows '.time <= "2026-11-21T08:00:05.000000Z"' --until 2026-11-21T09:00:05+01:00
narrows '.time >= "2026-11-21T08:00:03" and .time <= "2026-11-21T08:00:08.000000Z"' \
	--since 2026-11-21T08:00:03Z --until 2026-11-21T08:00:08Z
narrows '[.source, .destination] | any(.ip | startswith("198.51.100."))' --cidr 198.51.100.0/24
narrows '.source.workload == "web" and .destination.port == 5432 and .verdict == "denied"' \
	--from web --port 5432 --verdict denied
expect "the newest so many" "$(tail -n 3 "$log" | jq -sc 'map(.id)')" sh -c \
	"'$BUILD/segctl' flows -r '$log' --limit 3 -o json | jq -c '[.flows[].id]'"
expect "also one a line" "$(tail -n 3 "$log" | jq -sc 'map(.id)')" sh -c \
	"'$BUILD/segctl' flows -r '$log' --limit 3 -o jsonl | jq -sc 'map(.id)'"
expect "what is lost could have been anything" 1 sh -c \
	"'$BUILD/segctl' flows -r '$log' --to nobody -o json | jq '[.flows[] | select(.event == \"gap\")] | length'"
says "a filter that makes no sense" 2 '--port "http": expected a number' \
	segctl flows -r "$log" --port http
says "a time that is none" 2 '--since "yesterday": expected a time' segctl flows --since yesterday
says "a log and the agent at once" 2 "--follow is of the agent" segctl flows -r "$log" --follow

echo "== a recorded log: formats"
# Tables leave out this year's number.
sed 's/2026-/2021-/g' "$log" >"$work/past.log"
COLUMNS=80 golden log.txt segctl flows -r "$work/past.log" --utc
golden log-wide.txt segctl flows -r "$log" -o wide --utc
golden log.csv segctl flows -r "$log" -o csv
expect "numbers beyond what a double holds are exact" 9007199254740993 sh -c \
	"head -n 1 '$log' | jq -c '.bytes = [9007199254740990, 3]' | '$BUILD/segctl' flows -r - -o csv | sed 1d | cut -d, -f20"
golden log.ocsf segctl flows -r "$log" -o ocsf
golden log.ecs segctl flows -r "$log" -o ecs
COLUMNS=80 golden log-denied.txt segctl denied -r "$work/past.log" --utc
expect "jsonl is the log as it is" "$(jq -c . "$log" | md5sum)" sh -c \
	"'$BUILD/segctl' flows -r '$log' -o jsonl 2>/dev/null | md5sum"
expect "json holds the same" "$(jq -sc . "$log" | md5sum)" sh -c \
	"'$BUILD/segctl' flows -r '$log' -o json | jq -c .flows | md5sum"
expect "csv has as many fields in each line" 1 sh -c \
	"'$BUILD/segctl' flows -r '$log' -o csv 2>/dev/null | tr -d '\"\\r' | awk -F, '{ print NF }' | sort -u | wc -l"
ocsf_holds() {
	segctl flows -r "$log" -o ocsf | jq -es "$1" >/dev/null
}
check "OCSF: what the base event demands" ocsf_holds 'all(.[]; (.time | type) == "number" and
	.metadata.version == "1.4.0" and .metadata.product.vendor_name and (.severity_id | type) == "number"
	and .type_uid == .class_uid * 100 + .activity_id and (.category_uid | type) == "number")'
check "OCSF: each flow is Network Activity, with ends and direction" ocsf_holds \
	'[.[] | select(.class_uid == 4001)] | length == 12 and all(.[]; .category_uid == 4 and
	.src_endpoint.ip and .dst_endpoint.ip and (.connection_info.direction_id | type) == "number" and
	.action_id <= 2 and .disposition_id > 0)'
check "OCSF: the gap is told, as no flow" ocsf_holds '[.[] | select(.class_uid == 0)] | length == 1'
check "OCSF: time in milliseconds" ocsf_holds '.[0].time == 1795248001000'
check "OCSF: counts are those of the log" ocsf_holds \
	"(map(.traffic.packets // 0) | add) == $(jq -s 'map(.packets // [0] | add) | add' "$log")"
ecs_holds() {
	segctl flows -r "$log" -o ecs | jq -es "$1" >/dev/null
}
check "ECS: what every event has" ecs_holds \
	'all(.[]; .["@timestamp"] and .ecs.version and .event.kind and .event.outcome)'
check "ECS: categories and types are of its lists" ecs_holds 'all(.[] | select(.event.kind == "event");
	.event.category == ["network"] and (.event.type - ["connection", "allowed", "denied", "start", "end",
	"info"]) == [] and (.event.type | index("allowed") or index("denied")))'
check "ECS: counts are those of the log" ecs_holds \
	"(map(.network.bytes // 0) | add) == $(jq -s 'map(.bytes // [0] | add) | add' "$log")"
check "ECS: labels are flat" ecs_holds 'all(.[]; (.labels // {}) | all(.[]; type == "string") and
	all(keys[]; contains(".") | not))'

echo "== a recorded log: files"
mkdir -p "$work/log"
sed -n 1,5p "$log" | zstd -qc >"$work/log/flows-20261121T080004.000000Z.log.zst"
sed -n 6,9p "$log" >"$work/log/flows-20261121T080006.000000Z.log"
sed -n '10,$p' "$log" >"$work/log/flows.log"
echo '{"half": ' >"$work/log/flows-20261121T080006.000000Z.log.zst.part"
expect "a directory is the whole log in order" "$(jq -c . "$log" | md5sum)" sh -c \
	"'$BUILD/segctl' flows -r '$work/log' -o jsonl | md5sum"
cp -r "$work/log" "$work/packing"
zstd -qc "$work/log/flows-20261121T080006.000000Z.log" >"$work/packing/flows-20261121T080006.000000Z.log.zst"
expect "once, while one of its files is there twice" "$(jq -c . "$log" | md5sum)" sh -c \
	"'$BUILD/segctl' flows -r '$work/packing' -o jsonl | md5sum"
turning=$work/turning
mkdir "$turning"
mkfifo "$turning/flows-20261121T080004.000000Z.log"
sed -n 6,9p "$log" >"$turning/flows-20261121T080006.000000Z.log"
sed -n '10,$p' "$log" >"$turning/flows.log"
segctl flows -r "$turning" -o jsonl >"$work/turned" &
exec {pipe}>"$turning/flows-20261121T080004.000000Z.log" # it reads the first of them
zstd -q --rm "$turning/flows-20261121T080006.000000Z.log"
mv "$turning/flows.log" "$turning/flows-20261121T080008.000000Z.log"
: >"$turning/flows.log"
sed -n 1,5p "$log" >&"$pipe"
exec {pipe}>&-
wait $!
expect "and whole, while the agent turns to another file" "$(jq -c . "$log" | md5sum)" sh -c "md5sum <'$work/turned'"
expect "standard input" 13 sh -c "'$BUILD/segctl' flows -r - -o jsonl <'$log' | wc -l"
expect "several files" 26 sh -c "'$BUILD/segctl' flows -r '$log' -r '$log' -o jsonl | wc -l"
says "a file that is not there" 1 "read /nowhere: No such file" segctl flows -r /nowhere -o jsonl
head -c 100 /dev/urandom | tail -c 60 | cat <(printf '\x28\xb5\x2f\xfd') - >"$work/noise.zst"
says "a file that is no log" 1 "is no flow log, or damaged" segctl flows -r "$work/noise.zst" -o jsonl
mkdir "$work/hurt"
cp "$work/log"/* "$work/hurt"
cp "$work/noise.zst" "$work/hurt/flows-20261121T080000.000000Z.log.zst"
cp "$work/noise.zst" "$work/hurt/flows-20261121T080005.000000Z.log.zst"
hurt=("$BUILD/segctl" flows -r "$work/hurt" -o jsonl)
expect "damaged files of a directory do not hide the others" "$(jq -c . "$log" | md5sum)" sh -c \
	'"$@" 2>/dev/null | md5sum' sh "${hurt[@]}"
expect "each is told" 2 sh -c '"$@" 2>&1 >/dev/null | grep -c "080[0-9]*.000000Z.log.zst is no flow log"' sh "${hurt[@]}"
exits "also by the exit code" 1 "${hurt[@]}"
expect "detectors read the others, too" "$(segctl detect -r "$work/log" -o json | jq '.alerts | length')" sh -c \
	"'$BUILD/segctl' detect -r '$work/hurt' -o json 2>/dev/null | jq '.alerts | length'"
says "lines that are no records" 1 "2 lines are no flow record" \
	sh -c "printf '{}\\nhello\\n' | '$BUILD/segctl' flows -r - -o jsonl"
expect "nothing of that time" "no flows since 2030-01-01 00:00:00" segctl flows -r "$work/log/flows.log" \
	--since 2030-01-01T00:00:00Z

echo "== a recorded log: records that lack something"
echo '{"event": "denied", "verdict": "denied", "reason": "policy_denied", "packets": 3}' >"$work/bare.log"
check "a record without ends is a flow" sh -c "'$BUILD/segctl' flows -r '$work/bare.log' | grep -q denied"
expect "and a refusal" "3 null" sh -c "'$BUILD/segctl' denied -r '$work/bare.log' -o json |
	jq -r '.denied[0] | \"\(.packets) \(.source)\"'"
check "also in the table" sh -c "'$BUILD/segctl' denied -r '$work/bare.log' | grep -q 'no policy\|policy refuses'"

echo "== a recorded log: hostile names"
for name in '=HYPERLINK(\"x\")' '+1' '-1' '@SUM(A1)' 'a\u001b[31mb' 'a\u009b31mb' 'a\u007fb' 'a\r\nb' 'b\u00fccher,db'; do
	head -n 1 "$log" | jq -c ".source.workload = \"$name\""
done >"$work/hostile.log"
expect "csv gives a spreadsheet no formula, and a terminal nothing to obey" '"'"'"'=HYPERLINK(""x"")"
"'"'"'+1"
"'"'"'-1"
"'"'"'@SUM(A1)"
a?[31mb
a?31mb
a?b
"a??b"
"bücher,db"' sh -c "'$BUILD/segctl' flows -r '$work/hostile.log' -o csv | sed 1d | cut -d, -f 10-11 | sed 's/,10.77.*//'"
for form in json jsonl ocsf ecs; do
	expect "$form is ASCII" 0 sh -c "'$BUILD/segctl' flows -r '$work/hostile.log' -o $form | LC_ALL=C grep -cP '[^ -\x7f]'"
done
expect "and says the same" "$(jq -c . "$work/hostile.log" | md5sum)" sh -c \
	"'$BUILD/segctl' flows -r '$work/hostile.log' -o jsonl | jq -c . | md5sum"
jq -c . "$work/hostile.log" >"$work/agent/GET/v1/flows.stream"
follow 9 "$work/follow" "$BUILD/segctl" flows --follow -o jsonl
expect "so does a stream" "9 0" sh -c "echo \$(wc -l <'$work/follow') \$(LC_ALL=C grep -cP '[^ -\x7f]' '$work/follow')"

echo "== a recorded log: names and applications"
{
	head -n 1 "$log"
	head -n 1 "$log" | jq -c '.destination = {ip: "192.0.2.80", port: 443, entity: "world",
		names: ["api.example.org", "cdn.example.net"]} | .application = "tls" |
		.server_name = "api.example.org" | .id = "00000000000000aa"'
} >"$work/names.log"
for name in api.example.org API.Example.ORG world:cdn.example.net 192.0.2.80 world; do
	expect "flows --to $name" 00000000000000aa sh -c \
		"'$BUILD/segctl' flows -r '$work/names.log' --to '$name' -o json | jq -r '.flows[].id'"
done
expect "no other name" 0 sh -c \
	"'$BUILD/segctl' flows -r '$work/names.log' --to example.org -o json | jq '.flows | length'"
check "the table has the name in place of the address" sh -c \
	"COLUMNS=80 '$BUILD/segctl' flows -r '$work/names.log' | grep -q 'shop/web *api.example.org *tcp/443'"
check "-o wide both, and what is spoken" sh -c "'$BUILD/segctl' flows -r '$work/names.log' -o wide |
	grep -q 'api.example.org (192.0.2.80) .* tls for api.example.org '"
expect "csv" "api.example.org,tls,api.example.org" sh -c \
	"'$BUILD/segctl' flows -r '$work/names.log' -o csv | tail -1 | tr -d '\r' | cut -d, -f25-27"
expect "OCSF" "api.example.org tls" sh -c "'$BUILD/segctl' flows -r '$work/names.log' -o ocsf | tail -1 |
	jq -r '\"\(.dst_endpoint.hostname) \(.app_name)\"'"
expect "ECS" "api.example.org tls" sh -c "'$BUILD/segctl' flows -r '$work/names.log' -o ecs | tail -1 |
	jq -r '\"\(.destination.domain) \(.network.protocol)\"'"
