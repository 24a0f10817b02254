/* SPDX-License-Identifier: MIT */
/*
 * A circular doubly linked list, linked through a member of its elements, like
 * the kernel's struct list_head. An element that is on no list points at
 * itself.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list *list)
{
	return list->next == list;
}

static inline void list_insert_after(struct list *at, struct list *node)
{
	node->prev = at;
	node->next = at->next;
	at->next->prev = node;
	at->next = node;
}

static inline void list_add_head(struct list *list, struct list *node)
{
	list_insert_after(list, node);
}

static inline void list_add_tail(struct list *list, struct list *node)
{
	list_insert_after(list->prev, node);
}

/* Take @node off the list it is on; it may be on none. */
static inline void list_remove(struct list *node)
{
	node->next->prev = node->prev;
	node->prev->next = node->next;
	list_init(node);
}

#define list_first(head, type, member) container_of((head)->next, type, member)

#define list_for_each(node, head)                              \
	for (struct list *node = (head)->next; node != (head); \
	     node = node->next)

/* As list_for_each(), and the body may remove @node. */
#define list_for_each_safe(node, following, head)                       \
	for (struct list *node = (head)->next, *following = node->next; \
	     node != (head); node = following, following = node->next)

#endif
