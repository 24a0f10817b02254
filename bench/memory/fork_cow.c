/* SPDX-License-Identifier: MIT */
/* A large heap is forked: how many pages do parent and child have to copy? */
#include "draw.h"
#include "watch.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Three forks, one after the other, as of a store that writes a snapshot:
 *
 *   walk   the child reads every block, with short-lived blocks of its own
 *   serve  the parent replaces one block in fifty while the child exists
 *   free   the child frees every other block, at random
 *
 * Copies of the program's own tables don't count: the child only reads them,
 * and the parent's don't exist in the child.
 */
enum {
	HEAP_BYTES = 128 << 20,
	REPLACED_SHARE = 50,
	WALK_TEMPORARY = 4, /* short-lived blocks live at a time */
	WALK_STEP = 16,	    /* blocks read for each of those */
};

struct cost {
	uint64_t ns;
	size_t copied_kib;
};

static struct {
	void **blocks;
	uint32_t *order; /* random */
	size_t count;
	uint64_t random;
	struct cost *child; /* shared: where the child tells */
} heap = { .random = BENCH_SEED };

static void fill_heap(void)
{
	uint64_t again = heap.random;
	size_t bytes = 0;

	for (; bytes < HEAP_BYTES; heap.count++)
		bytes += draw_size(&again, &mix_usual);
	heap.blocks = own_table(heap.count * sizeof(*heap.blocks));
	heap.order = own_table(heap.count * sizeof(*heap.order));
	draw_order(&again, heap.order, heap.count);
	for (size_t i = 0; i < heap.count; i++)
		heap.blocks[i] = touched(draw_size(&heap.random, &mix_usual));
}

static void walk(void)
{
	void *temporary[WALK_TEMPORARY] = { NULL };
	unsigned int at = 0;

	for (size_t i = 0; i < heap.count; i++) {
		(void)*(volatile char *)heap.blocks[i];
		if (i % WALK_STEP)
			continue;
		free(temporary[at]);
		temporary[at] = touched(draw_size(&heap.random, &mix_usual));
		at = (at + 1) % WALK_TEMPORARY;
	}
	for (at = 0; at < WALK_TEMPORARY; at++)
		free(temporary[at]);
}

static void serve(void)
{
	for (size_t i = 0; i < heap.count / REPLACED_SHARE; i++) {
		void **block = &heap.blocks[heap.order[i]];

		free(*block);
		*block = touched(draw_size(&heap.random, &mix_usual));
	}
}

static void free_half(void)
{
	for (size_t i = 0; i < heap.count / 2; i++)
		free(heap.blocks[heap.order[i]]);
}

/* What @work costs this process, from now on. */
static struct cost cost_of(void (*work)(void))
{
	size_t before = private_dirty_kib(), after;
	uint64_t start = cpu_ns(), ns;

	work();
	ns = cpu_ns() - start;
	after = private_dirty_kib();
	return (struct cost){ ns, after > before ? after - before : 0 };
}

static void join(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) < 0 || status != 0)
		die("the child failed");
}

static struct cost cost_in_child(void (*work)(void))
{
	pid_t child = fork();

	if (child < 0)
		die("cannot fork");
	if (child == 0) {
		*heap.child = cost_of(work);
		_exit(0);
	}
	join(child);
	return *heap.child;
}

/* The child only waits, for the end of file that its parent makes. */
static struct cost cost_beside_child(void (*work)(void))
{
	struct cost cost;
	int ends[2];
	char byte;
	pid_t child;

	if (pipe(ends) < 0 || (child = fork()) < 0)
		die("cannot fork");
	if (child == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	cost = cost_of(work);
	close(ends[0]);
	close(ends[1]);
	join(child);
	return cost;
}

static void report_costs(struct cost walked, struct cost served,
			 struct cost freed)
{
	struct figure figures[] = {
		{ "walk_ns", (double)walked.ns },
		{ "walk_copied_kib", (double)walked.copied_kib },
		{ "serve_ns", (double)served.ns },
		{ "serve_copied_kib", (double)served.copied_kib },
		{ "free_ns", (double)freed.ns },
		{ "free_copied_kib", (double)freed.copied_kib },
	};

	report((double)(walked.ns + served.ns + freed.ns), figures,
	       sizeof(figures) / sizeof(*figures));
}

int main(void)
{
	struct cost walked, served, freed;

	heap.child = mmap(NULL, sizeof(*heap.child), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (heap.child == MAP_FAILED)
		die("no memory to share with the child");
	fill_heap();
	walked = cost_in_child(walk);
	served = cost_beside_child(serve);
	freed = cost_in_child(free_half);
	report_costs(walked, served, freed);
	return 0;
}
