/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents from a text, their model and their IR, for tests that need all three. */
#pragma once

#include "policies/evaluate.h"
#include "policies/model.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct cluster {
	struct document_list documents;
	struct model *model;
	struct ir *ir;
};

static inline void cluster_open(const char *text, struct cluster *ret)
{
	const struct ir_options options = {.posture = POSTURE_ALLOW};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;

	*ret = (struct cluster){0};
	if (documents_parse(&ret->documents, "test", text, strlen(text), &diagnostics) < 0) {
		diagnostics_print(&diagnostics, stderr);
		fail_msg("does not parse");
	}
	diagnostics_clear(&diagnostics);
	assert_int_equal(model_new(&ret->model), 0);
	assert_int_equal(documents_to_model(&ret->documents, ret->model, NULL), 0);
	assert_int_equal(model_finish(ret->model, NULL), 0);
	assert_int_equal(ir_compile(&ret->documents, ret->model, &options, &ret->ir, NULL), 0);
}

static inline void cluster_close(struct cluster *cluster)
{
	ir_free(cluster->ir);
	model_free(cluster->model);
	documents_clear(&cluster->documents);
}

#define _cleanup_cluster_ __attribute__((cleanup(cluster_close)))

#define POD(namespace, name, labels, address)                                                                                \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: " name                                                            \
	", namespace: " namespace ", labels: {" labels                                                                       \
				  "}}, spec: {containers: [{ports: [{name: http, containerPort: 8080}]}]}, status: {podIP: " \
				  "" address "}}\n"
#define NAMESPACE(name, labels) \
	"---\n{apiVersion: v1, kind: Namespace, metadata: {name: " name ", labels: {" labels "}}}\n"
#define SEGMENT(name, spec)                                                           \
	"---\n{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: {name: " name \
	", namespace: shop}, spec: " spec "}\n"
#define ADMIN(name, spec)                                                             \
	"---\n{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: {name: " name \
	"}, spec: " spec "}\n"
#define NETWORK(namespace, name, spec)                                                        \
	"---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: " name \
	", namespace: " namespace "}, spec: " spec "}\n"
