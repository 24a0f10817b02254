/* SPDX-License-Identifier: MIT */
/*
 * The byte string that a fuzzer is given, read as choices. An input that has
 * ended reads as zeroes, so every prefix of a good input is a good input.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
	const uint8_t *next;
	const uint8_t *end;
};

static inline bool input_has_ended(const struct input *input)
{
	return input->next == input->end;
}

static inline unsigned int input_byte(struct input *input)
{
	return input_has_ended(input) ? 0 : *input->next++;
}

static inline unsigned int input_u16(struct input *input)
{
	unsigned int low = input_byte(input);

	return low | input_byte(input) << 8;
}

/* Below @end, which is at most 256. */
static inline size_t input_below(struct input *input, size_t end)
{
	return input_byte(input) % end;
}

static inline bool input_bit(struct input *input)
{
	return input_byte(input) & 1;
}

/* True once in @times. */
static inline bool input_seldom(struct input *input, unsigned int times)
{
	return input_byte(input) % times == times - 1;
}

/* Below 2^@bits: each power of two is as likely as the others. */
static inline size_t input_size(struct input *input, unsigned int bits)
{
	unsigned int shift = (unsigned int)input_below(input, bits + 1);
	size_t mantissa = 0x10000 | input_u16(input);

	return mantissa << shift >> 17;
}

#endif
