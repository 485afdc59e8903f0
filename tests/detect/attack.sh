#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# attack.sh BUILD ebpf|nft open|closed [learnt|new] [NAME...]: the shop is attacked in all ways at once;
# each must be found as what it is. Prints a line for each:
#   NAME|PLANE|POLICY|BASELINE|DETECTOR|TECHNIQUE|SEVERITY|SECONDS|COUNT|found or missed
# COUNT and SECONDS (from the start of the tool) are those of the first alert. The offline run over the
# flow log must give the same alerts. KEEP=dir: the flow log is copied there.
BUILD=${1:?usage: attack.sh BUILD ebpf|nft open|closed [learnt|new] [NAME...]}
plane=${2:?ebpf or nft}
posture=${3:?open or closed}
history=${4:-learnt}
selection=("${@:5}")
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
# shellcheck source=tests/detect/shop.sh
. "$here/tests/detect/shop.sh"
# shellcheck source=tests/detect/attacks.sh
. "$here/tests/detect/attacks.sh"
trap node_down EXIT
trap 'exit 130' INT TERM HUP
id=attack-$$

# chosen NAME WHEN
chosen() {
	case "$2" in
	open) [ "$posture" = open ] || return 1 ;;
	closed) [ "$posture" = closed ] || return 1 ;;
	learnt) [ "$history" = learnt ] || return 1 ;;
	esac
	[ ${#selection[@]} = 0 ] || [[ " ${selection[*]} " = *" $1 "* ]]
}

wanted=()
for attack in "${attacks[@]}"; do
	IFS='|' read -r name actor detector technique when what <<<"$attack"
	chosen "$name" "$when" && wanted+=("$attack")
done

node_up "$id" || exit 1
shop_up || { tail -5 "$work"/*.log >&2; exit 1; }
for attack in "${wanted[@]}"; do
	IFS='|' read -r name actor detector technique when what <<<"$attack"
	actor=${actor%%[*}
	[ -n "${number[$actor]-}" ] || member "$actor"
done
for name in spread1 spread2 spread3; do
	member "$name"
done
if [ "${SHOP-}" != small ]; then
	for name in hop1 hop2 socat jumper jump proxied proxy; do
		[ -n "${number[$name]-}" ] || member "$name"
	done
fi
start world "$tools/echo" tcp/6443
[ "${SHOP-}" = small ] || sshd_up jump
[ "${SHOP-}" = small ] || start world /usr/sbin/sshd -D -e -f "$work/ssh/sshd_config"

cat >"$work/detect.yaml" <<-END
	learning: $([ "$history" = learnt ] && echo 6s || echo 7d)
	beacon.shortest: 0.3
END
agent_start --dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit \
	--adoption=0 --detect-settings="$work/detect.yaml" || exit 1
segctl policy apply -f "$here/tests/detect/$posture.yaml" >"$work/apply.log" || exit 1

# Everybody looks at the shop, so that it is known who is behind which interface.
introduce() {
	local name guests=()
	for name in "${!number[@]}"; do
		inside "$name" nc -z -w 5 "$(ip_of web)" 80 &
		guests+=("$!")
	done
	wait "${guests[@]}"
}
# What everybody does before, until it is known what is usual.
first_days() {
	business
	sleep 11 # an update of a connection is a record only so long after its last one
	await 20 is_learnt || return 1
	business
}
is_learnt() {
	segctl map >/dev/null # so that counters are told
	[ "$(segctl baseline show default/api -o json | jq '[.roles[].edges[]] | length')" -ge 3 ] &&
		[ "$(segctl baseline show default/web -o json | jq '[.roles[].edges[]] | length')" -ge 1 ]
}
introduce
[ "$history" != learnt ] || first_days || { echo "nothing was learnt" >&2; exit 1; }

segctl alerts --follow -o jsonl 2>>"$work/follow.log" |
	while read -r line; do echo "$EPOCHREALTIME $line"; done >"$work/told" &
children+=("$!")
sleep 0.3
alerts_before=$(segctl alerts --all -o json | jq '.alerts | length')
[ "$alerts_before" = 0 ] || segctl alerts --all -o wide >&2

mkdir -p "$work/begun"
running=()
for attack in "${wanted[@]}"; do
	IFS='|' read -r name actor detector technique when what <<<"$attack"
	echo "$EPOCHREALTIME" >"$work/begun/$name"
	{
		"attack_$name" >"$work/$name.log" 2>&1 </dev/null
		echo "$name ended after $SECONDS s" >>"$work/ended"
	} &
	running+=("$!")
	sleep 0.1
done
wait "${running[@]}"
[ -z "${DEBUG-}" ] || cat "$work/ended" >&2

# What was told, as lines of: time, actor, detector, technique, severity, count.
told() {
	sed 's/^\([^ ]*\) \(.*\)$/{"at": \1, "alert": \2}/' "$work/told" |
		jq -r '[.at, (.alert | .actor.id, .detector, .technique.id, .severity, .count)] | map(tostring) | join(" ")'
}

# first_alert ACTOR DETECTOR TECHNIQUES: "time severity count technique", of $work/lines.
first_alert() {
	awk -v actor="^default/($1)$" -v detector="$2" -v techniques=" $3 " \
		'$2 ~ actor && $3 == detector && index(techniques, " " $4 " ") { print $1, $5, $6, $4; exit }' \
		"$work/lines"
}

all_found() {
	local attack name actor detector technique when what
	told >"$work/lines"
	for attack in "${wanted[@]}"; do
		IFS='|' read -r name actor detector technique when what <<<"$attack"
		[ -n "$(first_alert "$actor" "$detector" "$technique")" ] || return 1
	done
}
deadline=$((SECONDS + ${PATIENCE:-45}))
until all_found || [ $SECONDS -ge $deadline ]; do
	sleep 0.5
done

for attack in "${wanted[@]}"; do
	IFS='|' read -r name actor detector technique when what <<<"$attack"
	read -r time severity count id_found <<<"$(first_alert "$actor" "$detector" "$technique")"
	if [ -n "$time" ]; then
		seconds=$(awk -v a="$time" -v b="$(cat "$work/begun/$name")" 'BEGIN { printf "%.1f", a - b }')
		echo "$name|$plane|$posture|$history|$detector|$id_found|$severity|$seconds|$count|found"
		passed=$((passed + 1))
		if [ "$detector" = scan ] && [ "$count" -gt 10 ]; then
			fail "$name: found after $count failed first contacts, more than 10"
		fi
	else
		echo "$name|$plane|$posture|$history|$detector|$technique|-|-|-|missed"
		fail "$name: $what"
		tail -3 "$work/$name.log" | sed 's/^/        /'
	fi
done

# What happened, without what differs by when an answer was asked for.
story() {
	jq -S -c '.alerts[] | [.actor.id, .detector, .key, .severity, .count, .reports, .first, .last]' | sort
}
# The log is flushed each second, and the last connections of an attack are told of for a while.
settled() {
	segctl alerts --all -o json | story >"$work/live"
	sleep 2.5
	segctl alerts --all -o json | story | cmp -s - "$work/live"
}
for try in 1 2 3 4 5 6; do
	settled && break
done
"$BUILD/segctl" detect --detect-settings="$work/detect.yaml" -r "$work/log" -o json | story >"$work/offline"
check "the offline run over the flow log gives the same $(wc -l <"$work/live") alerts" \
	diff "$work/live" "$work/offline"
[ -z "${KEEP-}" ] || { mkdir -p "$KEEP" && cp "$work"/told "$work"/live "$work"/offline "$work"/log/* "$KEEP"; segctl alerts --all -o json >"$KEEP/alerts.json"; }
finish
