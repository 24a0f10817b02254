/* SPDX-License-Identifier: MIT */
/*
 * Writing through a window of the file. There is no descriptor between the
 * moves of the window: a program may close all that it finds, and open others
 * in their place.
 */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	WINDOW_BYTES = 1 << 20,
	PAGE_BYTES_MAX = 1 << 16 /* a window starts at a multiple */
};

/* Give the file its blocks now: a full disk is an error, not a SIGBUS. */
static void *map_file(int fd, size_t start)
{
	int error = posix_fallocate(fd, (off_t)start, WINDOW_BYTES);

	if (error) {
		errno = error;
		return MAP_FAILED;
	}
	return mmap(NULL, WINDOW_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    (off_t)start);
}

static bool move_window(struct writer *writer, int flags)
{
	size_t end = writer->start + writer->used;
	size_t start = end & ~(size_t)(PAGE_BYTES_MAX - 1);
	int fd =
		open(writer->path, O_RDWR | O_CLOEXEC | O_NOCTTY | flags, 0666);
	void *window;

	if (fd < 0)
		return false;
	window = map_file(fd, start);
	close(fd);
	if (window == MAP_FAILED)
		return false;
	if (writer->window)
		munmap(writer->window, WINDOW_BYTES);
	writer->window = window;
	writer->start = start;
	writer->used = end - start;
	return true;
}

bool writer_open(struct writer *writer)
{
	writer->start = writer->used = 0;
	return move_window(writer, O_CREAT | O_TRUNC);
}

bool writer_reserve(struct writer *writer, size_t bytes)
{
	return writer->used + bytes < WINDOW_BYTES || move_window(writer, 0);
}

void writer_byte(struct writer *writer, unsigned char byte)
{
	writer->window[writer->used++] = byte;
}

void writer_number(struct writer *writer, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		writer_byte(writer, (unsigned char)(number | 0x80));
	writer_byte(writer, (unsigned char)number);
}

/* Without its tail the file ends as it would after a kill: both can be read. */
void writer_close(struct writer *writer)
{
	int saved_errno = errno;

	munmap(writer->window, WINDOW_BYTES);
	writer->window = NULL;
	if (truncate(writer->path, (off_t)(writer->start + writer->used)) < 0)
		errno = saved_errno;
}
