# SPDX-License-Identifier: GPL-2.0-or-later
# Samples of make bench, slurped -> {figures, budgets}. A figure is the median over the rounds. Rates
# are their upper quartile, since other load on the machine only takes away from them; quartiles of
# both sides make a ratio. Times and what is counted in a time depend on the machine and on who else is
# at work on it: beside them stands what they come to where one look-up in a hash takes 42 ns, as it did
# where the budgets were set.
def median: sort | if length == 0 then null else .[length / 2 | floor] end;
def p99: sort | if length == 0 then null else .[((length * 0.99) | ceil) - 1] end;
def rounded: if . == null then null elif . >= 100 then round elif . >= 10 then . * 10 | round / 10
	else . * 1000 | round / 1000 end;

. as $samples
| def values($row; $metric; $configuration; $x): $samples | map(select(.row == $row and
	.metric == $metric and .configuration == $configuration and ($x == null or .x == $x)));
def pick($row; $metric; $configuration; $x): values($row; $metric; $configuration; $x) | map(.value) | median;
def upper: sort | if length == 0 then null else .[length * 3 / 4 | floor] end;
def is_rate: . as $metric | ["bytes", "round-trips", "datagrams", "connections", "connections-by-turns"] | any(. == $metric);
def figure($metric): map(.value) | if $metric | is_rate then upper else median end;
def against($row; $metric; $one; $x; $other; $y):
	(values($row; $metric; $one; $x) | figure($metric)) as $figure
	| (values($row; $metric; $other; $y) | figure($metric)) as $base
	| if $figure and $base then $figure / $base else null end;
def most(f): [f] | map(select(. != null)) | if length == 0 then null else max end;
(pick("machine"; "look-up-ns"; "machine"; null) / 42) as $slowness
| def budget($what; $sign; $limit; $unit; $value):
	{what: $what, budget: "\($sign) \($limit)\($unit)", measured: ($value | rounded), unit: $unit,
	met: (if $value == null then null elif $sign == "≤" then $value <= $limit else $value >= $limit end)};
def timed($what; $sign; $limit; $unit; $value): budget($what; $sign; $limit; $unit; $value)
	+ {at_42_ns: (if $value == null then null elif $sign == "≤" then $value / $slowness
		else $value * $slowness end | rounded)};
# Of a row that says in each of its rounds how fast the machine is: each sample by its own round's. The
# median over the rounds, of the worst configuration.
def timed_by_round($what; $sign; $limit; $unit; $row; $metric; $configurations):
	def slowness($round): values($row; "look-up-ns"; "machine"; null)
		| map(select(.round == $round) | .value) | add / length / 42;
	def worst(f): [$configurations[] as $c | values($row; $metric; $c; null) | map(f) | median]
		| if any(. == null) then null elif $sign == "≤" then max else min end;
	budget($what; $sign; $limit; $unit; worst(.value)) + {at_42_ns: (worst(slowness(.round) as $slowness
		| if $sign == "≤" then .value / $slowness else .value * $slowness end) | rounded)};
def planes(f): ("segd-ebpf", "segd-nft") | f;

# What others' load does to no filter at all must be small against what is to be seen.
def unclear: . as $budgets | (["rules", "start"] | map(. as $row
		| {key: $row, value: ($samples | map(select(.row == $row and .configuration == "none" and (.metric | is_rate or . == "first-answer-ms")))
			| group_by([.metric, .x]) | map(map(.value) | sort | .[length / 4 | floor] / .[length * 3 / 4 | floor])
			| any(. < 0.85))}) | from_entries) as $noisy
	| $budgets | map(if ($noisy.rules and (.what | test("no filter|connections against|time of a connection"))) or
		($noisy.start and (.what | test("container start"))) then .met = null else . end);

{
	figures: (group_by([.row, .metric, .configuration, .x]) | map({row: .[0].row, metric: .[0].metric,
		configuration: .[0].configuration, x: .[0].x, figure: (.[0].metric as $m | figure($m) | rounded),
		median: (map(.value) | median | rounded),
		p99: (map(.value) | p99 | rounded), rounds: length,
		ratio: (.[0] as $f | against($f.row; $f.metric; $f.configuration; $f.x; "none"; $f.x) | rounded)})),
	budgets: [
		timed("eBPF: established packet, worst of four (BPF_PROG_TEST_RUN)"; "≤"; 60; " ns";
			most($samples[] | select(.metric == "packet-ns" and (.configuration | startswith("established"))) | .value)),
		budget("… against one hash look-up and a count"; "≤"; 1.5; " ×";
			most($samples[] | select(.metric == "packet-ratio" and (.configuration | startswith("established"))) | .value)),
		timed("eBPF: denial, 10,000 rules"; "≤"; 150; " ns";
			pick("programs"; "packet-ns"; "denied, 10,000 rules"; null)),
		budget("… against 10 rules"; "≤"; 1.1; " ×";
			against("programs"; "packet-ns"; "denied, 10,000 rules"; null; "denied, 10 rules"; null)),
		(("10", "10,000") as $rules | timed("eBPF: first packet, \($rules) rules"; "≤"; 150; " ns";
			pick("programs"; "packet-ns"; "first, leaving, \($rules) rules"; null))),
		(("segd-ebpf", "segd-nft", "segd-fast", "segd-lock") as $c
			| if values("rules"; "bytes"; $c; 10) == [] then empty else
			budget("\($c): TCP throughput against no filter"; "≥"; 0.97; " ×"; against("rules"; "bytes"; $c; 10; "none"; 10)),
			budget("\($c): TCP round trips against no filter"; "≥"; 0.97; " ×"; against("rules"; "round-trips"; $c; 10; "none"; 10)),
			budget("\($c): small UDP packets against no filter"; "≥"; 0.95; " ×"; against("rules"; "datagrams"; $c; 10; "none"; 10)),
			budget("\($c): connections against no filter"; "≥"; 0.95; " ×"; against("rules"; "connections"; $c; 10; "none"; 10))
			end),
		(("nftables", "iptables-ipset") as $peer | budget("segd-ebpf: connections against \($peer)"; "≥"; 1; " ×";
			against("rules"; "connections"; "segd-ebpf"; 10; $peer; 10))),
		budget("segd-nft: time of a connection, 10,000 rules against 10"; "≤"; 1.05; " ×";
			(against("rules"; "connections-by-turns"; "segd-nft"; 10; "segd-nft"; 10000))),
		budget("segd-nft: loading 100,000 elements against nft -f"; "≤"; 0.5; " ×";
			against("load"; "load-ms"; "segd-nft"; null; "nftables"; null)),
		(planes(. as $c | timed("\($c): policy apply, 1,000 endpoints and 250 policies, p99"; "≤";
			(if $c == "segd-ebpf" then 10 else 50 end); " ms";
			(values("endpoints"; "apply-ms"; $c; null) | map(.value) | p99)))),
		(planes(. as $c | values("endpoints"; "added-ms"; $c; null) | map(.value)
			| timed("\($c): a workload added to 1,000, median"; "≤"; 5; " ms"; median),
			timed("… p99"; "≤"; 5; " ms"; p99))),
		(planes(. as $c | timed("\($c): container start, p99 over that without the agent"; "≤"; 5; " ms";
			(values("start"; "first-answer-ms"; "none"; null) | map(.value) | p99) as $none
			| values("start"; "first-answer-ms"; $c; null) | map(.value) | p99 | if . then . - $none else . end))),
		(planes(. as $c | budget("\($c): packets before policy"; "≤"; 0; "";
			(values("start"; "packets-before-policy"; $c; null) | map(.value) | add)))),
		(planes(. as $c | budget("\($c): agent with 1,000 endpoints, 10,000 remote addresses"; "≤"; 32; " MiB";
			pick("endpoints"; "agent-mib"; $c; null)))),
		timed_by_round("flow events a second on one core, worst mix"; "≥"; 500000; "";
			"events"; "events-per-second"; ["connections", "refusals", "scan"]),
		timed("flow store: all peers of one workload in 30 days, 50 million flows"; "≤"; 100; " ms";
			pick("store"; "store-peers-ms"; "flow-store"; null)),
		(planes(. as $c | timed_by_round("\($c): agent CPU at 10,000 connections a second"; "≤"; 5; " %";
			"cpu"; "agent-cpu-percent"; [$c])))
	] | map(select(.measured != null)) | unclear
}
