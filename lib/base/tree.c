/* SPDX-License-Identifier: MIT */
/* The balanced search tree. */
/*
 * A node has no link to its parent. A change walks down once and notes the
 * links it followed, then goes back over them and repairs each subtree. Insert
 * and remove differ only in what they hang on the last link.
 *
 * Source: G. M. Adelson-Velsky and E. M. Landis, "An algorithm for the
 * organization of information", 1962; Knuth, The Art of Computer Programming 3,
 * 6.2.3.
 */
#include "base/tree.h"

#include "base/panic.h"

enum {
	SMALLER,
	LARGER,
	/*
	 * A tree of n nodes is at most 1.44 * log2(n + 2) high. As many nodes
	 * of 32 bytes as fill 64 bits of addresses, 2^59, make it 85.
	 */
	HEIGHT_MAX = 88,
};

/* The links from the root down to a node, or to where it would be. */
struct path {
	struct tree_node **links[HEIGHT_MAX + 1];
	unsigned int length;
};

static unsigned int height_of(const struct tree_node *node)
{
	return node ? node->height : 0;
}

static void update_height(struct tree_node *node)
{
	unsigned int smaller = height_of(node->child[SMALLER]);
	unsigned int larger = height_of(node->child[LARGER]);

	node->height = 1 + (smaller > larger ? smaller : larger);
}

/* The side of @node that is higher than the other by more than @by, or -1. */
static int heavy_side(const struct tree_node *node, unsigned int by)
{
	unsigned int smaller = height_of(node->child[SMALLER]);
	unsigned int larger = height_of(node->child[LARGER]);

	if (smaller > larger + by)
		return SMALLER;
	if (larger > smaller + by)
		return LARGER;
	return -1;
}

/* Put the child on @side in the place of its parent, which becomes its child.
 */
static void rotate(struct tree_node **link, int side)
{
	struct tree_node *parent = *link, *child = parent->child[side];

	parent->child[side] = child->child[!side];
	child->child[!side] = parent;
	*link = child;
	update_height(parent);
	update_height(child);
}

/*
 * Repair the subtree at @link: its two sides are balanced, and their heights
 * differ by at most two.
 */
static void rebalance(struct tree_node **link)
{
	int side = heavy_side(*link, 1);

	if (side < 0) {
		update_height(*link);
		return;
	}
	if (heavy_side((*link)->child[side], 0) == !side)
		rotate(&(*link)->child[side], !side);
	rotate(link, side);
}

static void follow(struct path *path, struct tree_node **link)
{
	MUST(path->length <= HEIGHT_MAX);
	path->links[path->length++] = link;
}

/* The link that was followed last. */
static struct tree_node **end_of(struct path *path)
{
	return path->links[path->length - 1];
}

/* From the root to the node of @key, or to the empty link where it belongs. */
static void walk_to_key(struct path *path, struct tree *tree, uintptr_t key)
{
	struct tree_node **link = &tree->root;

	path->length = 0;
	follow(path, link);
	while (*link && (*link)->key != key) {
		link = &(*link)->child[key > (*link)->key];
		follow(path, link);
	}
}

/* Repair what the links of @path lead to, the lowest first. */
static void repair_path(struct path *path)
{
	while (path->length > 0) {
		struct tree_node **link = path->links[--path->length];

		if (*link)
			rebalance(link);
	}
}

void tree_insert(struct tree *tree, struct tree_node *node)
{
	struct path path;

	walk_to_key(&path, tree, node->key);
	if (*end_of(&path))
		panic("two nodes of one key in a tree", node);
	node->child[SMALLER] = NULL;
	node->child[LARGER] = NULL;
	node->height = 1;
	*end_of(&path) = node;
	repair_path(&path);
}

/*
 * The end of @path is a node with two children: exchange it for the next larger
 * one, and let @path end at the link that one has left.
 */
static void replace_by_next(struct path *path)
{
	struct tree_node **link = end_of(path), *node = *link, *next;
	unsigned int below = path->length;

	follow(path, &node->child[LARGER]);
	while ((*end_of(path))->child[SMALLER])
		follow(path, &(*end_of(path))->child[SMALLER]);
	next = *end_of(path);
	*end_of(path) = next->child[LARGER];
	next->child[SMALLER] = node->child[SMALLER];
	next->child[LARGER] = node->child[LARGER];
	*link = next;
	path->links[below] = &next->child[LARGER]; /* was a link of @node */
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
	struct path path;

	walk_to_key(&path, tree, node->key);
	if (*end_of(&path) != node)
		panic("a node to remove is not in its tree", node);
	if (node->child[SMALLER] && node->child[LARGER])
		replace_by_next(&path);
	else
		*end_of(&path) = node->child[node->child[SMALLER] == NULL];
	repair_path(&path);
}

struct tree_node *tree_find(const struct tree *tree, uintptr_t key)
{
	struct tree_node *node = tree->root;

	while (node && node->key != key)
		node = node->child[key > node->key];
	return node;
}

struct tree_node *tree_floor(const struct tree *tree, uintptr_t key)
{
	struct tree_node *node = tree->root, *best = NULL;

	while (node) {
		if (node->key <= key)
			best = node;
		node = node->child[node->key <= key];
	}
	return best;
}

struct tree_node *tree_ceiling(const struct tree *tree, uintptr_t key)
{
	struct tree_node *node = tree->root, *best = NULL;

	while (node) {
		if (node->key >= key)
			best = node;
		node = node->child[node->key < key];
	}
	return best;
}

struct tree_node *tree_first(const struct tree *tree)
{
	return tree_ceiling(tree, 0);
}

struct tree_node *tree_next(const struct tree *tree,
			    const struct tree_node *node)
{
	return node->key == UINTPTR_MAX ? NULL
					: tree_ceiling(tree, node->key + 1);
}

/*
 * Invariants:
 *
 * 1. Every key of the smaller side of a node is smaller, every key of the
 *    larger side larger than its own.
 * 2. A node's height is one more than that of its higher side.
 * 3. The heights of the two sides of a node differ by at most one.
 *
 * Rule 1 also ends the walk where links form a circle.
 */
static size_t check_subtree(const struct tree_node *node, uintptr_t least,
			    uintptr_t greatest)
{
	unsigned int smaller, larger;
	size_t count = 1;

	if (!node)
		return 0;
	MUST(node->key >= least && node->key <= greatest);
	if (node->child[SMALLER]) {
		MUST(node->key > least);
		count += check_subtree(node->child[SMALLER], least,
				       node->key - 1);
	}
	if (node->child[LARGER]) {
		MUST(node->key < greatest);
		count += check_subtree(node->child[LARGER], node->key + 1,
				       greatest);
	}
	smaller = height_of(node->child[SMALLER]);
	larger = height_of(node->child[LARGER]);
	MUST(node->height == 1 + (smaller > larger ? smaller : larger));
	MUST(smaller <= larger + 1 && larger <= smaller + 1);
	return count;
}

size_t tree_check(const struct tree *tree)
{
	return check_subtree(tree->root, 0, UINTPTR_MAX);
}
