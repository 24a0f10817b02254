/* SPDX-License-Identifier: MIT */
/*
 * Making a plan: three walks over the trace. The first counts, the second finds
 * out who makes and who takes each block, the third writes the lanes, and is
 * done twice: with nowhere to write to it tells how long they are.
 */
#include "plan.h"

#include <stdbool.h>

#include "fail.h"
#include "memory.h"
#include "trace_read.h"

#define NOBODY UINT32_MAX

/* What becomes of a block. */
struct fate {
	uint32_t size;
	uint32_t maker, taker; /* threads; a taker frees or reallocates it */
	uint32_t slot;
};

/* What is known of a thread while the lanes are written. */
struct writer {
	uint64_t *words; /* NULL: count only */
	size_t count;
	uint32_t time;
	uint32_t free_slot; /* the first of a list, NOBODY if it is empty */
	bool is_started;
};

/* Everything of the third walk. */
struct draft {
	struct plan *plan;
	struct fate *fates;
	struct writer *writers;
	uint32_t *next_slot; /* the list behind each slot that is free */
	size_t slots;	     /* given out so far */
};

static void emit(struct writer *writer, uint64_t word)
{
	if (writer->words)
		writer->words[writer->count] = word;
	writer->count++;
}

static void emit_step(struct writer *writer, enum step step, uint64_t slot,
		      uint64_t size)
{
	emit(writer, size << (WORD_STEP_BITS + WORD_SLOT_BITS) |
			     slot << WORD_STEP_BITS | step);
}

/* A call takes a block that has been made and hasn't been taken yet. */
static void settle_taken(const struct trace_reader *reader, struct fate *fate,
			 const struct call *call)
{
	if (fate->taker != NOBODY)
		fail("%s: the trace is damaged: call %llu takes block %llu, "
		     "which is gone",
		     reader->file->path, (unsigned long long)reader->calls,
		     (unsigned long long)call->taken);
	if (call->op != TRACE_USABLE)
		fate->taker = call->thread;
}

/* The second walk: @fates, and the peak of live bytes. */
static void find_fates(const struct trace_file *file, struct fate *fates,
		       struct plan *plan)
{
	struct trace_reader reader = trace_reader_start(file);
	struct call call;
	uint64_t live = 0;

	while (trace_reader_next(&reader, &call)) {
		if (call.size > UINT32_MAX)
			fail("%s: call %llu asks for %llu bytes; 4 GiB and "
			     "more are not replayed",
			     file->path, (unsigned long long)reader.calls,
			     (unsigned long long)call.size);
		if (call.taken) {
			settle_taken(&reader, &fates[call.taken], &call);
			if (call.op != TRACE_USABLE)
				live -= fates[call.taken].size;
		}
		if (call.given) {
			fates[call.given] = (struct fate){
				.size = (uint32_t)call.size,
				.maker = call.thread,
				.taker = NOBODY,
			};
			live += call.size;
		}
		if (live > plan->live_peak)
			plan->live_peak = live;
	}
}

static bool stays_in_thread(const struct fate *fate)
{
	return fate->taker == fate->maker;
}

/* A slot for a new block: one that this thread has done with, or a new one. */
static uint32_t make_slot(struct draft *draft, struct writer *writer,
			  struct fate *fate)
{
	uint32_t slot = writer->free_slot;

	if (stays_in_thread(fate) && slot != NOBODY)
		writer->free_slot = draft->next_slot[slot];
	else
		slot = (uint32_t)draft->slots++;
	fate->slot = slot;
	return slot;
}

static void drop_slot(struct draft *draft, struct writer *writer,
		      const struct fate *fate)
{
	if (!stays_in_thread(fate))
		return;
	draft->next_slot[fate->slot] = writer->free_slot;
	writer->free_slot = fate->slot;
}

/* Asked by another thread than the one that frees it, it may be freed by then.
 */
static bool may_look_at(const struct call *call, const struct fate *fate)
{
	return call->thread ==
	       (fate->taker == NOBODY ? fate->maker : fate->taker);
}

static void write_call(struct draft *draft, struct writer *writer,
		       const struct call *call)
{
	struct fate *taken = &draft->fates[call->taken];
	struct fate *given = &draft->fates[call->given];

	draft->plan->calls++;
	switch (call->op) {
	case TRACE_MALLOC:
		emit_step(writer, STEP_MALLOC, make_slot(draft, writer, given),
			  call->size);
		break;
	case TRACE_CALLOC:
		emit_step(writer, STEP_CALLOC, make_slot(draft, writer, given),
			  call->size);
		break;
	case TRACE_ALIGNED:
		emit_step(writer, STEP_ALIGNED, make_slot(draft, writer, given),
			  call->size);
		emit(writer, call->shift);
		break;
	case TRACE_REALLOC:
		emit_step(writer, STEP_REALLOC, make_slot(draft, writer, given),
			  call->size);
		emit_step(writer, STEP_REALLOC, taken->slot, taken->size);
		drop_slot(draft, writer, taken);
		break;
	case TRACE_FREE:
		if (!call->taken) {
			emit_step(writer, STEP_FREE_NULL, 0, 0);
			break;
		}
		emit_step(writer, STEP_FREE, taken->slot, taken->size);
		drop_slot(draft, writer, taken);
		break;
	default:
		if (call->taken && may_look_at(call, taken))
			emit_step(writer, STEP_USABLE, taken->slot, 0);
		else
			draft->plan->calls--;
	}
}

/* A thread begins when the call before its first one has been made. */
static void start_lane(struct draft *draft, unsigned int thread,
		       unsigned int starter, uint32_t time)
{
	struct writer *writer = &draft->writers[thread];

	draft->plan->lanes[thread].time = time;
	writer->time = time;
	writer->is_started = true;
	if (thread != starter)
		emit_step(&draft->writers[starter], STEP_START, thread, 0);
}

/* The third walk. */
static void write_lanes(const struct trace_file *file, struct draft *draft)
{
	struct trace_reader reader = trace_reader_start(file);
	unsigned int before = 0;
	struct call call;

	draft->slots = 0;
	draft->plan->calls = 0;
	for (unsigned int i = 0; i < draft->plan->lane_count; i++)
		draft->writers[i] = (struct writer){
			.words = (uint64_t *)draft->plan->lanes[i].words,
			.free_slot = NOBODY,
		};
	while (trace_reader_next(&reader, &call)) {
		struct writer *writer = &draft->writers[call.thread];
		uint32_t time = (uint32_t)(reader.calls / PLAN_TICK);

		if (!writer->is_started)
			start_lane(draft, call.thread, before, time);
		if (writer->time != time && draft->plan->lane_count > 1)
			emit_step(writer, STEP_WAIT, 0, time);
		writer->time = time;
		write_call(draft, writer, &call);
		before = call.thread;
	}
}

/* Room for the lanes, all in one. */
static void make_room(const struct draft *draft)
{
	size_t words = 0;
	uint64_t *room;

	for (unsigned int i = 0; i < draft->plan->lane_count; i++)
		words += draft->writers[i].count;
	room = memory_map(words * sizeof(*room));
	for (unsigned int i = 0; i < draft->plan->lane_count; i++) {
		draft->plan->lanes[i].words = room;
		draft->plan->lanes[i].count = draft->writers[i].count;
		room += draft->writers[i].count;
	}
}

/* The first walk: everything that is counted, and whether it is a trace. */
static struct trace_reader count_calls(const struct trace_file *file)
{
	struct trace_reader reader = trace_reader_start(file);
	struct call call;

	while (trace_reader_next(&reader, &call))
		;
	if (reader.calls == 0)
		fail("%s: there is no call in it", file->path);
	if (reader.numbers >= 1 << WORD_SLOT_BITS)
		fail("%s: %llu blocks are too many", file->path,
		     (unsigned long long)reader.numbers);
	return reader;
}

struct plan plan_make(const struct trace_file *file)
{
	struct trace_reader reader = count_calls(file);
	size_t blocks = reader.numbers + 1;
	size_t fates_bytes = blocks * sizeof(struct fate);
	size_t next_bytes = blocks * sizeof(uint32_t);
	size_t writers_bytes = reader.threads * sizeof(struct writer);
	struct plan plan = { .lane_count = reader.threads };
	struct draft draft = { .plan = &plan };

	plan.lanes = memory_map(reader.threads * sizeof(struct lane));
	draft.fates = memory_map(fates_bytes);
	draft.next_slot = memory_map(next_bytes);
	draft.writers = memory_map(writers_bytes);
	find_fates(file, draft.fates, &plan);
	write_lanes(file, &draft);
	make_room(&draft);
	write_lanes(file, &draft);
	plan.slot_count = draft.slots;
	memory_unmap(draft.fates, fates_bytes);
	memory_unmap(draft.next_slot, next_bytes);
	memory_unmap(draft.writers, writers_bytes);
	return plan;
}
