/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classes after policies have come and gone: bits that nobody asks for any more vanish from the
 * vectors, and classes that only those told apart become one; then new bits split classes. What a
 * class was for the tables of before, its parts are, so only the new policies' own tables are made.
 */
#include "policies/ir_follow_policies.h"

#include "base/cleanup.h"
#include "policies/array.h"

#include <errno.h>

/* Bits that are added in one go: then what a place gets fits into one word. */
#define ADDED_MAX 64

/* Where something has a class: a prefix, or an address. */
struct place {
	uint64_t bits;   /* of added, that hold here */
	uint32_t *class; /* in the IR */
};

struct regroup {
	struct compile *compile;
	const struct bit_list *added;
	struct place *places; /* prefixes, then addresses */
	size_t places_count;
	uint64_t *shape_bits; /* by shape: of added */
	uint64_t host_bits;
	uint64_t world_bits;
	uint64_t *kept;      /* by class: the bits of those that stay in it … */
	bool *seen;          /* … where anybody is in it */
	struct intern parts; /* (class, bits) of those that do not */
	uint32_t *part_of;   /* by part: the class that was split … */
	struct class_parts chains;
};

static size_t vector_size(const struct compile *compile)
{
	return (compile->matcher_words + compile->name_words + 1) * sizeof(uint64_t);
}

/* --- bits that go -------------------------------------------------------------------------------
 */

/* The class that c is now, behind taking bits away: another one where that has the same vector. */
static int clean_class(
	struct compile *compile, const struct bit_list *removed, uint32_t c, uint32_t *ret)
{
	uint64_t *vector = compile->classes[c].vector;
	bool has = false;
	int r;

	*ret = c;
	for (size_t i = 0; i < removed->count; i++)
		has |= bitset_has(vector, removed->items[i]);
	if (!has)
		return 0;
	if (compile->classes[c].merged)
		return 0;
	intern_remove(&compile->class_keys, vector, vector_size(compile));
	for (size_t i = 0; i < removed->count; i++)
		bitset_unset(vector, removed->items[i]);
	r = intern_as(&compile->class_keys, vector, vector_size(compile), c);
	if (r != -EEXIST)
		return r;
	compile->classes[c].merged = true;
	return intern_find(&compile->class_keys, vector, vector_size(compile), ret);
}

static void clean_shapes(struct compile *compile, const struct bit_list *removed)
{
	size_t matchers = compile->matcher_words * BITSET_WORD_BITS;

	for (size_t k = 0; k < removed->count; k++) {
		size_t bit = removed->items[k];

		if (bit >= matchers) {
			bitset_unset(compile->egress_names, bit - matchers);
			continue;
		}
		bitset_unset(compile->world, bit);
		bitset_unset(compile->host, bit);
		for (size_t i = 0; i < compile->shapes_count; i++)
			bitset_unset(compile->shapes[i].matches, bit);
	}
}

/* Takes the CIDRs of matchers that nobody uses out of the list. */
static void drop_changes(struct compile *compile)
{
	size_t kept = 0;

	for (size_t i = 0; i < compile->changes_count; i++) {
		const struct change *change = &compile->changes[i];

		if (change->matcher == MATCHER_EVERYONE || compile->matchers[change->matcher].uses)
			compile->changes[kept++] = *change;
	}
	compile->changes_count = kept;
}

int follow_removed_bits(struct compile *compile, const struct bit_list *removed)
{
	struct ir *ir = compile->ir;
	_cleanup_free_ uint32_t *now = calloc(compile->classes_count + 1, sizeof(*now));

	if (!now)
		return -ENOMEM;
	for (uint32_t i = 0; i < compile->classes_count; i++)
		if (clean_class(compile, removed, i, &now[i]) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < ir->prefixes_count; i++)
		ir->prefixes[i].class = now[ir->prefixes[i].class];
	for (size_t i = 0; i < ir->addresses_count; i++)
		ir->addresses[i].class = now[ir->addresses[i].class];
	clean_shapes(compile, removed);
	drop_changes(compile);
	for (size_t i = 0; i < removed->count; i++)
		if (removed->items[i] < compile->matcher_words * BITSET_WORD_BITS &&
			compile_free_matcher(compile, (uint32_t)removed->items[i]) < 0)
			return -ENOMEM;
	return 0;
}

/* --- prefixes -----------------------------------------------------------------------------------
 */

/* The innermost prefix of before around a new one: what holds there holds here, too. */
static uint32_t class_around(const struct ir *ir, size_t before, const struct prefix *prefix)
{
	while (before > 0 && !prefix_covers(&ir->prefixes[before - 1].prefix, prefix))
		before--;
	/* The two roots are always there. */
	return ir->prefixes[before - 1].class;
}

/* The list of prefixes is what changes name. */
static int take_prefixes(struct compile *compile)
{
	struct ir *ir = compile->ir;
	_cleanup_free_ struct ir_prefix *prefixes = NULL;
	size_t count = 0, old = 0;

	qsort(compile->changes, compile->changes_count, sizeof(*compile->changes),
		compile_compare_changes);
	for (size_t i = 0; i < compile->changes_count; i++) {
		const struct prefix *prefix = &compile->changes[i].prefix;
		struct ir_prefix *slot;

		if (count && !prefix_compare(&prefixes[count - 1].prefix, prefix))
			continue;
		slot = array_append(prefixes, count);
		if (!slot)
			return -ENOMEM;
		while (old < ir->prefixes_count &&
			prefix_compare(&ir->prefixes[old].prefix, prefix) < 0)
			old++;
		slot->prefix = *prefix;
		if (old < ir->prefixes_count && !prefix_compare(&ir->prefixes[old].prefix, prefix))
			slot->class = ir->prefixes[old].class;
		else
			slot->class = class_around(ir, old, prefix);
	}
	if (count > IR_PREFIXES_MAX)
		return -EAGAIN;
	free(ir->prefixes);
	ir->prefixes = TAKE_PTR(prefixes);
	ir->prefixes_count = count;
	return 0;
}

/* --- bits that come -----------------------------------------------------------------------------
 */

static struct address last_address(const struct prefix *prefix)
{
	struct address last = prefix->address;

	for (unsigned int bit = prefix->length; bit < 128; bit++)
		last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return last;
}

/* The first prefix or address that is not before this address. */
static size_t lower_bound(
	const void *items, size_t count, size_t size, const struct address *address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		/* Both begin with their address. */
		if (address_compare((const void *)((const char *)items + middle * size), address) <
			0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

_Static_assert(offsetof(struct ir_prefix, prefix.address) == 0 &&
		       offsetof(struct ir_address, address) == 0,
	"lower_bound() takes either");

static void count_change(const struct ir *ir, const struct change *change, int *counts)
{
	const struct prefix *prefix = &change->prefix;
	struct address last = last_address(prefix);

	for (size_t i = lower_bound(
		     ir->prefixes, ir->prefixes_count, sizeof(*ir->prefixes), &prefix->address);
		i < ir->prefixes_count &&
		address_compare(&ir->prefixes[i].prefix.address, &last) <= 0;
		i++)
		if (prefix_covers(prefix, &ir->prefixes[i].prefix))
			counts[i] += change->delta;
	for (size_t i = lower_bound(
		     ir->addresses, ir->addresses_count, sizeof(*ir->addresses), &prefix->address);
		i < ir->addresses_count && address_compare(&ir->addresses[i].address, &last) <= 0;
		i++)
		if (prefix_contains(prefix, &ir->addresses[i].address))
			counts[ir->prefixes_count + i] += change->delta;
}

/* Where the CIDRs of one matcher hold; changes are those that were added for it. */
static int mark_cidrs(
	struct regroup *regroup, const struct change *changes, size_t count, unsigned int bit)
{
	_cleanup_free_ int *counts = NULL;

	if (!count)
		return 0;
	counts = calloc(regroup->places_count + 1, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		count_change(regroup->compile->ir, &changes[i], counts);
	for (size_t i = 0; i < regroup->places_count; i++)
		if (counts[i] > 0)
			regroup->places[i].bits |= UINT64_C(1) << bit;
	return 0;
}

static void mark_matcher(struct regroup *regroup, uint32_t matcher, unsigned int bit)
{
	struct compile *compile = regroup->compile;
	uint64_t mask = UINT64_C(1) << bit;

	for (size_t i = 0; i < compile->shapes_count; i++) {
		struct shape *shape = &compile->shapes[i];

		if (!shape_satisfies(shape, compile->matchers[matcher].rule))
			continue;
		bitset_set(shape->matches, matcher);
		regroup->shape_bits[i] |= mask;
	}
	if (bitset_has(compile->world, matcher))
		regroup->world_bits |= mask;
	if (bitset_has(compile->host, matcher))
		regroup->host_bits |= mask;
}

static void mark_name(struct regroup *regroup, size_t number, unsigned int bit)
{
	struct compile *compile = regroup->compile;

	bitset_set(compile->egress_names, number);
	for (size_t i = 0; i < compile->shapes_count; i++)
		if (bitset_has(compile->shapes[i].names, number))
			regroup->shape_bits[i] |= UINT64_C(1) << bit;
}

/* How many of the changes behind the former ones are of each added bit is in ends. */
static int add_changes(struct regroup *regroup, size_t ends[static ADDED_MAX])
{
	struct compile *compile = regroup->compile;
	size_t matchers = compile->matcher_words * BITSET_WORD_BITS;

	for (size_t i = 0; i < regroup->added->count; i++) {
		size_t bit = regroup->added->items[i];

		if (bit < matchers && compile_add_matcher(compile, (uint32_t)bit) < 0)
			return -ENOMEM;
		ends[i] = compile->changes_count;
	}
	return 0;
}

static int list_places(struct regroup *regroup)
{
	struct ir *ir = regroup->compile->ir;

	regroup->places_count = ir->prefixes_count + ir->addresses_count;
	regroup->places = calloc(regroup->places_count + 1, sizeof(*regroup->places));
	if (!regroup->places)
		return -ENOMEM;
	for (size_t i = 0; i < ir->prefixes_count; i++)
		regroup->places[i].class = &ir->prefixes[i].class;
	for (size_t i = 0; i < ir->addresses_count; i++)
		regroup->places[ir->prefixes_count + i].class = &ir->addresses[i].class;
	return 0;
}

/* The places' bits by what is there; by CIDR they have them already. */
static void mark_places(struct regroup *regroup)
{
	const struct compile *compile = regroup->compile;
	const struct ir *ir = compile->ir;
	struct place *place = regroup->places;

	for (size_t i = 0; i < ir->prefixes_count; i++)
		(place++)->bits |= regroup->world_bits;
	for (size_t i = 0; i < ir->addresses_count; i++) {
		int64_t workload = ir->addresses[i].workload;

		(place++)->bits |=
			workload < 0 ? regroup->host_bits
				     : regroup->shape_bits[compile->workload_shapes[workload]];
	}
}

static int mark(struct regroup *regroup)
{
	struct compile *compile = regroup->compile;
	size_t matchers = compile->matcher_words * BITSET_WORD_BITS;
	size_t begin = compile->changes_count, ends[ADDED_MAX], added_changes;
	_cleanup_free_ struct change *changes = NULL;

	regroup->shape_bits = calloc(compile->shapes_count + 1, sizeof(uint64_t));
	if (!regroup->shape_bits || add_changes(regroup, ends) < 0)
		return -ENOMEM;
	/* Sorting will mix them with the others. */
	added_changes = compile->changes_count - begin;
	changes = calloc(added_changes + 1, sizeof(*changes));
	if (!changes)
		return -ENOMEM;
	if (added_changes)
		memcpy(changes, &compile->changes[begin], added_changes * sizeof(*changes));
	if (take_prefixes(compile) < 0 || list_places(regroup) < 0)
		return -EAGAIN;
	for (unsigned int i = 0; i < regroup->added->count; i++) {
		size_t bit = regroup->added->items[i], first = i ? ends[i - 1] - begin : 0;

		if (bit < matchers)
			mark_matcher(regroup, (uint32_t)bit, i);
		else
			mark_name(regroup, bit - matchers, i);
		if (mark_cidrs(regroup, changes + first, ends[i] - begin - first, i) < 0)
			return -ENOMEM;
	}
	mark_places(regroup);
	return 0;
}

/* --- splitting ----------------------------------------------------------------------------------
 */

/* Which places stay in a class: those without new bits, or, where all have some, the first one's
 * like. */
static int choose_kept(struct regroup *regroup)
{
	size_t count = regroup->compile->classes_count;

	regroup->kept = calloc(count + 1, sizeof(*regroup->kept));
	regroup->seen = calloc(count + 1, sizeof(*regroup->seen));
	if (!regroup->kept || !regroup->seen)
		return -ENOMEM;
	for (size_t i = 0; i < regroup->places_count; i++) {
		const struct place *place = &regroup->places[i];

		if (!regroup->seen[*place->class] || !place->bits)
			regroup->kept[*place->class] = place->bits;
		regroup->seen[*place->class] = true;
	}
	return 0;
}

static void set_bits(const struct regroup *regroup, uint64_t *vector, uint64_t bits)
{
	for (; bits; bits &= bits - 1)
		bitset_set(vector, regroup->added->items[__builtin_ctzll(bits)]);
}

/* A class of its own for those of a class that have these bits. */
static int split_off(struct regroup *regroup, uint32_t class, uint64_t bits, uint32_t *ret)
{
	struct compile *compile = regroup->compile;
	const struct {
		uint64_t class, bits;
	} key = {class, bits};
	struct class_content *slot;
	uint32_t number, *part;
	int r = intern(&regroup->parts, &key, sizeof(key), &number);

	*ret = regroup->chains.base + number;
	if (r <= 0)
		return r;
	part = array_append(regroup->part_of, regroup->chains.count);
	slot = part ? array_append(compile->classes, compile->classes_count) : NULL;
	if (!slot)
		return -ENOMEM;
	*part = class;
	slot->host = compile->classes[class].host;
	slot->vector = malloc(vector_size(compile));
	if (!slot->vector)
		return -ENOMEM;
	memcpy(slot->vector, compile->classes[class].vector, vector_size(compile));
	set_bits(regroup, slot->vector, bits);
	return intern_as(&compile->class_keys, slot->vector, vector_size(compile), *ret);
}

static int move_places(struct regroup *regroup)
{
	for (size_t i = 0; i < regroup->places_count; i++) {
		struct place *place = &regroup->places[i];
		int r;

		if (place->bits == regroup->kept[*place->class])
			continue;
		r = split_off(regroup, *place->class, place->bits, place->class);
		if (r < 0)
			return r;
	}
	return regroup->compile->classes_count > IR_CLASSES_MAX ? -EAGAIN : 0;
}

/* Who stays in a class may have got new bits, too: then they are the class's. */
static int rekey_classes(struct regroup *regroup)
{
	struct compile *compile = regroup->compile;

	for (uint32_t i = 0; i < regroup->chains.base; i++) {
		uint64_t *vector = compile->classes[i].vector;

		if (!regroup->kept[i])
			continue;
		intern_remove(&compile->class_keys, vector, vector_size(compile));
		set_bits(regroup, vector, regroup->kept[i]);
		if (intern_as(&compile->class_keys, vector, vector_size(compile), i) < 0)
			return -ENOMEM;
	}
	/* Numbers that only intern() gives out go on behind all. */
	compile->class_keys.count = (uint32_t)compile->classes_count;
	return 0;
}

static int tell_tables(struct regroup *regroup)
{
	struct class_parts *chains = &regroup->chains;

	if (!chains->count)
		return 0;
	chains->first = malloc(regroup->compile->classes_count * sizeof(*chains->first));
	chains->next = malloc(chains->count * sizeof(*chains->next));
	if (!chains->first || !chains->next)
		return -ENOMEM;
	memset(chains->first, 0xff, regroup->compile->classes_count * sizeof(*chains->first));
	for (uint32_t i = 0; i < chains->count; i++) {
		chains->next[i] = chains->first[regroup->part_of[i]];
		chains->first[regroup->part_of[i]] = chains->base + i;
	}
	return compile_split_classes(regroup->compile, chains);
}

static void regroup_clear(struct regroup *regroup)
{
	free(regroup->places);
	free(regroup->shape_bits);
	free(regroup->kept);
	free(regroup->seen);
	intern_clear(&regroup->parts);
	free(regroup->part_of);
	free(regroup->chains.first);
	free(regroup->chains.next);
}

int follow_added_bits(struct compile *compile, const struct bit_list *added)
{
	_cleanup_(regroup_clear) struct regroup regroup = {.compile = compile, .added = added};
	int r;

	if (added->count > ADDED_MAX)
		return -EAGAIN;
	regroup.chains.base = (uint32_t)compile->classes_count;
	r = mark(&regroup);
	if (!r)
		r = choose_kept(&regroup);
	if (!r)
		r = move_places(&regroup);
	if (!r)
		r = rekey_classes(&regroup);
	return r < 0 ? r : tell_tables(&regroup);
}
