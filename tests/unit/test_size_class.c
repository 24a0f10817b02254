/* SPDX-License-Identifier: MIT */
/* Size classes, against their definition, for every size there is. */
#include "slab/size_class.h"

#include "test.h"

TEST(every_size_gets_the_smallest_class_that_holds_it)
{
	for (size_t size = 0; size <= SLAB_SIZE_MAX; size++) {
		unsigned int class = size_class_of(size);

		EXPECT(class >= 1 && class <= SIZE_CLASSES);
		EXPECT(size_class_bytes(class) >= size);
		EXPECT(class == 1 || size_class_bytes(class - 1) < size);
	}
}

TEST(classes_are_rising_multiples_of_sixteen)
{
	for (unsigned int class = 1; class <= SIZE_CLASSES; class ++) {
		EXPECT_EQ(size_class_bytes(class) % QUANTUM, 0);
		EXPECT(class == 1 ||
		       size_class_bytes(class) > size_class_bytes(class - 1));
	}
	EXPECT_EQ(size_class_bytes(1), QUANTUM);
	EXPECT_EQ(size_class_bytes(SIZE_CLASSES), SLAB_SIZE_MAX);
}

TEST(waste_is_at_most_a_fifth_above_128_bytes_and_a_ninth_above_1024)
{
	for (size_t size = 1; size <= SLAB_SIZE_MAX; size++) {
		size_t bytes = size_class_bytes(size_class_of(size));

		if (size <= 128)
			EXPECT(bytes - size < QUANTUM);
		else
			EXPECT((bytes - size) * (size <= 1024 ? 5 : 9) <=
			       bytes);
	}
}

TEST(every_power_of_two_is_a_class)
{
	for (size_t size = QUANTUM; size <= SLAB_SIZE_MAX; size *= 2)
		EXPECT_EQ(size_class_bytes(size_class_of(size)), size);
}

/* The smallest class that holds @size bytes and is a multiple of @align. */
static unsigned int naive_class_aligned(size_t size, size_t align)
{
	unsigned int class = 1;

	while (size_class_bytes(class) < size ||
	       size_class_bytes(class) % align != 0)
		class ++;
	return class;
}

TEST(every_size_and_alignment_get_the_smallest_class_that_serves_both)
{
	for (size_t align = 1; align <= SLAB_ALIGN_MAX; align *= 2) {
		for (size_t size = 0; size <= SLAB_SIZE_MAX; size++)
			EXPECT_EQ(size_class_aligned(size, align),
				  naive_class_aligned(size, align));
	}
}

TEST(every_size_gets_the_smallest_run_class_that_holds_it)
{
	for (size_t size = SLAB_SIZE_MAX + 1; size <= RUN_BYTES_MAX; size++) {
		unsigned int class = run_class_of(size);

		EXPECT(is_run_class(class));
		EXPECT(size_class_bytes(class) >= size);
		EXPECT(class == RUN_CLASS_FIRST ||
		       size_class_bytes(class - 1) < size);
		EXPECT((size_class_bytes(class) - size) * 9 <=
		       size_class_bytes(class));
	}
	EXPECT_EQ(size_class_bytes(RUN_CLASS_LAST), RUN_BYTES_MAX);
	EXPECT(!is_run_class(SIZE_CLASSES) &&
	       !is_run_class(RUN_CLASS_LAST + 1));
}
