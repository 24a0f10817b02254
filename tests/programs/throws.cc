/* SPDX-License-Identifier: MIT */
/*
 * A C++ program that runs out of memory: bad_alloc is thrown and caught,
 * through frames with destructors, in threads, and after the new_handler had
 * its say.
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace
{

volatile std::size_t huge = SIZE_MAX / 4;
int destroyed;
int asked;

struct counted {
	~counted()
	{
		destroyed++;
	}
	std::unique_ptr<char[]> bytes{ new char[1000] };
};

struct alignas(256) aligned {
	char bytes[256];
};

/* Throw from @depth frames, each of which holds something. */
void *throw_deeply(int depth)
{
	counted here;

	if (depth == 0)
		return ::operator new(huge);
	return throw_deeply(depth - 1);
}

/* How many of @rounds tries to allocate too much ended in bad_alloc. */
int count_thrown(int rounds)
{
	int thrown = 0;

	for (int i = 0; i < rounds; i++) {
		try {
			std::free(throw_deeply(i % 20));
		} catch (const std::bad_alloc &error) {
			thrown += error.what() != nullptr;
		}
	}
	return thrown;
}

void give_up_third_time()
{
	if (++asked == 3)
		std::set_new_handler(nullptr);
}

} // namespace

int main()
{
	std::printf("thrown %d", count_thrown(1000));
	std::printf(", destroyed %d\n", destroyed);

	std::set_new_handler(give_up_third_time);
	std::printf("thrown %d", count_thrown(1));
	std::printf(", asked %d\n", asked);
	std::printf("nothrow %d\n",
		    ::operator new(huge, std::nothrow) == nullptr);
	try {
		std::vector<aligned> many(huge / sizeof(aligned) / 2);
		std::printf("%zu\n", many.size());
	} catch (const std::bad_alloc &) {
		std::puts("aligned: thrown");
	}
	int good = 0;
	for (int i = 0; i < 100; i++) {
		auto one = std::make_unique<aligned>();
		good += reinterpret_cast<std::uintptr_t>(one.get()) % 256 == 0;
	}
	std::printf("aligned: %d\n", good);

	std::vector<std::thread> threads;
	int thrown[4];
	for (int &mine : thrown)
		threads.emplace_back([&mine] { mine = count_thrown(200); });
	for (std::thread &thread : threads)
		thread.join();
	std::printf("threads: %d\n",
		    thrown[0] + thrown[1] + thrown[2] + thrown[3]);

	std::map<std::string, std::vector<std::string>> words;
	for (int i = 0; i < 100000; i++)
		words[std::to_string(i * 7919 % 10007)].push_back(
			std::string(static_cast<std::size_t>(i % 60), 'x'));
	std::size_t length = 0;
	for (const auto &word : words)
		for (const auto &text : word.second)
			length += text.size();
	std::printf("%zu words, %zu bytes\n", words.size(), length);
	return 0;
}
