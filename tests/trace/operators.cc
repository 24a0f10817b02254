/* SPDX-License-Identifier: MIT */
/* A program in C++ to record: one pair of every new and delete. */
#include <new>

struct alignas(256) wide {
	char bytes[256];
};

/* A pair that nobody sees need not be called: let this be seen. */
template <class T> static T *seen(T *object)
{
	asm volatile("" : "+r"(object) : : "memory");
	return object;
}

int main()
{
	delete seen(new char);
	delete[] seen(new char[1000]);
	delete seen(new (std::nothrow) char);
	delete[] seen(new (std::nothrow) char[2000]);
	delete seen(new wide);
	delete[] seen(new wide[3]);
	delete seen(new (std::nothrow) wide);
	delete[] seen(new (std::nothrow) wide[4]);
	return 0;
}
