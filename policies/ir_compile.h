/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of ir_compile(), each a file, in this order:
 *
 *   rules     policies in their order of precedence; every rule with its number in the IR
 *   shapes    workloads of the same namespace, labels and ports are looked at once
 *   matchers  each distinct list of peers gets one bit; named ports that rules use get bits, too
 *   classes   addresses that have the same bits
 *   tables    what each subject's policies say about each class, painted over ports
 */
#pragma once

#include "policies/bitset.h"
#include "policies/intern.h"
#include "policies/ir.h"
#include "policies/model.h"
#include "policies/policy.h"

#define MATCHER_EVERYONE UINT32_MAX /* of a rule without peers */

struct compiled_rule {
	const struct policy_rule *source;
	const struct compiled_policy *policy;
	uint32_t number;  /* in ir.rules */
	uint32_t matcher; /* of its peers */
};

struct compiled_policy {
	struct document *document;
	const struct policy *policy;
	struct compiled_rule *rules[DIRECTION_COUNT];
	uint32_t isolation[DIRECTION_COUNT]; /* number of the rule for "no rule allows" */
};

struct shape {
	const struct model_workload *workload; /* one of them */
	const struct model_namespace *namespace;
	uint64_t *matches; /* matchers that its workloads satisfy by their labels */
	uint64_t *names;   /* named ports that they have */
	bool local;        /* one of them at least is a subject */
};

/* A port name that a rule uses, and the numbers that workloads have for it. */
struct port_name {
	uint8_t protocol;
	const char *name;
	bool egress;       /* resolved on the peer: its numbers tell classes apart */
	uint32_t *numbers; /* indexes into compile.named_ports */
	size_t numbers_count;
};

struct named_port {
	uint32_t name; /* index into compile.port_names */
	uint16_t port;
};

struct matcher {
	const struct policy_rule *rule; /* one that has these peers */
};

struct compile {
	const struct model *model;
	const struct ir_options *options;
	struct ir *ir;
	struct compiled_policy *policies; /* by kind, namespace, name */
	size_t policies_count;

	struct shape *shapes;
	size_t shapes_count;
	uint32_t *workload_shapes; /* by workload; SHAPE_NONE for host-network ones */

	struct matcher *matchers;
	size_t matchers_count;
	struct intern port_name_keys;
	struct port_name *port_names;
	size_t port_names_count;
	struct named_port *named_ports;
	size_t named_ports_count;
	uint64_t *egress_names; /* named ports that tell classes apart */

	/* The vector of a class: matchers, then named ports that egress rules use. */
	size_t matcher_words;
	size_t name_words;
	struct intern class_keys;
	struct class_content *classes;
	size_t classes_count;
	struct intern port_table_keys;
};

#define SHAPE_NONE UINT32_MAX

/* What is in a class, for its name. */
struct class_content {
	uint64_t *vector;
	bool host;
	struct prefix prefix; /* the first of prefixes_count */
	size_t prefixes_count;
	bool both_roots; /* 0.0.0.0/0 and ::/0 are among them */
	uint32_t shape;  /* the first of shapes_count different ones */
	uint32_t last_shape;
	size_t shapes_count;
};

/* A subject's view in one direction: its rules in the order in which they decide. */
struct rule_list {
	enum direction direction;
	const struct compiled_rule **rules;
	size_t rules_count;
	const struct compiled_policy **policies;
	size_t policies_count;
};

int compile_rules(
	struct compile *compile, const struct document_list *documents, struct error *error);
int compile_shapes(struct compile *compile, struct error *error);
int compile_matchers(struct compile *compile, struct error *error);
int compile_classes(struct compile *compile, struct error *error);
int compile_class_names(struct compile *compile, struct error *error);
int compile_tables(struct compile *compile, struct error *error);

/* Which comes first where both match: < 0, 0, > 0. Both of one direction. */
int compiled_rule_compare(const struct compiled_rule *a, const struct compiled_rule *b);

/* The entry for a rule's named port; NULL where no workload has it. */
const struct port_name *compile_port_name(
	const struct compile *compile, uint8_t protocol, const char *name);

/*
 * The port table of the rules whose bits are set in matched, named ports resolved by names. Numbers
 * it like all port tables: equal ones exist once. 0, -ENOMEM, -E2BIG.
 */
int compile_port_table(struct compile *compile, const struct rule_list *list,
	const uint64_t *matched, const uint64_t *names, uint32_t *ret);
/* A port table that says the same about everything. */
int compile_flat_port_table(struct compile *compile, struct decision decision, uint32_t *ret);
