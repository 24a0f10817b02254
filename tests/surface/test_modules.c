/* SPDX-License-Identifier: MIT */
/*
 * Modules opened while the program runs, and the blocks that they exchange with
 * it. Run once as it is, and once with deepbind:keep.
 */
#include "surface.h"

#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>

struct module {
	void *(*malloc)(size_t size);
	void *(*realloc)(void *block, size_t size);
	void *(*memalign)(size_t alignment, size_t size);
	void (*free)(void *block);
	char *(*strdup)(const char *text);
	void *(*open)(const char *name);
	char *(*thread_local_bytes)(void);
};

static const size_t sizes[] = { 0,     1,      24,     100,	1000,
				10000, 100000, 200000, 1000000, 5000000 };

enum {
	SIZES = sizeof(sizes) / sizeof(sizes[0])
};

static void *find(void *handle, const char *name)
{
	void *symbol = dlsym(handle, name);

	if (!symbol)
		FAIL("%s", dlerror());
	return symbol;
}

static struct module bind_module(void *handle)
{
	struct module module;

	if (!handle)
		FAIL("%s", dlerror());
	*(void **)&module.malloc = find(handle, "module_malloc");
	*(void **)&module.realloc = find(handle, "module_realloc");
	*(void **)&module.memalign = find(handle, "module_memalign");
	*(void **)&module.free = find(handle, "module_free");
	*(void **)&module.strdup = find(handle, "module_strdup");
	*(void **)&module.open = find(handle, "module_open");
	*(void **)&module.thread_local_bytes =
		find(handle, "module_thread_local");
	return module;
}

static struct module open_module(int mode)
{
	return bind_module(dlopen(getenv("SURFACE_MODULE"), mode));
}

/* What the module allocates, the program grows, measures and frees. */
static void take_from_module(const struct module *module)
{
	for (int i = 0; i < SIZES; i++) {
		char *block = module->malloc(sizes[i]);

		EXPECT(malloc_usable_size(block) >= sizes[i]);
		stamp(block, malloc_usable_size(block), 5);
		block = realloc(block, sizes[i] + 1000);
		EXPECT(is_stamped(block, sizes[i], 5));
		free(block);
		free(module->malloc(sizes[i]));
		free(module->memalign(256, sizes[i]));
		free(module->realloc(module->malloc(10), sizes[i] + 1));
	}
	free(module->strdup("text"));
}

static void give_to_module(const struct module *module)
{
	for (int i = 0; i < SIZES; i++) {
		char *block = malloc(sizes[i]);

		stamp(block, sizes[i], 6);
		block = module->realloc(block, sizes[i] + 1000);
		EXPECT(is_stamped(block, sizes[i], 6));
		module->free(block);
		module->free(malloc(sizes[i]));
	}
}

static bool is_flag_kept(void)
{
	const char *options = getenv("SLUBMALLOC");

	return options && strstr(options, "deepbind:keep");
}

TEST(a_module_exchanges_blocks_both_ways)
{
	struct module module = open_module(RTLD_NOW | RTLD_LOCAL);

	take_from_module(&module);
	give_to_module(&module);
}

TEST(a_module_opened_with_deepbind_is_bound_to_us)
{
	struct module module =
		open_module(RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

	EXPECT_OURS();
	EXPECT_EQ(sm_owns(module.malloc(100)), !is_flag_kept());
	if (is_flag_kept())
		SKIP("the flag is kept");
	take_from_module(&module);
	give_to_module(&module);
}

TEST(dlmopen_into_our_namespace_drops_the_flag_too)
{
	struct module module =
		bind_module(dlmopen(LM_ID_BASE, getenv("SURFACE_MODULE"),
				    RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND));

	EXPECT_OURS();
	EXPECT_EQ(sm_owns(module.malloc(100)), !is_flag_kept());
}

/* Only where the flag is kept are these blocks not ours. */
TEST(blocks_of_a_module_bound_to_libc_are_taken)
{
	struct module module =
		open_module(RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

	for (int i = 0; i < 50; i++)
		take_from_module(&module);
}

static void *take_in_thread(void *module)
{
	for (int i = 0; i < 20; i++)
		take_from_module(module);
	return NULL;
}

TEST(blocks_of_an_arena_of_libc_are_taken)
{
	struct module module =
		open_module(RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		EXPECT_EQ(pthread_create(&thread[i], NULL, take_in_thread,
					 &module),
			  0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}

TEST(blocks_of_another_namespace_are_taken)
{
	struct module module = bind_module(dlmopen(
		LM_ID_NEWLM, getenv("SURFACE_MODULE"), RTLD_NOW | RTLD_LOCAL));
	pthread_t thread;

	EXPECT_OURS();
	take_from_module(&module);
	EXPECT_EQ(pthread_create(&thread, NULL, take_in_thread, &module), 0);
	pthread_join(thread, NULL);
	free(malloc(100));
}

/* Started by the next test, where no other path leads to the library. */
TEST(module_opens_its_neighbour)
{
	struct module module = open_module(RTLD_NOW | RTLD_LOCAL);
	const char *leaf = "libsurface_leaf.so";
	const char *path = getenv("LD_LIBRARY_PATH");

	if (!path || *path)
		SKIP("runs as a part of another test");
	EXPECT_EQ(dlopen(leaf, RTLD_NOW | RTLD_LOCAL), NULL);
	EXPECT(dlerror() != NULL);
	if (!module.open(leaf))
		FAIL("%s", dlerror());
}

TEST(dlopen_searches_the_runpath_of_its_caller)
{
	char text[4096];
	int status = run_again("module_opens_its_neighbour", "LD_LIBRARY_PATH",
			       "", text, sizeof(text));

	if (status)
		FAIL("status 0x%x: %s", (unsigned int)status, text);
}

static void *touch_thread_local(void *argument)
{
	struct module *module = argument;
	char *bytes = module->thread_local_bytes();

	EXPECT(is_zero(bytes, 5000));
	memset(bytes, 1, 5000);
	free(malloc(100));
	return NULL;
}

TEST(thread_locals_of_a_module_are_allocated_on_first_use)
{
	struct module module = open_module(RTLD_NOW | RTLD_LOCAL);

	for (int i = 0; i < 300; i++) {
		pthread_t thread;

		EXPECT_EQ(pthread_create(&thread, NULL, touch_thread_local,
					 &module),
			  0);
		pthread_join(thread, NULL);
	}
}

TEST(modules_come_and_go)
{
	for (int i = 0; i < 300; i++) {
		void *handle = dlopen(getenv("SURFACE_MODULE"), RTLD_NOW);

		EXPECT(handle != NULL);
		EXPECT_EQ(dlsym(handle, "no_such_function"), NULL);
		EXPECT(dlerror() != NULL);
		EXPECT_EQ(dlclose(handle), 0);
	}
	EXPECT_EQ(dlopen("no such file", RTLD_NOW), NULL);
	EXPECT(strstr(dlerror(), "no such file"));
}

TEST(a_plugin_in_cpp_throws_and_catches_in_a_program_in_c)
{
	const char *path = getenv("SURFACE_PLUGIN");
	void *handle = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	int (*new)(size_t size);
	void *(*nothrow_new)(size_t size);

	if (!path)
		SKIP("no compiler of C++");
	if (!handle)
		FAIL("%s", dlerror());
	*(void **)&new = find(handle, "plugin_new");
	*(void **)&nothrow_new = find(handle, "plugin_nothrow_new");
	EXPECT_EQ(new (opaque(PTRDIFF_MAX)), 3);
	EXPECT_EQ(nothrow_new(opaque(PTRDIFF_MAX)), NULL);
}

TEST(a_program_with_an_auditor_runs)
{
	char text[4096];
	int status = run_again("a_module_exchanges", "LD_AUDIT",
			       getenv("SURFACE_AUDIT"), text, sizeof(text));

	if (status)
		FAIL("status 0x%x: %s", (unsigned int)status, text);
}
