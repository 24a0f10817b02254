/* SPDX-License-Identifier: MIT */
/* The balanced tree, in every shape that few nodes can have. */
#include "base/base.h"

#include "test.h"

enum {
	FEW = 7,
	MANY = 10000
};

static struct tree tree;
static struct tree_node nodes[MANY];

static struct tree_node *add_node(int i, uintptr_t key)
{
	nodes[i].key = key;
	tree_insert(&tree, &nodes[i]);
	return &nodes[i];
}

/* The keys 10, 20, 30 ... , ascending. */
static void add_tens(int count)
{
	for (int i = 0; i < count; i++)
		add_node(i, 10 * ((uintptr_t)i + 1));
}

TEST(an_empty_tree_has_no_nodes)
{
	EXPECT(!tree_first(&tree));
	EXPECT(!tree_find(&tree, 0));
	EXPECT(!tree_floor(&tree, UINTPTR_MAX));
	EXPECT(!tree_ceiling(&tree, 0));
	EXPECT_EQ(tree_check(&tree), 0);
}

TEST(a_node_is_found_by_its_key_and_by_no_other)
{
	add_tens(FEW);
	for (uintptr_t key = 0; key <= 10 * FEW + 10; key++) {
		struct tree_node *found = tree_find(&tree, key);

		EXPECT_EQ(found != NULL,
			  key % 10 == 0 && key >= 10 && key <= 10 * FEW);
		EXPECT(!found || found->key == key);
	}
}

TEST(floor_and_ceiling_are_the_nearest_keys)
{
	add_tens(FEW);
	for (uintptr_t key = 10; key <= 10 * FEW; key++) {
		EXPECT_EQ(tree_floor(&tree, key)->key, key / 10 * 10);
		EXPECT_EQ(tree_ceiling(&tree, key)->key, (key + 9) / 10 * 10);
	}
	EXPECT(!tree_floor(&tree, 9));
	EXPECT(!tree_ceiling(&tree, 10 * FEW + 1));
}

TEST(the_least_and_the_greatest_word_are_keys)
{
	struct tree_node *last = add_node(0, UINTPTR_MAX);
	struct tree_node *first = add_node(1, 0);

	EXPECT_EQ(tree_first(&tree), first);
	EXPECT_EQ(tree_next(&tree, first), last);
	EXPECT(!tree_next(&tree, last));
	EXPECT_EQ(tree_floor(&tree, UINTPTR_MAX), last);
	EXPECT_EQ(tree_ceiling(&tree, 0), first);
	EXPECT_EQ(tree_check(&tree), 2);
}

TEST(next_goes_on_from_a_node_that_was_removed)
{
	add_tens(FEW);
	tree_remove(&tree, &nodes[2]);
	EXPECT_EQ(tree_next(&tree, &nodes[2]), &nodes[3]);
}

/* Order number @number, below the factorial of FEW, of the first few words. */
static void permute(unsigned int number, uintptr_t *keys)
{
	for (unsigned int i = 0; i < FEW; i++)
		keys[i] = i;
	for (unsigned int i = FEW; i > 1; i--) {
		unsigned int j = number % i;
		uintptr_t key = keys[i - 1];

		keys[i - 1] = keys[j];
		keys[j] = key;
		number /= i;
	}
}

TEST(any_node_leaves_a_tree_of_any_shape_whole)
{
	enum {
		ORDERS = 5040
	}; /* factorial of FEW */
	uintptr_t keys[FEW];

	for (unsigned int order = 0; order < ORDERS * FEW; order++) {
		struct tree_node *gone = &nodes[order % FEW];

		tree.root = NULL;
		permute(order / FEW, keys);
		for (int i = 0; i < FEW; i++) {
			add_node(i, keys[i]);
			EXPECT_EQ(tree_check(&tree), i + 1);
		}
		tree_remove(&tree, gone);
		EXPECT_EQ(tree_check(&tree), FEW - 1);
		EXPECT(!tree_find(&tree, gone->key));
	}
}

TEST(keys_in_ascending_order_do_not_make_a_list)
{
	add_tens(MANY);
	EXPECT_EQ(tree_check(&tree), MANY);
	EXPECT(tree.root->height <= 19); /* 1.44 * log2(MANY + 2) */
}

TEST(two_nodes_of_one_key_are_refused)
{
	add_tens(FEW);
	EXPECT_PANIC("two nodes of one key", add_node(FEW, 30));
}

TEST(a_node_of_no_tree_cannot_be_removed)
{
	add_tens(FEW);
	tree_remove(&tree, &nodes[2]);
	EXPECT_PANIC("not in its tree", tree_remove(&tree, &nodes[2]));
	nodes[FEW].key = nodes[3].key;
	EXPECT_PANIC("not in its tree", tree_remove(&tree, &nodes[FEW]));
}

TEST(check_sees_a_key_out_of_order)
{
	add_tens(FEW);
	EXPECT_EQ(tree.root, &nodes[3]);
	nodes[0].key = 45; /* the least, yet larger than the root's */
	EXPECT_PANIC("key <= greatest", tree_check(&tree));
	nodes[0].key = 10;
	nodes[6].key = 35;
	EXPECT_PANIC("key >= least", tree_check(&tree));
}

TEST(check_sees_a_wrong_height)
{
	add_tens(FEW);
	tree.root->height++;
	EXPECT_PANIC("height", tree_check(&tree));
}

TEST(check_sees_a_side_that_is_two_higher)
{
	add_tens(FEW);
	nodes[5].child[0] = NULL; /* takes the leaves of the larger side off */
	nodes[5].child[1] = NULL;
	nodes[5].height = 1;
	EXPECT_EQ(tree_check(&tree), FEW - 2);
	tree.root->child[1] = NULL;
	EXPECT_PANIC("+ 1", tree_check(&tree));
}
