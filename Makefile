# SPDX-License-Identifier: GPL-2.0-or-later
# One Makefile for everything. `make help` lists the targets; V=1 shows the commands.

VERSION := 0.1.0
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      := gcc
CLANG   := clang
BPFTOOL := $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
Q       := $(if $(V),,@)
SAY      = @printf '  %-7s %s\n'

MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
.SUFFIXES:

# --- packages ---------------------------------------------------------------------------------

DEPS_BUILD := gcc libc6-dev make pkg-config clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev \
	linux-libc-dev libnftnl-dev libmnl-dev libnetfilter-log-dev libnetfilter-conntrack-dev \
	libpcap-dev libyaml-dev libjansson-dev libmicrohttpd-dev libcurl4-openssl-dev libsystemd-dev \
	libcap-ng-dev \
	libsmartcols-dev libncurses-dev uthash-dev libsqlite3-dev libzstd-dev libndpi-dev
DEPS_RUN   := iputils-ping iproute2 procps util-linux mount curl netcat-openbsd
DEPS_TEST  := libcmocka-dev libclang-rt-14-dev clang-format clang-tidy cppcheck valgrind jq \
	nftables iptables ipset docker.io busybox-static iperf3 sockperf conntrack tcpdump tmux zstd mandoc \
	gnuplot-nox dnsmasq-base openssl python3-fastjsonschema
DEPS       := $(DEPS_BUILD) $(DEPS_RUN) $(DEPS_TEST)
# Only for make test-kernel. It fetches a kernel, too, but does not install that.
DEPS_KERNEL := qemu-system-x86 cpio kmod
# Only for make test, make test-browser and make pictures.
DEPS_BROWSER := chromium chromium-driver fonts-dejavu-core
# Only for make detect-bench: tools of attackers, and a shop for them.
DEPS_DETECT := nmap hping3 hydra socat proxychains4 microsocks iodine ptunnel-ng iputils-arping \
	openssh-client openssh-server nginx-light postgresql postgresql-client redis-server redis-tools

# --- flags ------------------------------------------------------------------------------------

PACKAGES := libbpf libnftnl libmnl libnetfilter_log libnetfilter_conntrack libpcap yaml-0.1 \
	jansson libmicrohttpd libcurl libsystemd smartcols ncursesw zlib sqlite3 libzstd libcap-ng

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wpointer-arith -Wformat=2 -Wimplicit-fallthrough
CPPFLAGS += -I. -Ienforcer -Icli -I$(BUILD) -D_GNU_SOURCE -DSEGD_VERSION='"$(VERSION)"'
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu11 $(WARNINGS) -fno-common
ifdef SANITIZE
CFLAGS   += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1
LDFLAGS  += -fsanitize=address,undefined
else
CFLAGS   += -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
CPPFLAGS += -D_FORTIFY_SOURCE=2
LDFLAGS  += -pie -Wl,-z,relro,-z,now
endif
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -Wall -Wextra -Werror -I. \
	-I/usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)

# pkg-config is asked after deps ran, and once.
LIBRARY_CFLAGS = $(eval LIBRARY_CFLAGS := $(shell pkg-config --cflags $(PACKAGES)))$(LIBRARY_CFLAGS)
libraries      = $(shell pkg-config --libs $(1))

LIBS_base     =
LIBS_policies = $(call libraries,yaml-0.1)
LIBS_workload = $(call libraries,libcurl libmnl libsystemd jansson)
LIBS_flow     = $(call libraries,jansson libsystemd libzstd sqlite3) -pthread
LIBS_observe  = $(call libraries,jansson) -lm -ldl
LIBS_detect   = $(call libraries,jansson yaml-0.1) -lm
LIBS_control  = $(call libraries,libmicrohttpd jansson libsystemd)
LIBS_bpf      = $(call libraries,libbpf libmnl jansson libsystemd)
LIBS_xdp      = $(call libraries,libbpf jansson libsystemd) -pthread
LIBS_capture  = $(call libraries,libpcap jansson libsystemd)
LIBS_nft      = $(call libraries,libnftnl libmnl libnetfilter_log libnetfilter_conntrack jansson libsystemd)
LIBS_doctor   = $(call libraries,libbpf libnftnl libmnl libcap-ng jansson) -pthread
LIBS_agent    = $(call libraries,zlib)
LIBS_cli      = -Wl,--as-needed $(call libraries,libcurl jansson smartcols ncursesw)

# --- rooms: each is one archive; the lists say what each may lean on ------------------------------

ROOMS         := base policies workload flow observe detect control bpf xdp nft host lock doctor capture agent cli
DIR_base      := enforcer/base
DIR_policies  := policies
DIR_workload  := enforcer/workload
DIR_flow      := enforcer/flow
DIR_observe   := enforcer/observe
DIR_detect    := enforcer/detect
DIR_control   := enforcer/control
DIR_bpf       := enforcer/dataplane/bpf
DIR_xdp       := enforcer/dataplane/xdp
DIR_nft       := enforcer/dataplane/nft
DIR_host      := enforcer/dataplane/host
DIR_lock      := enforcer/dataplane/lock
DIR_doctor    := enforcer/doctor
DIR_capture   := enforcer/capture
DIR_agent     := enforcer
DIR_cli       := cli
NEEDS_base     := base
NEEDS_policies := policies base
NEEDS_workload := workload policies base
NEEDS_flow     := flow policies base
NEEDS_observe  := observe flow policies base
NEEDS_detect   := detect flow policies base
NEEDS_control  := control base
NEEDS_bpf      := bpf policies base
NEEDS_xdp      := xdp bpf policies base
NEEDS_nft      := nft policies base
NEEDS_host     := host nft policies base
NEEDS_lock     := lock nft policies base
NEEDS_doctor   := doctor workload bpf nft policies base
NEEDS_capture  := capture observe flow policies base
NEEDS_agent    := agent capture doctor control detect observe flow workload xdp bpf host lock nft policies base
NEEDS_cli      := cli capture observe detect flow policies base

sources  = $(sort $(filter-out %/main.c,$(wildcard $(1)/*.c)))
objects  = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1)))
archives = $(patsubst %,$(BUILD)/lib%.a,$(1))
link     = $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(1) -Wl,--as-needed -Wl,--start-group $(call archives,$(2)) \
	-Wl,--end-group $(foreach room,$(2),$(LIBS_$(room))) $(3)

SKELETON     := $(BUILD)/xdp/segd.skel.h
TCP_SKELETON := $(BUILD)/xdp/segd_tcp.skel.h
XDP_SKELETON := $(BUILD)/xdp/segd_xdp.skel.h

# --- what people call ---------------------------------------------------------------------------

.PHONY: help deps build binaries demo run test test-kernel test-browser pictures bench detect-bench conformance lint format fuzz \
	install clean
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

deps: ## install every Debian package that build, demo and tests need
	@missing=$$(for package in $(DEPS); do \
		dpkg-query -W -f='$${db:Status-Status}' $$package 2>/dev/null | grep -qx installed \
			|| echo $$package; done); \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" != 0 ]; then \
		echo "missing packages; as root: apt-get install" $$missing >&2; exit 1; fi; \
	echo "  DEPS    installing" $$missing; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >$(CURDIR)/.deps.log \
		2>&1 || { tail -20 .deps.log; exit 1; }; rm -f .deps.log

build: deps ## build/segd and build/segctl
	$(Q)$(MAKE) --no-print-directory binaries

demo: deps ## see it work: four namespaces, one policy, one intruder (root)
	$(Q)$(MAKE) --no-print-directory binaries tools
	$(Q)+tests/netns/demo.sh $(BUILD)

run: build ## the agent in the foreground on this node, with its containers (root)
	$(Q)$(BUILD)/segd

test: ## all tests (root)
	$(Q)$(MAKE) --no-print-directory deps DEPS='$(DEPS) $(DEPS_BROWSER)'
	$(Q)+tests/run.sh $(BUILD)

test-kernel: ## end to end on Debian's own kernel, emulated: slow; SUITES="kernel xdp:ebpf" (root)
	$(Q)$(MAKE) --no-print-directory deps DEPS='$(DEPS) $(DEPS_KERNEL)'
	$(Q)$(MAKE) --no-print-directory binaries tools
	$(Q)tests/kernel/run.sh $(BUILD) $(SUITES)

test-browser: ## the map as a page, in a real browser (root)
	$(Q)$(MAKE) --no-print-directory deps DEPS='$(DEPS) $(DEPS_BROWSER)'
	$(Q)$(MAKE) --no-print-directory binaries tools
	$(Q)tests/browser/test_map.sh $(BUILD)

pictures: ## make those of the README anew from the demo (root)
	$(Q)$(MAKE) --no-print-directory deps DEPS='$(DEPS) $(DEPS_BROWSER)'
	$(Q)$(MAKE) --no-print-directory binaries tools
	$(Q)tests/browser/pictures.sh $(BUILD)

bench: deps ## measure against no filter, nftables and iptables; BENCH="rules load" selects (root)
	$(Q)$(MAKE) --no-print-directory binaries bench-binaries
	$(Q)+tests/bench/run.sh $(BUILD)

detect-bench: ## real attacks on a small shop: what is found, and how soon; RUNS="ebpf:open:learnt" selects (root)
	$(Q)$(MAKE) --no-print-directory deps DEPS='$(DEPS) $(DEPS_DETECT)'
	$(Q)$(MAKE) --no-print-directory binaries tools
	$(Q)+tests/detect/bench.sh $(BUILD)

binaries: $(BUILD)/segd $(BUILD)/segctl

# --- compile ------------------------------------------------------------------------------------

$(BUILD)/cli/map_html.o: cli/map.html # .incbin
$(BUILD)/%.o: %.c
	$(SAY) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(LIBRARY_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.bpf.o: %.bpf.c
	$(SAY) BPF $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(SAY) SKEL $@
	$(Q)$(BPFTOOL) gen skeleton $< name $(notdir $*)_bpf > $@

define room_rules
$(BUILD)/lib$(1).a: $$(call objects,$$(DIR_$(1)))
	$$(SAY) AR $$@
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_rules,$(room))))

# Files that include the skeleton wait for it.
$(call objects,enforcer/dataplane/bpf): $(SKELETON) $(TCP_SKELETON)
$(call objects,enforcer/dataplane/xdp): $(XDP_SKELETON)

$(BUILD)/segd: $(BUILD)/enforcer/main.o $(call archives,$(NEEDS_agent))
	$(SAY) LINK $@
	$(Q)$(call link,$<,$(NEEDS_agent))

$(BUILD)/segctl: $(BUILD)/cli/main.o $(call archives,$(NEEDS_cli))
	$(SAY) LINK $@
	$(Q)$(call link,$<,$(NEEDS_cli))

# --- tests --------------------------------------------------------------------------------------

# tests/unit/ROOM/test_*.c, each a program of its own; tests/bpf needs the data plane, too.
unit_tests = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/unit/$(1)/test_*.c)))
UNIT_ROOMS := $(ROOMS)
UNIT_TESTS := $(foreach room,$(UNIT_ROOMS),$(call unit_tests,$(room)))
BPF_TESTS  := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/bpf/test_*.c)))

define unit_rules
$(call unit_tests,$(1)): $(BUILD)/%: $(BUILD)/%.o $$(call archives,$$(NEEDS_$(1)))
	$$(SAY) LINK $$@
	$$(Q)$$(call link,$$<,$$(NEEDS_$(1)),-lcmocka)
.PHONY: unit-$(1)
unit-$(1): $(call unit_tests,$(1)) ## (one room's unit tests, e.g. SANITIZE=1 BUILD=build/asan)
	$$(Q)set -e; for t in $$^; do echo "== $$$$t"; $$$$t; done
endef
$(foreach room,$(UNIT_ROOMS),$(eval $(call unit_rules,$(room))))

# Programs that the BPF tests share: tests/bpf/*.c that are no test_*.c.
BPF_TEST_COMMON := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/bpf/test_%,$(wildcard tests/bpf/*.c)))
$(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bpf/*.c)): $(SKELETON) $(TCP_SKELETON) $(XDP_SKELETON)
$(BPF_TESTS): $(BUILD)/%: $(BUILD)/%.o $(BPF_TEST_COMMON) $(call archives,workload $(NEEDS_xdp))
	$(SAY) LINK $@
	$(Q)$(call link,$(filter %.o,$^),workload $(NEEDS_xdp),-lcmocka)
# It draws its models and packets as the differential test does.
$(BUILD)/tests/bpf/test_random: $(patsubst %,$(BUILD)/tests/differential/%.o,attachments network \
	place pods_text policies_text probe scenario)

.PHONY: unit-binaries bpf-test-binaries bench-binaries
unit-binaries: $(UNIT_TESTS)
bpf-test-binaries: $(BPF_TESTS)

# tests/netns/tools/*.c and tests/bench/*.c: small programs, one file each.
TOOLS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/netns/tools/*.c))
BENCH_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))
.PHONY: tools
SHIMS := $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/netns/*_shim.c))
tools: $(TOOLS) $(SHIMS)
$(SHIMS): $(BUILD)/%.so: %.c
	$(SAY) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $<
bench-binaries: $(TOOLS) $(BENCH_PROGRAMS)
$(TOOLS): $(BUILD)/%: $(BUILD)/%.o
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) -static -o $@ $< # containers without a libc run them, too
$(BENCH_PROGRAMS:=.o): $(SKELETON) $(XDP_SKELETON) $(patsubst %,$(BUILD)/tests/bench/%.skel.h,one_lookup first_packet)
$(BENCH_PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(call archives,$(NEEDS_agent))
	$(SAY) LINK $@
	$(Q)$(call link,$(filter %.o,$^),$(NEEDS_agent),-lpthread)
# It measures in the world of the BPF tests.
$(patsubst %,$(BUILD)/tests/bench/%,program_cost early_cost): \
	$(patsubst %,$(BUILD)/tests/bpf/%.o,world rules frame)

# One program: random models on both data planes against the evaluator.
DIFFERENTIAL := $(BUILD)/tests/differential/differential
MODELS       ?= 10000
PROBES       ?= 40
SEED         ?= 1
$(DIFFERENTIAL): $(call objects,tests/differential) $(call archives,$(NEEDS_agent))
	$(SAY) LINK $@
	$(Q)$(call link,$(filter %.o,$^),$(NEEDS_agent))

.PHONY: differential differential-binary
differential-binary: $(DIFFERENTIAL)
differential: deps ## MODELS (10000) random models on both data planes against the evaluator (root)
	$(Q)$(MAKE) --no-print-directory differential-binary
	$(Q)$(DIFFERENTIAL) --models $(MODELS) --probes $(PROBES) --seed $(SEED)

CASES ?= 1000000
.PHONY: random
random: deps ## CASES (1000000) random packets through the BPF programs against the evaluator (root)
	$(Q)$(MAKE) --no-print-directory $(BUILD)/tests/bpf/test_random
	$(Q)CASES=$(CASES) SEED=$(SEED) $(BUILD)/tests/bpf/test_random

CHANGES ?= 1000
.PHONY: hitless
hitless: deps ## CHANGES (1000) policy and as many label changes under traffic (root)
	$(Q)$(MAKE) --no-print-directory binaries tools
	$(Q)CHANGES=$(CHANGES) tests/netns/test_hitless.sh $(BUILD) ebpf
	$(Q)CHANGES=$(CHANGES) tests/netns/test_hitless.sh $(BUILD) nft

# One program: ways around a policy, each sent and looked for (tests/netns/test_evasion.sh).
EVASION := $(BUILD)/tests/evasion/evasion
.PHONY: evasion-binary
evasion-binary: $(EVASION)
$(EVASION): $(call objects,tests/evasion) $(call archives,base)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call libraries,jansson libcurl)

# --- fuzzers: tests/fuzz/fuzz_*.c over libFuzzer with ASan and UBSan --------------------------------

FUZZERS      := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60
# Pure rooms, and the pure parts of others: a fuzzer links what it needs of them.
FUZZ_SOURCES := $(foreach room,policies base detect,$(call sources,$(DIR_$(room)))) \
	$(patsubst %,enforcer/workload/%.c,docker_interfaces docker_labels docker_message \
	docker_parse link_local named_port workload) \
	$(patsubst %,enforcer/dataplane/xdp/%.c,deny_file deny_ranges) enforcer/observe/dns_message.c \
	$(patsubst %,enforcer/capture/%.c,filter_program fragments judge packet pcapng ruling sender tracker view) \
	$(patsubst %,enforcer/flow/%.c,argument filter name protocol record record_parse timestamp vocabulary writer) \
	$(patsubst %,cli/%.c,export export_ecs export_ocsf record text)
FUZZ_CFLAGS  := -g -O1 -std=gnu11 -fsanitize=address,undefined -fno-sanitize-recover=all
.PHONY: fuzz-binaries
fuzz-binaries: $(FUZZERS)
$(BUILD)/fuzz/objects/%.o: %.c
	$(SAY) FUZZ $<
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) $(LIBRARY_CFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
$(BUILD)/fuzz/libfuzzed.a: $(FUZZ_SOURCES:%.c=$(BUILD)/fuzz/objects/%.o)
	$(SAY) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(FUZZERS): $(BUILD)/fuzz/%: $(BUILD)/fuzz/objects/tests/fuzz/%.o $(BUILD)/fuzz/libfuzzed.a
	$(SAY) LINK $@
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_policies) $(call libraries,jansson libpcap) -lm

fuzz: deps ## each fuzzer for FUZZ_SECONDS (60)
	$(Q)$(MAKE) --no-print-directory fuzz-binaries
	$(Q)+tests/fuzz/run.sh $(BUILD) $(FUZZ_SECONDS)

# --- conformance: a corpus of policies and verdicts, put to segctl ---------------------------------

CONFORMANCE := $(BUILD)/tests/conformance/conformance
CORPUS      ?= tests/conformance/cases
.PHONY: conformance-binary
conformance-binary: $(CONFORMANCE) $(BUILD)/segctl
$(CONFORMANCE): $(call objects,tests/conformance) $(call archives,base)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call libraries,jansson zlib) -lpthread

conformance: deps ## put the cases of CORPUS=dir to segctl policy matrix
	$(Q)$(MAKE) --no-print-directory conformance-binary
	$(Q)$(CONFORMANCE) $(BUILD)/segctl $(CORPUS)

# --- lint ---------------------------------------------------------------------------------------

C_FILES := $(sort $(shell find enforcer xdp policies cli tests -name '*.[ch]' 2>/dev/null))
lint: deps ## clang-format, clang-tidy, cppcheck, include direction, file sizes
	$(Q)$(MAKE) --no-print-directory $(SKELETON) $(XDP_SKELETON)
	$(Q)+tests/lint/run.sh $(BUILD)

format: ## let clang-format rewrite the sources
	$(Q)clang-format -i $(C_FILES)

# --- install ------------------------------------------------------------------------------------

install: build ## binaries, man pages, completions, service unit (DESTDIR, PREFIX)
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/sbin $(BUILD)/segd
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/segctl
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 enforcer/segd.8
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 cli/segctl.1
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man5 policies/segd-policy.5
	install -D -m 644 cli/segctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/segctl
	install -d $(DESTDIR)/lib/systemd/system
	sed 's|@SBINDIR@|$(PREFIX)/sbin|' enforcer/segd.service \
		> $(DESTDIR)/lib/systemd/system/segd.service
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/segd enforcer/flow/record.schema.json \
		enforcer/control/grafana.json
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/segd/examples policies/examples/*.yaml
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/segd/examples/tests policies/examples/tests/*.yaml

clean: ## remove what was built
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
