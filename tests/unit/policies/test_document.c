/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing what is right, and lists of documents; what is wrong is in test_invalid.c. */
#include "policies/document.h"

#include "base/cleanup.h"
#include "policies/labels.h"
#include "policies/model.h"
#include "policies/policy.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SEGMENT(name, spec)                                                           \
	"apiVersion: segctl.io/v1\nkind: SegmentPolicy\nmetadata: {name: " name "}\n" \
	"spec: " spec "\n"
#define NETWORK(spec)                                             \
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" \
	"metadata: {name: web, namespace: shop}\nspec: " spec "\n"

static void parse(struct document_list *list, const char *text)
{
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;

	if (documents_parse(list, "test.yaml", text, strlen(text), &diagnostics) < 0) {
		diagnostics_print(&diagnostics, stderr);
		fail_msg("does not parse:\n%s", text);
	}
	diagnostics_clear(&diagnostics);
}

static void test_text_is_kept(void **state)
{
	static const char text[] = "\xef\xbb\xbf# \xc3\xa4 comment\n" SEGMENT(
		"a", "{subject: '*', ingress: []} # \xe2\x82\xac") "---\r\n\r\n" SEGMENT("b",
		"{subject: '*', ingress: []}") "---\n"
					       "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n"
					       " {\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"c\"}}]}\n"
					       "---\napiVersion: v1\nkind: List\nitems:\n"
					       "  - apiVersion: v1\n    kind: Namespace\n    metadata:\n      name: d\n"
					       "  - apiVersion: v1\n    kind: Namespace\n    metadata: {name: e}\n---\n";
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	_cleanup_(documents_clear) struct document_list list = {0};

	(void)state;
	parse(&list, text);
	assert_int_equal(list.count, ARRAY_SIZE(names));
	for (size_t i = 0; i < list.count; i++) {
		_cleanup_(documents_clear) struct document_list again = {0};
		const struct document *document = list.items[i];

		assert_string_equal(document->name, names[i]);
		parse(&again, document->text);
		assert_int_equal(again.count, 1);
		assert_int_equal(again.items[0]->kind, document->kind);
		assert_string_equal(again.items[0]->name, document->name);
		assert_string_equal(again.items[0]->text, document->text);
	}
	assert_int_equal(list.items[0]->line, 2);
	assert_int_equal(list.items[1]->line, 8);
	assert_non_null(strstr(list.items[0]->text, "subject: '*'"));
}

static void test_all_or_nothing(void **state)
{
	static const char text[] = SEGMENT("good", "{subject: '*', ingress: []}") "---\n" SEGMENT(
		"bad", "{subject: '*', ingres: []}");
	_cleanup_(documents_clear) struct document_list list = {0};
	struct diagnostics diagnostics = DIAGNOSTICS_INIT;

	(void)state;
	parse(&list, SEGMENT("old", "{subject: '*', ingress: []}"));
	assert_int_equal(documents_parse(&list, "f", text, strlen(text), &diagnostics), -EINVAL);
	assert_int_equal(list.count, 1);
	assert_int_equal(diagnostics.errors, 1);
	assert_int_equal(diagnostics.items[0].location.line, 9);
	assert_string_equal(diagnostics.items[0].code, "unknown-field");
	diagnostics_clear(&diagnostics);
}

/* 1000 items are taken, 1001 are not. */
static void check_bound(const char *head, const char *before, const char *after, const char *tail)
{
	for (unsigned int count = 1000; count <= 1001; count++) {
		_cleanup_(documents_clear) struct document_list list = {0};
		struct diagnostics diagnostics = DIAGNOSTICS_INIT;
		_cleanup_free_ char *text = NULL;
		char *printed = NULL;
		size_t size;
		FILE *stream = open_memstream(&printed, &size);
		int r;

		fputs(head, stream);
		for (unsigned int i = 0; i < count; i++)
			fprintf(stream, "%s%u.%u%s, ", before, i / 256, i % 256, after);
		fputs(tail, stream);
		fclose(stream);
		text = printed;
		r = documents_parse(&list, "bound", text, size, &diagnostics);
		assert_int_equal(r, count == 1000 ? 0 : -EINVAL);
		if (r < 0)
			assert_string_equal(diagnostics.items[0].code, "too-many");
		diagnostics_clear(&diagnostics);
	}
}

static void test_bounds(void **state)
{
	(void)state;
	check_bound("{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: {name: a}, spec: "
		    "{ingress: [], subject: {matchLabels: {",
		"k", ": a", "}}}}");
	check_bound("{apiVersion: segctl.io/v1, kind: SegmentPolicy, metadata: {name: a}, spec: "
		    "{subject: '*', ingress: [{from: [{cidr: 10.0.0.0/8, except: [",
		"10.0.", "/32", "]}]}]}}");
}

static const struct policy *only_policy(struct document_list *list, const char *text)
{
	parse(list, text);
	assert_int_equal(list->count, 1);
	assert_non_null(list->items[0]->policy);
	return list->items[0]->policy;
}

static void test_network_policy_isolation(void **state)
{
	static const struct {
		const char *text;
		bool ingress, egress;
	} cases[] = {
		{NETWORK("{}"), true, false},
		{NETWORK("{podSelector: {}}"), true, false},
		{NETWORK("{podSelector: {}, policyTypes: []}"), true, false},
		{NETWORK("{podSelector: {}, egress: []}"), true, false},
		{NETWORK("{podSelector: {}, egress: [{}]}"), true, true},
		{NETWORK("{podSelector: {}, policyTypes: [Egress]}"), false, true},
		{NETWORK("{podSelector: {}, policyTypes: [Ingress, Egress]}"), true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(documents_clear) struct document_list list = {0};
		const struct policy *policy = only_policy(&list, cases[i].text);

		assert_int_equal(policy->isolates[DIRECTION_INGRESS], cases[i].ingress);
		assert_int_equal(policy->isolates[DIRECTION_EGRESS], cases[i].egress);
		assert_int_equal(policy->tier, TIER_APPLICATION);
		assert_string_equal(policy->subject.namespace, "shop");
	}
}

static void test_rules_outside_policy_types(void **state)
{
	_cleanup_(documents_clear) struct document_list list = {0};
	const struct policy *policy = only_policy(
		&list, NETWORK("{podSelector: {}, ingress: [{}], policyTypes: [Egress]}"));

	(void)state;
	assert_int_equal(policy->rules_count[DIRECTION_INGRESS], 0);
}

static void test_segment_policy_isolation(void **state)
{
	static const struct {
		const char *text;
		bool ingress, egress;
	} cases[] = {
		{SEGMENT("a", "{subject: '*', ingress: []}"), true, false},
		{SEGMENT("a", "{subject: '*', egress: [{}]}"), false, true},
		{SEGMENT("a", "{subject: '*', ingress: [{action: deny}]}"), false, false},
		{SEGMENT("a", "{subject: '*', ingress: [{action: deny}, {}]}"), true, false},
		{SEGMENT("a", "{subject: '*', tier: admin, ingress: [{}]}"), false, false},
		{SEGMENT("a", "{subject: '*', tier: baseline, egress: []}"), false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(documents_clear) struct document_list list = {0};
		const struct policy *policy = only_policy(&list, cases[i].text);

		assert_int_equal(policy->isolates[DIRECTION_INGRESS], cases[i].ingress);
		assert_int_equal(policy->isolates[DIRECTION_EGRESS], cases[i].egress);
	}
}

static void test_segment_policy_scope(void **state)
{
	_cleanup_(documents_clear) struct document_list list = {0};
	const struct policy *policy;

	(void)state;
	parse(&list,
		SEGMENT("a", "{subject: '*', ingress: [{from: [{workloads: b}]}]}") "---\n" SEGMENT(
			"a", "{subject: '*', tier: admin, ingress: [{from: [{workloads: b}]}]}"));
	policy = list.items[0]->policy;
	assert_string_equal(list.items[0]->namespace, "default");
	assert_string_equal(policy->subject.namespace, "default");
	assert_string_equal(policy->rules[0][0].peers[0].workloads.namespace, "default");
	policy = list.items[1]->policy;
	assert_string_equal(list.items[1]->namespace, "");
	assert_null(policy->subject.namespace);
	assert_null(policy->rules[0][0].peers[0].workloads.namespace);
}

static void test_pod_as_kubectl_prints_it(void **state)
{
	static const char text[] =
		"apiVersion: v1\nkind: Pod\n"
		"metadata:\n  name: web\n  namespace: shop\n  labels: {app: web}\n"
		"  creationTimestamp: '2024-01-01T00:00:00Z'\n  generateName: web-\n"
		"  managedFields: [{apiVersion: v1, fieldsV1: {'f:metadata': {.: {}}}}]\n"
		"  someFutureField: 1\n"
		"spec:\n  containers:\n  - {name: c, image: nginx, ports: [{containerPort: 80, name: "
		"http, protocol: TCP}, {containerPort: 53, protocol: UDP}]}\n"
		"  initContainers:\n  - {name: i, ports: [{containerPort: 1, name: no}]}\n"
		"  - {name: s, restartPolicy: Always, ports: [{containerPort: 2, name: side}]}\n"
		"  tolerations: [{effect: NoExecute, key: x, operator: Exists}]\n  nodeName: n\n"
		"status:\n  phase: Running\n  hostIP: 192.0.2.1\n  podIP: 10.0.0.1\n"
		"  podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}]\n"
		"  conditions: [{lastProbeTime: null, status: 'True', type: Ready}]\n"
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: done, namespace: shop}\n"
		"status: {phase: Succeeded, podIP: 10.0.0.1}\n";
	_cleanup_(documents_clear) struct document_list list = {0};
	_cleanup_(model_freep) struct model *model = NULL;
	const struct model_workload *pod;

	(void)state;
	parse(&list, text);
	assert_int_equal(model_new(&model), 0);
	assert_int_equal(documents_to_model(&list, model, NULL), 0);
	assert_int_equal(model_finish(model, NULL), 0);
	pod = model_find_workload(model, "shop", "web");
	assert_int_equal(pod->addresses_count, 2);
	assert_int_equal(pod->ports_count, 2);
	assert_string_equal(pod->ports[0].name, "http");
	assert_string_equal(pod->ports[1].name, "side");
	assert_string_equal(labels_get(&pod->labels, "app"), "web");
	assert_int_equal(model_find_workload(model, "shop", "done")->addresses_count, 0);
}

static void test_lists(void **state)
{
	_cleanup_(documents_clear) struct document_list list = {0};
	_cleanup_(documents_clear) struct document_list from = {0};
	const struct document *old;

	(void)state;
	parse(&list, SEGMENT("a", "{subject: '*', ingress: []}") "---\n" SEGMENT(
			     "b", "{subject: '*', ingress: []}"));
	parse(&from, SEGMENT("b", "{subject: '*', egress: []}") "---\n" SEGMENT(
			     "c", "{subject: '*', egress: []}"));
	old = list.items[1];
	assert_int_equal(documents_merge(&list, &from), 0);
	assert_int_equal(list.count, 3);
	assert_ptr_not_equal(list.items[1], old);
	assert_ptr_equal(list.items[1], from.items[0]);
	assert_int_equal(list.items[1]->references, 2);
	assert_int_equal(documents_remove(&list, DOCUMENT_SEGMENT_POLICY, "default", "a"), 0);
	assert_int_equal(documents_remove(&list, DOCUMENT_SEGMENT_POLICY, "default", "a"), -ENOENT);
	assert_int_equal(documents_remove(&list, DOCUMENT_NETWORK_POLICY, "default", "b"), -ENOENT);
	assert_int_equal(list.count, 2);
	assert_ptr_equal(
		documents_find(&list, DOCUMENT_SEGMENT_POLICY, "default", "c"), from.items[1]);
}

static void test_kind_names(void **state)
{
	enum document_kind kind = DOCUMENT_POD;

	(void)state;
	assert_int_equal(document_kind_parse("netpol", &kind), 0);
	assert_int_equal(kind, DOCUMENT_NETWORK_POLICY);
	assert_int_equal(document_kind_parse("segmentpolicies", &kind), 0);
	assert_int_equal(kind, DOCUMENT_SEGMENT_POLICY);
	assert_int_equal(document_kind_parse("Deployment", &kind), -EINVAL);
	assert_string_equal(document_kind_name(kind), "SegmentPolicy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_kept),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_network_policy_isolation),
		cmocka_unit_test(test_rules_outside_policy_types),
		cmocka_unit_test(test_segment_policy_isolation),
		cmocka_unit_test(test_segment_policy_scope),
		cmocka_unit_test(test_pod_as_kubectl_prints_it),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_kind_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
