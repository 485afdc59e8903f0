/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of this room share: a shop of four workloads, and its policies as an IR. */
#pragma once

#include "policies/document.h"
#include "policies/ir.h"
#include "policies/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture_workload {
	const char *name;
	const char *ipv4;
	const char *ipv6;
};

static const struct fixture_workload fixture_workloads[] = {
	{"web", "10.77.0.2", "fd77::2"},
	{"api", "10.77.0.3", "fd77::3"},
	{"db", "10.77.0.4", "fd77::4"},
	{"intruder", "10.77.0.5", "fd77::5"},
};

#define FIXTURE_HOST_IPV4 "10.77.0.1"
#define FIXTURE_HOST_IPV6 "fd77::1"

/* api reaches db at 5432 and by ping; nobody else does; db reaches nobody but one network. */
#define FIXTURE_POLICY                                                                   \
	"apiVersion: segctl.io/v1\n"                                                     \
	"kind: SegmentPolicy\n"                                                          \
	"metadata: {name: db-from-api, namespace: shop}\n"                               \
	"spec:\n"                                                                        \
	"  subject: app=db\n"                                                            \
	"  ingress:\n"                                                                   \
	"  - from: [{workloads: app=api}]\n"                                             \
	"    ports: [tcp/5432, udp/5000-5010, icmp/echo-request, icmpv6/echo-request]\n" \
	"  egress:\n"                                                                    \
	"  - to: [{cidr: 192.0.2.0/24, except: [192.0.2.64/26]}]\n"                      \
	"    ports: [tcp/443]\n"

/* The same without api. */
#define FIXTURE_POLICY_CLOSED                              \
	"apiVersion: segctl.io/v1\n"                       \
	"kind: SegmentPolicy\n"                            \
	"metadata: {name: db-from-api, namespace: shop}\n" \
	"spec:\n"                                          \
	"  subject: app=db\n"                              \
	"  ingress:\n"                                     \
	"  - from: [{workloads: app=web}]\n"               \
	"    ports: [tcp/5432]\n"

static inline struct address fixture_address(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(text, &address), 0);
	return address;
}

/* With more than the four: workloads "extra-<n>" at 10.78.x.y. */
static inline struct model *fixture_model(unsigned int extra)
{
	struct model *model;
	struct error error = ERROR_INIT;
	struct address host4 = fixture_address(FIXTURE_HOST_IPV4);
	struct address host6 = fixture_address(FIXTURE_HOST_IPV6);

	assert_int_equal(model_new(&model), 0);
	for (size_t i = 0; i < sizeof(fixture_workloads) / sizeof(fixture_workloads[0]); i++) {
		struct address ipv4 = fixture_address(fixture_workloads[i].ipv4);
		struct address ipv6 = fixture_address(fixture_workloads[i].ipv6);
		struct model_workload *workload;

		assert_int_equal(
			model_add_workload(model, "shop", fixture_workloads[i].name, &workload), 0);
		assert_int_equal(
			labels_set(&workload->labels, "app", fixture_workloads[i].name), 0);
		assert_int_equal(model_workload_add_address(workload, &ipv4), 0);
		assert_int_equal(model_workload_add_address(workload, &ipv6), 0);
	}
	for (unsigned int i = 0; i < extra; i++) {
		struct model_workload *workload;
		struct address address;
		char text[64];

		snprintf(text, sizeof(text), "extra-%u", i);
		assert_int_equal(model_add_workload(model, "shop", text, &workload), 0);
		assert_int_equal(labels_set(&workload->labels, "app", "extra"), 0);
		snprintf(text, sizeof(text), "10.78.%u.%u", i / 250, 1 + i % 250);
		address = fixture_address(text);
		assert_int_equal(model_workload_add_address(workload, &address), 0);
	}
	assert_int_equal(model_add_host_address(model, &host4), 0);
	assert_int_equal(model_add_host_address(model, &host6), 0);
	assert_int_equal(model_finish(model, &error), 0);
	return model;
}

static inline struct ir *fixture_ir(const struct model *model, const char *yaml)
{
	const struct ir_options options = {.posture = POSTURE_ALLOW};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;
	struct document_list documents = {0};
	struct error error = ERROR_INIT;
	struct ir *ir;

	if (documents_parse(&documents, "test", yaml, strlen(yaml), &diagnostics) < 0) {
		diagnostics_print(&diagnostics, stderr);
		fail();
	}
	assert_int_equal(ir_compile(&documents, model, &options, &ir, &error), 0);
	documents_clear(&documents);
	diagnostics_clear(&diagnostics);
	return ir;
}

/* Runs a shell command; prints what it said where it fails. */
static inline int fixture_run(const char *command)
{
	char line[512];
	FILE *pipe = popen(command, "r");
	char output[8192] = "";
	int status;

	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe))
		if (strlen(output) + strlen(line) < sizeof(output))
			strcat(output, line);
	status = pclose(pipe);
	if (status)
		print_message("%s: status %d\n%s", command, status, output);
	return status;
}
