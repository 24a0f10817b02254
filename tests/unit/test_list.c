/* SPDX-License-Identifier: MIT */
/* The linked list, against an array. */
#include "base/base.h"

#include "test.h"

struct item {
	int number;
	struct list links;
};

static struct item item[10];

static struct item *item_of(struct list *links)
{
	return container_of(links, struct item, links);
}

static void number_items(void)
{
	for (int i = 0; i < (int)ARRAY_SIZE(item); i++) {
		item[i].number = i;
		list_init(&item[i].links);
	}
}

/* The list holds @count items of these numbers, and is whole both ways. */
static void expect_numbers(struct list *list, int count, const int *number)
{
	int i = 0;

	list_for_each(links, list) {
		EXPECT(i < count);
		EXPECT_EQ(item_of(links)->number, number[i]);
		EXPECT_EQ(links->next->prev, links);
		EXPECT_EQ(links->prev->next, links);
		i++;
	}
	EXPECT_EQ(i, count);
	EXPECT_EQ(list_empty(list), count == 0);
}

TEST(new_list_is_empty)
{
	struct list list;

	list_init(&list);
	EXPECT(list_empty(&list));
	expect_numbers(&list, 0, NULL);
}

TEST(head_and_tail_are_the_two_ends)
{
	const int order[] = { 3, 1, 2, 4 };
	struct list list;

	number_items();
	list_init(&list);
	list_add_head(&list, &item[1].links);
	list_add_tail(&list, &item[2].links);
	list_add_head(&list, &item[3].links);
	list_add_tail(&list, &item[4].links);
	expect_numbers(&list, 4, order);
	EXPECT_EQ(list_first(&list, struct item, links), &item[3]);
}

TEST(item_goes_in_after_the_one_that_is_named)
{
	const int order[] = { 0, 5, 1 };
	struct list list;

	number_items();
	list_init(&list);
	list_add_tail(&list, &item[0].links);
	list_add_tail(&list, &item[1].links);
	list_insert_after(&item[0].links, &item[5].links);
	expect_numbers(&list, 3, order);
}

TEST(removed_item_is_on_no_list_and_may_be_removed_again)
{
	const int order[] = { 0, 2 };
	struct list list;

	number_items();
	list_init(&list);
	for (int i = 0; i < 3; i++)
		list_add_tail(&list, &item[i].links);
	list_remove(&item[1].links);
	expect_numbers(&list, 2, order);
	EXPECT(list_empty(&item[1].links));
	list_remove(&item[1].links);
	expect_numbers(&list, 2, order);
	list_remove(&item[0].links);
	list_remove(&item[2].links);
	expect_numbers(&list, 0, NULL);
}

TEST(items_may_be_removed_while_the_list_is_walked)
{
	const int odd[] = { 1, 3, 5, 7, 9 };
	struct list list;

	number_items();
	list_init(&list);
	for (size_t i = 0; i < ARRAY_SIZE(item); i++)
		list_add_tail(&list, &item[i].links);
	list_for_each_safe(links, following, &list) {
		if (item_of(links)->number % 2 == 0)
			list_remove(links);
	}
	expect_numbers(&list, 5, odd);
}
