/* SPDX-License-Identifier: MIT */
/* The balanced tree against a sorted array. */
#include "base/base.h"

#include "test.h"

enum {
	KEYS = 300,
	OPERATIONS = 20000,
	SPREAD = 1000
};

/* The naive twin: the keys, sorted, inserted and removed by moving the rest. */
struct sorted_array {
	uintptr_t keys[KEYS];
	size_t count;
};

/* How many keys are smaller than @key: where it is, or belongs. */
static size_t array_rank(const struct sorted_array *array, uintptr_t key)
{
	size_t rank = 0;

	while (rank < array->count && array->keys[rank] < key)
		rank++;
	return rank;
}

static void array_insert(struct sorted_array *array, uintptr_t key)
{
	size_t rank = array_rank(array, key);

	for (size_t i = array->count++; i > rank; i--)
		array->keys[i] = array->keys[i - 1];
	array->keys[rank] = key;
}

static void array_remove(struct sorted_array *array, uintptr_t key)
{
	array->count--;
	for (size_t i = array_rank(array, key); i < array->count; i++)
		array->keys[i] = array->keys[i + 1];
}

/* @node is the one of rank @rank in @array, or none if there's no such rank. */
static void expect_rank(const struct sorted_array *array, size_t rank,
			const struct tree_node *node)
{
	if (rank >= array->count) /* also one below zero, wrapped */
		EXPECT(!node);
	else
		EXPECT(node && node->key == array->keys[rank]);
}

static void compare_lookups(const struct sorted_array *array,
			    const struct tree *tree, uintptr_t key)
{
	size_t rank = array_rank(array, key);
	bool present = rank < array->count && array->keys[rank] == key;

	expect_rank(array, present ? rank : SIZE_MAX, tree_find(tree, key));
	expect_rank(array, present ? rank : rank - 1, tree_floor(tree, key));
	expect_rank(array, rank, tree_ceiling(tree, key));
}

static void compare_walks(const struct sorted_array *array,
			  const struct tree *tree)
{
	const struct tree_node *node = tree_first(tree);

	for (size_t i = 0; i < array->count; i++) {
		expect_rank(array, i, node);
		node = tree_next(tree, node);
	}
	EXPECT(!node);
}

TEST(random_operations_agree_with_a_sorted_array)
{
	static struct tree_node nodes[KEYS];
	static bool used[KEYS];
	static struct sorted_array array;
	struct tree tree = { NULL };
	uint64_t random = test_seed();

	for (int i = 0; i < OPERATIONS; i++) {
		size_t slot = test_random(&random) % KEYS;
		uintptr_t key = test_random(&random) % SPREAD;
		struct tree_node *node = &nodes[slot];

		if (used[slot]) {
			tree_remove(&tree, node);
			array_remove(&array, node->key);
			used[slot] = false;
		} else if (!tree_find(&tree, key)) {
			node->key = key;
			tree_insert(&tree, node);
			array_insert(&array, key);
			used[slot] = true;
		}
		EXPECT_EQ(tree_check(&tree), array.count);
		compare_lookups(&array, &tree, key);
		if (i % 64 == 0)
			compare_walks(&array, &tree);
	}
}
