/* SPDX-License-Identifier: MIT */
/* The recently freed mappings by size: find the smallest that is enough. */
/*
 * A bin has those whose sizes agree in their three highest bits; there is one
 * for each value of these, and a bit that tells whether it has any. So a search
 * looks at some of the bin that @bytes belongs to, and else at some of the next
 * bin that has any: all of those are large enough.
 *
 * The last that was added is in no bin yet: most often it's the next to be
 * taken, and then it never is.
 */
#include "vma/mapping.h"

enum {
	SEEN = 32, /* mappings of a bin that a search looks at */
};

unsigned int vma_bin_of(size_t bytes)
{
	unsigned int exponent = floor_log2(bytes);

	return exponent << 2 | (bytes >> (exponent - 2) & 3);
}

static void put_into_bin(struct bins *bins, struct mapping *mapping)
{
	unsigned int bin = vma_bin_of(mapping->bytes);

	if (!test_bit(bins->filled, bin)) {
		list_init(&bins->lists[bin]);
		set_bit(bins->filled, bin);
	}
	list_add_head(&bins->lists[bin], &mapping->bin);
}

static void put_last_into_bin(struct bins *bins)
{
	if (bins->last)
		put_into_bin(bins, bins->last);
	bins->last = NULL;
}

void vma_bins_add_locked(struct mapping *mapping)
{
	struct bins *bins = &vma_state.bins;

	put_last_into_bin(bins);
	bins->last = mapping;
}

void vma_bins_remove_locked(struct mapping *mapping)
{
	struct bins *bins = &vma_state.bins;
	unsigned int bin;

	if (mapping == bins->last) {
		bins->last = NULL;
		return;
	}
	bin = vma_bin_of(mapping->bytes);
	list_remove(&mapping->bin);
	if (list_empty(&bins->lists[bin]))
		clear_bit(bins->filled, bin);
}

/* The first bin from @bin on that has any, or BINS. */
static unsigned int next_filled(const struct bins *bins, unsigned int bin)
{
	unsigned int word = bin / WORD_BITS;
	uint64_t bits;

	if (bin >= BINS)
		return BINS;
	bits = bins->filled[word] & UINT64_MAX << (bin % WORD_BITS);
	while (bits == 0) {
		if (++word == BINS / WORD_BITS)
			return BINS;
		bits = bins->filled[word];
	}
	return word * WORD_BITS + (unsigned int)__builtin_ctzll(bits);
}

static bool holds(const struct mapping *mapping, size_t bytes, size_t align)
{
	uintptr_t start = round_up(mapping->node.key, align);

	return start < mapping_end(mapping) &&
	       mapping_end(mapping) - start >= bytes;
}

/* Of several that are equal, the last freed: more of it is in the processor's
 * caches. */
static struct mapping *find_best(const struct list *list, size_t bytes,
				 size_t align)
{
	struct mapping *best = NULL;
	unsigned int left = SEEN;

	list_for_each(link, list) {
		struct mapping *mapping =
			container_of(link, struct mapping, bin);

		if (left-- == 0)
			break;
		if (holds(mapping, bytes, align) &&
		    (!best || mapping->bytes < best->bytes))
			best = mapping;
	}
	return best;
}

struct mapping *vma_bins_find_locked(size_t bytes, size_t align)
{
	struct bins *bins = &vma_state.bins;
	struct mapping *best = NULL;

	if (bins->last && mapping_is_good_for(bins->last, bytes, align))
		return bins->last;
	put_last_into_bin(bins);
	for (unsigned int bin = next_filled(bins, vma_bin_of(bytes));
	     bin < BINS && !best; bin = next_filled(bins, bin + 1))
		best = find_best(&bins->lists[bin], bytes, align);
	return best;
}
