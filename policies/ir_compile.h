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

#define IR_CLASSES_MAX  65536
#define IR_PREFIXES_MAX 65536

#define MATCHER_EVERYONE UINT32_MAX /* of a rule without peers */

struct compiled_rule {
	const struct policy_rule *source;
	const struct compiled_policy *policy;
	enum direction direction;
	uint32_t number;  /* in ir.rules */
	uint32_t matcher; /* of its peers */
};

struct compiled_policy {
	uint64_t serial; /* no other one ever has it */
	bool gone;       /* about to be taken out */
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
	uint32_t look;            /* the same for shapes that no peer's selector tells apart */
	bool local;               /* one of them at least is a subject … */
	struct ir_subject tables; /* … and has these */
};

/* A port name that a rule uses, and the numbers that workloads have for it. */
struct port_name {
	uint8_t protocol;
	char *name;
	unsigned int uses[DIRECTION_COUNT]; /* by ports of rules; on egress it is resolved on the
					       peer, so its numbers tell classes apart */
	uint32_t *numbers;                  /* indexes into compile.named_ports */
	size_t numbers_count;
};

struct named_port {
	uint32_t name; /* index into compile.port_names */
	uint16_t port;
};

struct matcher {
	struct document *document;      /* a reference is held, for … */
	const struct policy_rule *rule; /* … one that has these peers */
	unsigned int uses;              /* by rules; 0: its number is free */
};

/* A label that some selector asks for. */
struct label_key {
	unsigned int peer_uses; /* by selectors of peers */
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
	struct compiled_policy **policies; /* by kind, namespace, name */
	size_t policies_count;
	uint64_t serials;
	bool grows;             /* policies will follow: leave room for their matchers */
	struct intern rule_ids; /* taken ones */
	bool rule_ids_collide;  /* so that they depend on the order of all policies */
	size_t rules_gone;

	struct intern label_key_names;
	struct label_key *label_keys;
	size_t label_keys_count;
	bool peer_labels_changed; /* some label has got its first use by a peer, or lost its last */
	struct intern looks;
	struct intern shape_keys;
	struct shape *shapes;
	size_t shapes_count;
	uint32_t *workload_shapes; /* by workload; SHAPE_NONE for host-network ones */

	struct intern matcher_keys;
	struct matcher *matchers;
	size_t matchers_count;
	uint32_t *matchers_free;
	size_t matchers_free_count;
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

/* Bits of a class's vector: a matcher's is its number; behind all of them come the named ports. */
struct bit_list {
	size_t *items;
	size_t count;
};

int bit_list_add(struct bit_list *bits, size_t bit);

/* What is in a class, for its name. */
struct class_content {
	uint64_t *vector;
	bool host;
	struct prefix prefix; /* the first of prefixes_count */
	size_t prefixes_count;
	bool both_roots; /* 0.0.0.0/0 and ::/0 are among them */
	uint32_t shape;  /* of its first address; SHAPE_NONE: only prefixes are in it */
	bool shapes;     /* there are others besides, of another look */
	bool used;       /* by an address or a prefix */
	bool merged;     /* another class has its vector now: nobody will ever use it */
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

int compiled_policy_new(
	struct compile *compile, struct document *document, struct compiled_policy **ret);
void compiled_policy_free(struct compiled_policy *compiled);

void rule_list_clear(struct rule_list *list);
/* shape: NULL is the node. */
bool compiled_policy_selects(const struct compiled_policy *compiled, const struct shape *shape);
/* Puts in what all policies say of the shape, or, much faster, what they do after the list of
 * before has lost those that are gone and got those that are new. */
int rule_list_fill(
	struct rule_list *list, const struct compile *compile, const struct shape *shape);
int rule_list_follow(struct rule_list *list, const struct rule_list *former,
	struct compiled_policy *const *added, size_t added_count, const struct shape *shape);
bool rule_list_has_gone(const struct rule_list *list);

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
/* Numbers the rules of one more policy. */
int compile_add_rules(struct compile *compile, struct compiled_policy *compiled);
/* Takes them out; their numbers are not given again. */
void compile_drop_rules(struct compile *compile, const struct compiled_policy *compiled);
/* Gives its rules their matchers, and the names of ports that they use a meaning. added (may be
 * NULL): bits that classes do not have yet. -EAGAIN: there is no room. */
int compile_use_peers(
	struct compile *compile, struct compiled_policy *compiled, struct bit_list *added);
/* removed: bits that tell classes apart no more. */
int compile_release_peers(
	struct compile *compile, const struct compiled_policy *compiled, struct bit_list *removed);
/* For a new one, when no class has its bit any more. 0 or -ENOMEM. */
int compile_free_matcher(struct compile *compile, uint32_t number);
/* The numbers that shapes have for a name. 0, -ENOMEM, -EAGAIN: no room. */
int compile_find_named_ports(struct compile *compile, uint32_t name);
bool shape_satisfies(const struct shape *shape, const struct policy_rule *rule);
/* Adds the CIDRs of a matcher behind compile->changes, and to whom it is by entity. */
int compile_add_matcher(struct compile *compile, uint32_t matcher);
/* Notes the labels that its selectors ask for. */
int compile_use_labels(struct compile *compile, const struct policy *policy);
void compile_release_labels(struct compile *compile, const struct policy *policy);
/* Does a peer's selector ask for this label? */
bool compile_peers_ask(const struct compile *compile, const char *label);
/* Gives all shapes their looks anew, after peers have come to ask for other labels. */
int compile_looks(struct compile *compile);
/* The class of an address of a shape; 1: it is a new one. */
int compile_find_class(struct compile *compile, const struct address *address,
	const struct shape *shape, uint32_t *ret);
/* Names the classes by what is in each now. 1: some names have changed, or are new; 0; -ENOMEM. */
int compile_follow_names(struct compile *compile);
/* Gives the shape its peer tables. */
int compile_shape_tables(struct compile *compile, struct shape *shape);
/* Gives the node its peer tables, if policies speak of it. */
int compile_host_tables(struct compile *compile);
/* The tables of a workload's shape, if it is a subject. */
struct ir_subject compile_subject(const struct compile *compile, size_t workload);
/* Puts a new class into every peer table. */
int compile_add_class(struct compile *compile, uint32_t class);
/* Gives shapes whose policies come or go their new tables. */
int compile_follow_tables(
	struct compile *compile, struct compiled_policy *const *added, size_t added_count);
/* Empties the tables of policies that are gone, behind that. */
void compile_drop_tables(struct compile *compile);

#define CLASS_NONE UINT32_MAX

/* What became of classes that were split: chains of new classes, numbered from base on. */
struct class_parts {
	uint32_t *first; /* by former class: CLASS_NONE where it was not split */
	uint32_t *next;  /* by new class, counted from base */
	uint32_t base;
	size_t count;
};

/* What a class means to a table, its parts do. */
int compile_split_classes(struct compile *compile, const struct class_parts *parts);
/* By prefix, for qsort() of changes. */
int compile_compare_changes(const void *a, const void *b);
void builder_free(struct builder *builder);

/* Which comes first where both match: < 0, 0, > 0. Both of one direction. */
int compiled_rule_compare(const struct compiled_rule *a, const struct compiled_rule *b);
/* By kind, namespace, name; for qsort() of pointers to pointers. */
int compiled_policy_compare(const void *a, const void *b);

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
