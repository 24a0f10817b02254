/* SPDX-License-Identifier: MIT */
/*
 * A balanced search tree (AVL), linked through a member of its elements, like
 * the kernel's struct rb_root.
 *
 * Each element has a key, a word, and no two of one tree have the same. The
 * links live in the elements, so nothing here allocates or can fail. A tree has
 * no lock: whoever owns it has one.
 */
#ifndef BASE_TREE_H
#define BASE_TREE_H

#include <stddef.h>
#include <stdint.h>

struct tree_node {
	struct tree_node *child[2]; /* smaller keys, larger keys */
	uintptr_t key;		    /* set by the user before tree_insert() */
	unsigned int height;	    /* of the subtree: 1 for a leaf */
};

/* All zero is an empty tree. */
struct tree {
	struct tree_node *root;
};

/*
 * Add @node, whose key is set and is not in @tree; a key that is there already
 * is a panic. O(log n).
 */
void tree_insert(struct tree *tree, struct tree_node *node);

/* Take @node off @tree; a panic if it's not there. O(log n). */
void tree_remove(struct tree *tree, struct tree_node *node);

/* The node of @key, or NULL. O(log n). */
struct tree_node *tree_find(const struct tree *tree, uintptr_t key);

/* The node of the greatest key <= @key, or NULL. O(log n). */
struct tree_node *tree_floor(const struct tree *tree, uintptr_t key);

/* The node of the least key >= @key, or NULL. O(log n). */
struct tree_node *tree_ceiling(const struct tree *tree, uintptr_t key);

/* The node of the least key of all, or NULL. O(log n). */
struct tree_node *tree_first(const struct tree *tree);

/*
 * The node of the least key > @node's, or NULL. O(log n). Only the key is read,
 * so @node may have been removed meanwhile, if it's still readable.
 */
struct tree_node *tree_next(const struct tree *tree,
			    const struct tree_node *node);

/* Panic if an invariant is broken; the number of nodes. O(n). */
size_t tree_check(const struct tree *tree);

#endif
