/* SPDX-License-Identifier: MIT */
/*
 * The drain: whatever other threads do meanwhile, no object is lost and none
 * comes twice.
 */
#include "slab/cpu_array.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "wake_page.h"

enum {
	IDS = 3,
	LIMIT = 64,
	OBJECT_BYTES = 12 << 10, /* two full arrays exceed the budget */
	TOKENS = 2048,
	THREADS = 6,
	DRAINS = 2000,
};

static struct lock caches = LOCK_INIT(RANK_CACHES);
static size_t tokens[TOKENS]; /* a token is one of these; its value: seen */

/* Tokens at rest, with nobody else. */
static struct {
	pthread_mutex_t lock;
	void *held[TOKENS];
	size_t count;
	atomic_bool stop;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void pool_put(unsigned int id, void *const *objects, unsigned int count)
{
	EXPECT(id >= 1 && id <= IDS);
	pthread_mutex_lock(&pool.lock);
	EXPECT(pool.count + count <= TOKENS);
	memcpy(pool.held + pool.count, objects, count * sizeof(*objects));
	pool.count += count;
	pthread_mutex_unlock(&pool.lock);
}

static unsigned int pool_get(void **objects, unsigned int most)
{
	unsigned int count;

	pthread_mutex_lock(&pool.lock);
	count = (unsigned int)min_size(most, pool.count);
	pool.count -= count;
	memcpy(objects, pool.held + pool.count, count * sizeof(*objects));
	pthread_mutex_unlock(&pool.lock);
	return count;
}

static void wake_arrays(void)
{
	wake_os();
	EXPECT(cpu_arrays_init());
	for (unsigned int id = 1; id <= IDS; id++)
		EXPECT_EQ(cpu_array_assign(id, LIMIT, OBJECT_BYTES), LIMIT);
}

static bool drain(unsigned int id)
{
	bool ok;

	lock_acquire(&caches);
	ok = cpu_arrays_drain(id, pool_put);
	lock_release(&caches);
	return ok;
}

static void give_some(unsigned int id, int count)
{
	cpu_set_t one;

	/* One CPU, so that they all fit in where the growth was. */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	EXPECT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
	while (cpu_array_grow(id, UINT32_MAX) < LIMIT)
		continue;
	for (int i = 0; i < count; i++) {
		void *token = &tokens[i];

		EXPECT_EQ(cpu_array_give(id, &token, 1), 1);
	}
}

TEST(drain_takes_everything_and_the_room_grows_anew)
{
	void *token = &tokens[LIMIT];

	wake_arrays();
	give_some(1, LIMIT);
	EXPECT(drain(1));
	EXPECT_EQ(pool.count, LIMIT);
	EXPECT_EQ(cpu_arrays_count(1), 0);
	EXPECT_EQ(cpu_array_take(1, &token, 1), 0);
	while (cpu_array_grow(1, UINT32_MAX) < LIMIT)
		continue;
	for (int i = 0; i < LIMIT; i++)
		EXPECT_EQ(cpu_array_give(1, &token, 1), 1);
	EXPECT_EQ(cpu_array_give(1, &token, 1), 0);
}

/* Whoever fills it, of the one kind or the other. */
static void fill_budget(void)
{
	EXPECT(cpu_arrays_may_grow());
	give_some(1, 1);
	give_some(2, 1);
	EXPECT(!cpu_arrays_may_grow());
	EXPECT(drain(2));
	EXPECT(cpu_arrays_may_grow());
}

TEST(drained_arrays_leave_their_room_to_others)
{
	wake_arrays();
	fill_budget();
	give_some(3, 1);
	EXPECT(!cpu_arrays_may_grow());
	EXPECT(drain(0));
	fill_budget();
	EXPECT(drain(0));
	os_rseq_detach();
	fill_budget();
	EXPECT(drain(0));
	EXPECT(cpu_arrays_may_grow());
}

TEST(drain_of_one_cache_leaves_the_others)
{
	wake_arrays();
	give_some(1, 5);
	give_some(2, 7);
	EXPECT(drain(2));
	EXPECT_EQ(pool.count, 7);
	EXPECT_EQ(cpu_arrays_count(1), 5);
	EXPECT_EQ(cpu_arrays_count(2), 0);
	EXPECT(drain(0));
	EXPECT_EQ(pool.count, 12);
	EXPECT_EQ(cpu_arrays_count(1), 0);
}

TEST(drain_empties_the_slots_as_well)
{
	wake_arrays();
	os_rseq_detach();
	give_some(1, 5);
	EXPECT(drain(0));
	EXPECT_EQ(pool.count, 5);
	EXPECT_EQ(cpu_arrays_count(1), 0);
}

TEST(array_that_was_never_opened_stays_so)
{
	void *token = &tokens[0];

	wake_arrays();
	EXPECT(drain(0));
	EXPECT_EQ(cpu_array_give(1, &token, 1), 0);
	EXPECT_EQ(cpu_array_grow(1, UINT32_MAX), 8);
}

/* From now on membarrier(2) is refused. */
static void forbid_the_fence(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		SKIP("no seccomp filters here");
}

TEST(without_a_fence_the_arrays_stay_as_they_are)
{
	void *token;

	wake_arrays();
	if (!os_rseq_is_attached())
		SKIP("no restartable sequences here");
	give_some(1, 5);
	forbid_the_fence();
	EXPECT(!drain(1));
	EXPECT_EQ(pool.count, 0);
	EXPECT_EQ(cpu_arrays_count(1), 5);
	for (int i = 5; i-- > 0;) {
		EXPECT_EQ(cpu_array_take(1, &token, 1), 1);
		EXPECT_EQ(token, &tokens[i]);
	}
	EXPECT_EQ(cpu_array_grow(1, UINT32_MAX), LIMIT);
}

static bool push(unsigned int id, void *token)
{
	return cpu_array_push(id, token) || cpu_array_give(id, &token, 1) == 1;
}

static bool pop(unsigned int id, void **ret_token)
{
	return cpu_array_pop(id, ret_token) ||
	       cpu_array_take(id, ret_token, 1) == 1;
}

/* What is left of the @held tokens in @hand. */
static unsigned int give_half(unsigned int id, void **hand, unsigned int held)
{
	unsigned int given = cpu_array_give(id, hand, held / 2);

	memmove(hand, hand + given, (held - given) * sizeof(*hand));
	return held - given;
}

/* Move tokens between this thread's hands, the arrays and the pool. */
static void *juggle(void *seed)
{
	uint64_t random = (uintptr_t)seed;
	void *hand[16];
	unsigned int held = 0;

	os_rseq_attach();
	while (!atomic_load_explicit(&pool.stop, memory_order_relaxed)) {
		unsigned int id = 1 + test_random(&random) % IDS;

		switch (test_random(&random) % 8) {
		case 0:
			cpu_array_grow(id, UINT32_MAX);
			break;
		case 1:
			held += pool_get(hand + held, (16 - held) / 2);
			break;
		case 2:
			held = give_half(id, hand, held);
			break;
		case 3:
			held += cpu_array_take(id, hand + held,
					       (16 - held) / 2);
			break;
		case 4:
		case 5:
			held -= held > 0 && push(id, hand[held - 1]);
			break;
		default:
			held += held < 16 && pop(id, hand + held);
		}
	}
	pool_put(1, hand, held);
	return NULL;
}

static void expect_every_token_once(void)
{
	EXPECT(drain(0));
	EXPECT_EQ(pool.count, TOKENS);
	for (size_t i = 0; i < TOKENS; i++)
		++*(size_t *)pool.held[i];
	for (size_t i = 0; i < TOKENS; i++)
		EXPECT_EQ(tokens[i], 1);
}

TEST(no_token_is_lost_or_doubled_while_others_use_the_arrays)
{
	pthread_t threads[THREADS];
	uint64_t random = test_seed();

	wake_arrays();
	for (size_t i = 0; i < TOKENS; i++)
		pool.held[i] = &tokens[i];
	pool.count = TOKENS;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, juggle,
			       (void *)(uintptr_t)test_random(&random));
	for (int i = 0; i < DRAINS; i++) {
		EXPECT(drain((unsigned int)i % (IDS + 1)));
		sched_yield();
	}
	atomic_store(&pool.stop, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect_every_token_once();
}
