/* SPDX-License-Identifier: MIT */
/* C++'s operators: new, and the delete that is told the size. */
#include "random.h"
#include "shim.h"

enum {
	CHOICES = 1 << 16,
	LIVE = 128,
};

/* operator new(size_t) and operator delete(void *, size_t), by the names that
 * the C++ ABI gives them where size_t is long. */
void *_Znwm(size_t size);
void _ZdlPvm(void *object, size_t size);

static void sized(struct bench *bench)
{
	static uint16_t sizes[CHOICES];
	void *live[LIVE];
	unsigned int choice = 0;
	uint64_t random = BENCH_SEED;

	for (unsigned int i = 0; i < CHOICES; i++)
		sizes[i] = bench_mixed_size(&random);
	for (unsigned int i = 0; i < LIVE; i++)
		live[i] = _Znwm(sizes[CHOICES - LIVE + i]);
	while (bench_next(bench)) {
		void **oldest = &live[choice % LIVE];

		_ZdlPvm(*oldest, sizes[(choice - LIVE) % CHOICES]);
		*oldest = _Znwm(sizes[choice]);
		*(volatile char *)*oldest = 1;
		choice = (choice + 1) % CHOICES;
	}
	for (unsigned int i = 0; i < LIVE; i++, choice++)
		_ZdlPvm(live[choice % LIVE], sizes[(choice - LIVE) % CHOICES]);
}

static const struct bench_row rows[] = {
	{ "sized/128", sized, 0, 20000000 },
};
BENCH_ROWS(rows)
