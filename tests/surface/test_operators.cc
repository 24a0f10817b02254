/* SPDX-License-Identifier: MIT */
/* The 20 operators of C++: new handlers, exceptions, alignment. */
#include "surface.h"

#include <exception>
#include <new>

namespace
{

using std::align_val_t;
using std::nothrow;

const size_t too_much = PTRDIFF_MAX;

int handler_calls;

/* An exception that counts how many of its kind are alive. */
struct counted : std::bad_alloc {
	static int alive;

	counted()
	{
		alive++;
	}

	counted(const counted &other) : std::bad_alloc(other)
	{
		alive++;
	}

	~counted() override
	{
		alive--;
	}
};

int counted::alive;

void count_and_remove()
{
	if (++handler_calls == 5)
		std::set_new_handler(nullptr);
}

void throw_counted()
{
	handler_calls++;
	throw counted();
}

void lift_limit()
{
	struct rlimit limit;

	handler_calls++;
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_AS, &limit);
}

void change_itself()
{
	handler_calls++;
	std::set_new_handler(lift_limit);
}

/* The forms that throw, and those that return a null pointer instead. */
void *(*const throwing[])(size_t) = {
	[](size_t size) { return ::operator new(size); },
	[](size_t size) { return ::operator new[](size); },
	[](size_t size) { return ::operator new(size, align_val_t(64)); },
	[](size_t size) { return ::operator new[](size, align_val_t(64)); },
};

void *(*const returning[])(size_t) = {
	[](size_t size) { return ::operator new(size, nothrow); },
	[](size_t size) { return ::operator new[](size, nothrow); },
	[](size_t size) {
		return ::operator new(size, align_val_t(64), nothrow);
	},
	[](size_t size) {
		return ::operator new[](size, align_val_t(64), nothrow);
	},
};

template <typename type> bool does_throw(void *(*call)(size_t))
{
	try {
		call(opaque(too_much));
	} catch (const type &) {
		return true;
	}
	return false;
}

} // namespace

TEST(each_new_is_undone_by_each_delete_of_its_kind)
{
	for (size_t size = 0; size < 3 << 20; size += size / 2 + 1) {
		::operator delete(::operator new(size));
		::operator delete(::operator new(size), size);
		::operator delete(::operator new(size, nothrow), nothrow);
		::operator delete[](::operator new[](size));
		::operator delete[](::operator new[](size), size);
		::operator delete[](::operator new[](size, nothrow), nothrow);
	}
	::operator delete(nullptr);
	::operator delete[](nullptr, 10);
}

TEST(each_aligned_new_is_aligned)
{
	for (size_t align = 1; align <= 1 << 16; align *= 2) {
		auto value = align_val_t(align);
		void *blocks[] = { ::operator new(100, value),
				   ::operator new[](100, value),
				   ::operator new(100, value, nothrow),
				   ::operator new[](100, value, nothrow),
				   ::operator new(0, value) };

		for (void *block : blocks)
			EXPECT(block && (uintptr_t)block % align == 0);
		::operator delete(blocks[0], value);
		::operator delete[](blocks[1], value);
		::operator delete(blocks[2], value, nothrow);
		::operator delete[](blocks[3], value, nothrow);
		::operator delete(blocks[4], 0, value);
		::operator delete[](::operator new[](9, value), 9, value);
	}
}

TEST(the_operators_are_of_the_preloaded_library)
{
	EXPECT_OURS();
	for (auto call : throwing)
		EXPECT(sm_owns(call(100)));
	for (auto call : returning)
		EXPECT(sm_owns(call(100)));
}

TEST(new_throws_bad_alloc)
{
	for (auto call : throwing)
		EXPECT(does_throw<std::bad_alloc>(call));
}

/* libstdc++ rounds the size of an aligned one up, until it wraps. */
TEST(new_throws_for_any_size_that_cannot_be)
{
	EXPECT_OURS();
	for (size_t below = 0; below < 70000; below += below / 3 + 1)
		for (auto call : throwing)
			try {
				call(opaque(SIZE_MAX - below));
				FAIL("new of SIZE_MAX - %zu", below);
			} catch (const std::bad_alloc &) {
			}
}

TEST(nothrow_new_returns_null)
{
	for (auto call : returning)
		EXPECT_EQ(call(opaque(too_much)), nullptr);
}

TEST(the_handler_is_called_until_it_is_removed)
{
	for (auto call : throwing) {
		handler_calls = 0;
		std::set_new_handler(count_and_remove);
		EXPECT(does_throw<std::bad_alloc>(call));
		EXPECT_EQ(handler_calls, 5);
	}
	for (auto call : returning) {
		handler_calls = 0;
		std::set_new_handler(count_and_remove);
		EXPECT_EQ(call(opaque(too_much)), nullptr);
		EXPECT_EQ(handler_calls, 5);
	}
}

TEST(new_succeeds_when_the_handler_finds_memory)
{
	for (int i = 0; i < 4; i++) {
		handler_calls = 0;
		limit_to_growth(64 << 20);
		std::set_new_handler(lift_limit);
		EXPECT(throwing[i](512 << 20) != nullptr);
		limit_to_growth(64 << 20);
		EXPECT(returning[i](512 << 20) != nullptr);
		EXPECT_EQ(handler_calls, 2);
	}
}

TEST(a_handler_may_set_another)
{
	limit_to_growth(64 << 20);
	std::set_new_handler(change_itself);
	EXPECT(opaque_pointer(::operator new(512 << 20)) != nullptr);
	EXPECT_EQ(handler_calls, 2);
}

TEST(what_a_handler_throws_comes_out_of_new)
{
	std::set_new_handler(throw_counted);
	for (auto call : throwing) {
		EXPECT(does_throw<counted>(call));
		EXPECT_EQ(counted::alive, 0);
	}
	EXPECT_EQ(handler_calls, 4);
}

TEST(what_a_handler_throws_stays_in_nothrow_new)
{
	std::set_new_handler(throw_counted);
	for (auto call : returning) {
		EXPECT_EQ(call(opaque(too_much)), nullptr);
		EXPECT_EQ(counted::alive, 0);
	}
	EXPECT_EQ(handler_calls, 4);
	EXPECT_EQ(std::uncaught_exceptions(), 0);
}

TEST(bad_alloc_passes_through_frames_of_c)
{
	int numbers[] = { 3, 1, 2 };
	bool caught = false;

	try {
		qsort(numbers, 3, sizeof(int),
		      [](const void *, const void *) -> int {
			      opaque_pointer(::operator new(opaque(too_much)));
			      return 0;
		      });
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	EXPECT(caught);
}
