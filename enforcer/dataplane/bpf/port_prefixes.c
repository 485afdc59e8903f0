/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/bpf/port_prefixes.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PORT_BITS 16
#define OTHERWISE 0 /* its index among the decisions */

/* A node of the binary trie over ports; children exist only where its ports differ. */
struct node {
	size_t children; /* index of the first, the second is behind it; 0: leaf */
	size_t set;      /* where its set of candidate decisions begins */
	size_t set_count;
};

struct compiler {
	const struct ir_port_range *ranges;
	size_t ranges_count;
	struct decision *decisions; /* each different one once */
	size_t decisions_count;
	size_t *decision_of; /* by range */
	struct node *nodes;
	size_t nodes_count, nodes_capacity;
	size_t *sets; /* all candidate sets, each sorted, one behind the other */
	size_t sets_count, sets_capacity;
	struct port_prefix *prefixes;
	size_t prefixes_count, prefixes_capacity;
};

bool decision_equal(const struct decision *a, const struct decision *b)
{
	return a->verdict == b->verdict && a->flags == b->flags && a->rule == b->rule;
}

static void compiler_clear(struct compiler *compiler)
{
	free(compiler->decisions);
	free(compiler->decision_of);
	free(compiler->nodes);
	free(compiler->sets);
	free(compiler->prefixes);
}

static int grow(void *array, size_t *capacity, size_t needed, size_t size)
{
	size_t wanted = *capacity ? *capacity : 64;
	void *larger;

	if (needed <= *capacity)
		return 0;
	while (wanted < needed)
		wanted *= 2;
	larger = reallocarray(*(void **)array, wanted, size);
	if (!larger)
		return -ENOMEM;
	*(void **)array = larger;
	*capacity = wanted;
	return 0;
}

static int compare_decisions(const void *a, const void *b, void *userdata)
{
	const struct compiler *compiler = userdata;
	const struct decision *first = &compiler->ranges[*(const size_t *)a].decision;
	const struct decision *second = &compiler->ranges[*(const size_t *)b].decision;

	if (first->rule != second->rule)
		return first->rule < second->rule ? -1 : 1;
	if (first->flags != second->flags)
		return first->flags < second->flags ? -1 : 1;
	return (int)first->verdict - (int)second->verdict;
}

/* Sets work on small numbers, so each different decision gets one. */
static int number_decisions(struct compiler *compiler, const struct decision *otherwise)
{
	size_t count = compiler->ranges_count;
	_cleanup_free_ size_t *order = calloc(count + 1, sizeof(*order));

	compiler->decisions = calloc(count + 1, sizeof(*compiler->decisions));
	compiler->decision_of = calloc(count + 1, sizeof(*compiler->decision_of));
	if (!order || !compiler->decisions || !compiler->decision_of)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	qsort_r(order, count, sizeof(*order), compare_decisions, compiler);
	compiler->decisions[compiler->decisions_count++] = *otherwise;
	for (size_t i = 0; i < count; i++) {
		const struct decision *decision = &compiler->ranges[order[i]].decision;

		if (decision_equal(decision, otherwise)) {
			compiler->decision_of[order[i]] = OTHERWISE;
			continue;
		}
		if (!decision_equal(decision, &compiler->decisions[compiler->decisions_count - 1]))
			compiler->decisions[compiler->decisions_count++] = *decision;
		compiler->decision_of[order[i]] = compiler->decisions_count - 1;
	}
	return 0;
}

/* True: all ports of first..last have one decision, *ret. */
static bool uniform(
	const struct compiler *compiler, unsigned int first, unsigned int last, size_t *ret)
{
	size_t low = 0, high = compiler->ranges_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compiler->ranges[middle].last < first)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == compiler->ranges_count || compiler->ranges[low].first > last) {
		*ret = OTHERWISE;
		return true;
	}
	if (compiler->ranges[low].first > first || compiler->ranges[low].last < last)
		return false;
	*ret = compiler->decision_of[low];
	return true;
}

static int set_leaf(struct compiler *compiler, size_t index, size_t decision)
{
	int r = grow(&compiler->sets, &compiler->sets_capacity, compiler->sets_count + 1,
		sizeof(*compiler->sets));

	if (r < 0)
		return r;
	compiler->nodes[index].set = compiler->sets_count;
	compiler->nodes[index].set_count = 1;
	compiler->sets[compiler->sets_count++] = decision;
	return 0;
}

/* Writes what both sets have (common), or else all that either has, behind the last set. */
static size_t merge(
	struct compiler *compiler, const struct node *a, const struct node *b, bool common)
{
	size_t *result = compiler->sets + compiler->sets_count;
	size_t i = 0, j = 0, count = 0;

	while (i < a->set_count || j < b->set_count) {
		size_t left = i < a->set_count ? compiler->sets[a->set + i] : SIZE_MAX;
		size_t right = j < b->set_count ? compiler->sets[b->set + j] : SIZE_MAX;

		if (!common || left == right)
			result[count++] = left < right ? left : right;
		i += left <= right;
		j += right <= left;
	}
	return count;
}

static int set_inner(struct compiler *compiler, size_t index)
{
	struct node *node = &compiler->nodes[index];
	const struct node *a = &compiler->nodes[node->children];
	const struct node *b = a + 1;
	int r;

	r = grow(&compiler->sets, &compiler->sets_capacity,
		compiler->sets_count + a->set_count + b->set_count, sizeof(*compiler->sets));
	if (r < 0)
		return r;
	node->set = compiler->sets_count;
	node->set_count = merge(compiler, a, b, true);
	if (!node->set_count)
		node->set_count = merge(compiler, a, b, false);
	compiler->sets_count += node->set_count;
	return 0;
}

/* Upwards: which decisions would cost a subtree the fewest prefixes if it inherited them. */
static int build(struct compiler *compiler, size_t index, unsigned int port, unsigned int length)
{
	unsigned int half = 1u << PORT_BITS >> length >> 1;
	size_t decision, children;
	int r;

	if (uniform(compiler, port, port + (1u << PORT_BITS >> length) - 1, &decision))
		return set_leaf(compiler, index, decision);
	r = grow(&compiler->nodes, &compiler->nodes_capacity, compiler->nodes_count + 2,
		sizeof(*compiler->nodes));
	if (r < 0)
		return r;
	children = compiler->nodes_count;
	compiler->nodes_count += 2;
	memset(&compiler->nodes[children], 0, 2 * sizeof(*compiler->nodes));
	compiler->nodes[index].children = children;
	r = build(compiler, children, port, length + 1);
	if (r < 0)
		return r;
	r = build(compiler, children + 1, port + half, length + 1);
	if (r < 0)
		return r;
	return set_inner(compiler, index);
}

static bool contains(const struct compiler *compiler, const struct node *node, size_t decision)
{
	for (size_t i = 0; i < node->set_count; i++)
		if (compiler->sets[node->set + i] == decision)
			return true;
	return false;
}

/* Downwards: a prefix only where what is inherited is no candidate. */
static int choose(struct compiler *compiler, size_t index, unsigned int port, unsigned int length,
	size_t inherited)
{
	const struct node *node = &compiler->nodes[index];
	unsigned int half = 1u << PORT_BITS >> length >> 1;
	int r;

	if (!contains(compiler, node, inherited)) {
		r = grow(&compiler->prefixes, &compiler->prefixes_capacity,
			compiler->prefixes_count + 1, sizeof(*compiler->prefixes));
		if (r < 0)
			return r;
		inherited = compiler->sets[node->set];
		compiler->prefixes[compiler->prefixes_count++] = (struct port_prefix){
			.port = (uint16_t)port,
			.length = (uint8_t)length,
			.decision = compiler->decisions[inherited],
		};
	}
	if (!node->children)
		return 0;
	r = choose(compiler, node->children, port, length + 1, inherited);
	if (r < 0)
		return r;
	return choose(compiler, node->children + 1, port + half, length + 1, inherited);
}

int port_prefixes_compile(const struct ir_port_range *ranges, size_t ranges_count,
	const struct decision *otherwise, struct port_prefix **ret, size_t *ret_count)
{
	_cleanup_(compiler_clear) struct compiler compiler = {
		.ranges = ranges,
		.ranges_count = ranges_count,
	};
	int r;

	r = number_decisions(&compiler, otherwise);
	if (r < 0)
		return r;
	r = grow(&compiler.nodes, &compiler.nodes_capacity, 1, sizeof(*compiler.nodes));
	if (r < 0)
		return r;
	compiler.nodes[compiler.nodes_count++] = (struct node){0};
	r = build(&compiler, 0, 0, 0);
	if (r < 0)
		return r;
	r = choose(&compiler, 0, 0, 0, OTHERWISE);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(compiler.prefixes);
	*ret_count = compiler.prefixes_count;
	return 0;
}
