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
	struct model_workload workload; /* one of them; a reference is held */
	struct labels namespace_labels;
	uint64_t *matches;        /* matchers that its workloads satisfy by their labels */
	uint64_t *names;          /* named ports that they have */
	bool local;               /* one of them at least is a subject … */
	struct ir_subject tables; /* … and has these */
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

/* At prefix a CIDR of the matcher begins (+1) or one of its exceptions (-1). */
struct change {
	struct prefix prefix;
	uint32_t matcher;
	int delta;
};

struct compile {
	const struct model *model;
	const struct ir_options *options;
	struct ir *ir;
	struct compiled_policy *policies; /* by kind, namespace, name */
	size_t policies_count;

	struct labels label_keys; /* that some selector asks for, with empty values */
	struct labels peer_label_keys;
	struct intern shape_keys;
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

	struct change *changes; /* by prefix */
	size_t changes_count;
	uint64_t *world; /* matchers that every address of the world satisfies */
	uint64_t *host;  /* … the node's own */

	/* The vector of a class: matchers, then named ports that egress rules use. */
	size_t matcher_words;
	size_t name_words;
	struct intern class_keys;
	struct class_content *classes;
	size_t classes_count;
	struct intern port_table_keys;
	struct builder *builder;
};

#define SHAPE_NONE UINT32_MAX

/* What is in a class, for its name. */
struct class_content {
	uint64_t *vector;
	bool host;
	struct prefix prefix; /* the first of prefixes_count */
	size_t prefixes_count;
	bool both_roots; /* 0.0.0.0/0 and ::/0 are among them */
	uint32_t shape;  /* of its first address; SHAPE_NONE: only prefixes are in it */
	bool shapes;     /* there are others besides */
	bool used;       /* by an address or a prefix */
};

/* A subject's view in one direction: its rules in the order in which they decide. */
struct rule_list {
	enum direction direction;
	bool host; /* the subject is the node */
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
/* All of them, into compile->ir. */
int compile_all(
	struct compile *compile, const struct document_list *documents, struct error *error);
void compile_clear(struct compile *compile);

/* The steps for what changes later; compile->model is the new one already. */
int compile_find_shape(
	struct compile *compile, const struct model_workload *workload, uint32_t *ret);
/* -EAGAIN: it has a named port that nobody had so far. */
int compile_match_shape(struct compile *compile, struct shape *shape);
/* The class of an address of a shape; 1: it is a new one. */
int compile_find_class(struct compile *compile, const struct address *address,
	const struct shape *shape, uint32_t *ret);
/* What is in each class now, from the addresses and prefixes of the IR … */
void compile_class_contents(struct compile *compile);
/* … and a class's name for that. */
int compile_class_rename(struct compile *compile, uint32_t class);
/* Gives the shape its peer tables. */
int compile_shape_tables(struct compile *compile, struct shape *shape);
/* The tables of a workload's shape, if it is a subject. */
struct ir_subject compile_subject(const struct compile *compile, size_t workload);
/* Puts a new class into every peer table. */
int compile_add_class(struct compile *compile, uint32_t class);
void builder_free(struct builder *builder);

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
