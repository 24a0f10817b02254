/* SPDX-License-Identifier: MIT */
/* The per-CPU arrays: empty, full, opened, grown, and out of reach. */
#include "slab/cpu_array.h"

#include <sched.h>

#include "wake_page.h"

enum {
	ID = 7,
	LIMIT = 20,
	OBJECT_BYTES = 64,
};

static char objects[64];

/* Stay on one CPU, or every operation may see another array. */
static void wake_arrays(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	EXPECT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	wake_os();
	EXPECT(cpu_arrays_init());
}

static void wake_open_array(void)
{
	wake_arrays();
	EXPECT_EQ(cpu_array_assign(ID, LIMIT, OBJECT_BYTES), LIMIT);
	while (cpu_array_grow(ID, UINT32_MAX) < LIMIT)
		continue;
}

static bool give(void *object)
{
	return cpu_array_give(ID, &object, 1) == 1;
}

static void *take(void)
{
	void *object = NULL;

	return cpu_array_take(ID, &object, 1) == 1 ? object : NULL;
}

TEST(before_it_is_set_up_every_array_is_empty_and_full)
{
	void *object;

	for (unsigned int id = 0; id < CPU_ARRAYS; id++) {
		EXPECT(!cpu_array_pop(id, &object));
		EXPECT(!cpu_array_push(id, objects));
	}
}

TEST(untouched_array_is_empty_and_full_at_once)
{
	void *object;

	wake_arrays();
	for (unsigned int id = 0; id < CPU_ARRAYS; id++) {
		EXPECT(!cpu_array_pop(id, &object));
		EXPECT(!cpu_array_push(id, objects));
		EXPECT_EQ(cpu_array_take(id, &object, 1), 0);
		object = objects;
		EXPECT_EQ(cpu_array_give(id, &object, 1), 0);
	}
	EXPECT_EQ(cpu_arrays_count(ID), 0);
}

TEST(room_doubles_up_to_what_was_assigned)
{
	wake_arrays();
	EXPECT_EQ(cpu_array_grow(ID, UINT32_MAX), 0);
	EXPECT_EQ(cpu_array_assign(ID, LIMIT, OBJECT_BYTES), LIMIT);
	EXPECT_EQ(cpu_array_grow(ID, UINT32_MAX), 8);
	EXPECT_EQ(cpu_array_grow(ID, UINT32_MAX), 16);
	EXPECT_EQ(cpu_array_grow(ID, UINT32_MAX), LIMIT);
	EXPECT_EQ(cpu_array_grow(ID, UINT32_MAX), LIMIT);
}

TEST(growth_keeps_the_objects)
{
	wake_arrays();
	cpu_array_assign(ID, LIMIT, OBJECT_BYTES);
	cpu_array_grow(ID, UINT32_MAX);
	for (int i = 0; i < 8; i++)
		EXPECT(give(objects + i));
	EXPECT(!give(objects + 8));
	cpu_array_grow(ID, UINT32_MAX);
	EXPECT(give(objects + 8));
	for (int i = 9; i-- > 0;)
		EXPECT_EQ(take(), objects + i);
	EXPECT_EQ(take(), NULL);
}

TEST(last_object_in_is_the_first_one_out)
{
	wake_open_array();
	for (int i = 0; i < LIMIT; i++) {
		EXPECT(give(objects + i));
		EXPECT_EQ(cpu_arrays_count(ID), i + 1);
	}
	EXPECT(!give(objects));
	for (int i = LIMIT; i-- > 0;)
		EXPECT_EQ(take(), objects + i);
	EXPECT_EQ(take(), NULL);
	EXPECT_EQ(cpu_arrays_count(ID), 0);
}

TEST(hot_path_sees_what_the_slow_path_gave)
{
	void *object = NULL;

	wake_open_array();
	if (!os_rseq_is_attached())
		SKIP("no restartable sequences here");
	EXPECT(give(objects));
	EXPECT(cpu_array_push(ID, objects + 1));
	EXPECT(cpu_array_pop(ID, &object));
	EXPECT_EQ(object, objects + 1);
	EXPECT_EQ(take(), objects);
	EXPECT(!cpu_array_pop(ID, &object));
	for (int i = 0; i < LIMIT; i++)
		EXPECT(cpu_array_push(ID, objects + i));
	EXPECT(!cpu_array_push(ID, objects));
	EXPECT(cpu_array_pop(ID, &object));
	EXPECT_EQ(object, objects + LIMIT - 1);
}

TEST(batches_go_in_and_out_as_far_as_they_fit)
{
	void *batch[LIMIT + 5], *got[LIMIT + 5] = { NULL };

	for (int i = 0; i < LIMIT + 5; i++)
		batch[i] = objects + i;
	wake_open_array();
	EXPECT_EQ(cpu_array_give(ID, batch, 6), 6);
	EXPECT_EQ(cpu_array_give(ID, batch + 6, LIMIT - 1), LIMIT - 6);
	EXPECT_EQ(cpu_array_give(ID, batch, 1), 0);
	/* A batch comes out in the order of the slots, from the top. */
	EXPECT_EQ(cpu_array_take(ID, got, 3), 3);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(got[i], batch[LIMIT - 3 + i]);
	EXPECT_EQ(got[3], NULL);
	EXPECT_EQ(cpu_array_take(ID, got, LIMIT + 5), LIMIT - 3);
	for (int i = 0; i < LIMIT - 3; i++)
		EXPECT_EQ(got[i], batch[i]);
	EXPECT_EQ(cpu_array_take(ID, got, 1), 0);
}

/* An object of array @id, for its slot @slot. */
static void *mark_of(unsigned int id, unsigned int slot)
{
	return (void *)(((uintptr_t)id << 16) + slot);
}

static void fill_array(unsigned int id, unsigned int from, unsigned int to)
{
	for (unsigned int slot = from; slot < to; slot++) {
		void *mark = mark_of(id, slot);

		EXPECT_EQ(cpu_array_give(id, &mark, 1), 1);
	}
}

static void empty_array(unsigned int id, unsigned int count)
{
	void *object;

	while (count-- > 0) {
		EXPECT_EQ(cpu_array_take(id, &object, 1), 1);
		EXPECT_EQ(object, mark_of(id, count));
	}
	EXPECT_EQ(cpu_array_take(id, &object, 1), 0);
}

enum {
	SMALL = 32, /* room without slots of its own */
	LARGE = 80,
};

static void grow_to(unsigned int id, unsigned int room)
{
	for (unsigned int step = 8; step < room; step *= 2)
		EXPECT_EQ(cpu_array_grow(id, room), step);
	EXPECT_EQ(cpu_array_grow(id, room), room);
}

/* Half of them move to other slots. */
static void fill_and_empty_all(void)
{
	for (unsigned int id = 1; id < CPU_ARRAYS; id++) {
		EXPECT_EQ(cpu_array_assign(id, LARGE, OBJECT_BYTES), LARGE);
		EXPECT_EQ(cpu_array_assign(id, 99, OBJECT_BYTES), LARGE);
		grow_to(id, SMALL);
		fill_array(id, 0, SMALL);
	}
	for (unsigned int id = 2; id < CPU_ARRAYS; id += 2) {
		empty_array(id, SMALL);
		EXPECT_EQ(cpu_array_grow(id, UINT32_MAX), 64);
		EXPECT_EQ(cpu_array_grow(id, UINT32_MAX), LARGE);
		fill_array(id, 0, LARGE);
	}
	for (unsigned int id = 1; id < CPU_ARRAYS; id++)
		empty_array(id, id % 2 == 0 ? LARGE : SMALL);
}

TEST(slots_are_assigned_once_and_never_twice)
{
	wake_arrays();
	fill_and_empty_all();
}

TEST(slots_of_a_fallback_slot_are_never_of_two_arrays)
{
	wake_arrays();
	os_rseq_detach();
	fill_and_empty_all();
}

/* A sequence can't move objects: their array moves when it's empty. */
TEST(array_moves_to_more_slots_once_it_is_empty)
{
	wake_arrays();
	if (!os_rseq_is_attached())
		SKIP("no restartable sequences here");
	EXPECT_EQ(cpu_array_assign(ID, LARGE, OBJECT_BYTES), LARGE);
	grow_to(ID, SMALL);
	fill_array(ID, 0, SMALL);
	EXPECT_EQ(cpu_array_grow(ID, UINT32_MAX), 0);
	EXPECT_EQ(cpu_arrays_count(ID), SMALL);
	empty_array(ID, SMALL);
	EXPECT_EQ(cpu_array_grow(ID, UINT32_MAX), 64);
	fill_array(ID, 0, 64);
	EXPECT_EQ(cpu_array_grow(ID, UINT32_MAX), LARGE);
	fill_array(ID, 64, LARGE);
	empty_array(ID, LARGE);
}

TEST(objects_of_a_fallback_slot_move_with_their_array)
{
	wake_arrays();
	os_rseq_detach();
	EXPECT_EQ(cpu_array_assign(ID, LARGE, OBJECT_BYTES), LARGE);
	grow_to(ID, SMALL);
	fill_array(ID, 0, SMALL);
	EXPECT_EQ(cpu_array_grow(ID, UINT32_MAX), 64);
	fill_array(ID, SMALL, 64);
	empty_array(ID, 64);
}

TEST(full_region_assigns_nothing)
{
	wake_arrays();
	EXPECT_EQ(cpu_array_assign(1, CPU_REGION_SLOTS + 1, OBJECT_BYTES), 0);
	EXPECT_EQ(cpu_array_grow(1, UINT32_MAX), 0);
	EXPECT_EQ(cpu_array_assign(1, 16, OBJECT_BYTES), 16);
}

TEST(arrays_of_different_caches_do_not_touch)
{
	void *object = objects;

	wake_open_array();
	EXPECT_EQ(cpu_array_assign(ID + 1, LIMIT, OBJECT_BYTES), LIMIT);
	while (cpu_array_grow(ID + 1, UINT32_MAX) < LIMIT)
		continue;
	for (int i = 0; i < LIMIT; i++) {
		EXPECT(give(objects + i));
		object = objects + 32 + i;
		EXPECT_EQ(cpu_array_give(ID + 1, &object, 1), 1);
	}
	for (int i = LIMIT; i-- > 0;) {
		EXPECT_EQ(take(), objects + i);
		EXPECT_EQ(cpu_array_take(ID + 1, &object, 1), 1);
		EXPECT_EQ(object, objects + 32 + i);
	}
}

TEST(thread_without_a_cpu_goes_to_a_slot)
{
	void *object;

	wake_open_array();
	os_rseq_detach();
	EXPECT(!cpu_array_pop(ID, &object));
	EXPECT(!cpu_array_push(ID, objects));
	while (cpu_array_grow(ID, UINT32_MAX) < LIMIT)
		continue;
	for (int i = 0; i < LIMIT; i++)
		EXPECT(give(objects + i));
	EXPECT(!cpu_array_pop(ID, &object));
	EXPECT_EQ(cpu_arrays_count(ID), LIMIT);
	for (int i = LIMIT; i-- > 0;)
		EXPECT_EQ(take(), objects + i);
}

TEST(slot_that_is_held_is_passed_by)
{
	wake_open_array();
	os_rseq_detach();
	cpu_array_grow(ID, UINT32_MAX);
	EXPECT(give(objects));
	/* Whichever this thread's is, all but the last are held now. */
	for (unsigned int slot = 0; slot + 1 < cpu_slots(); slot++)
		cpu_slot_lock_at(slot);
	EXPECT_EQ(cpu_array_grow(ID, UINT32_MAX), 8);
	EXPECT(give(objects));
	EXPECT_EQ(take(), objects);
	EXPECT_EQ(take(), NULL);
}

TEST(nobody_waits_for_a_slot)
{
	wake_open_array();
	os_rseq_detach();
	cpu_array_grow(ID, UINT32_MAX);
	EXPECT(give(objects));
	for (unsigned int slot = 0; slot < cpu_slots(); slot++)
		cpu_slot_lock_at(slot);
	EXPECT_EQ(take(), NULL);
	EXPECT(!give(objects + 1));
	EXPECT_EQ(cpu_array_grow(ID, UINT32_MAX), 0);
	for (unsigned int slot = 0; slot < cpu_slots(); slot++)
		cpu_slot_unlock(cpu_region_at((long)os_cpu_limit() + slot));
	EXPECT_EQ(cpu_arrays_count(ID), 1);
}

TEST(no_memory_for_regions_is_told)
{
	wake_os();
	os_fail_nth(1, 1);
	EXPECT(!cpu_arrays_init());
	EXPECT(cpu_arrays_init());
	EXPECT_EQ(cpu_arrays_count(ID), 0);
}
