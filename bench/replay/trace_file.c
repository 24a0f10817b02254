/* SPDX-License-Identifier: MIT */
/* Reading a trace whole, by way of liblzma if it is compressed. */
#include "trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"

enum {
	HEADER_BYTES = 16, /* before a block for liblzma: its length */
	UNPACKED_FIRST = 1 << 20
};

static struct trace_file read_file(const char *path)
{
	struct trace_file file = { .path = path };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	ssize_t got = 1;

	if (fd < 0 || fstat(fd, &status) < 0)
		fail("%s: %s", path, strerror(errno));
	file.room = (size_t)status.st_size;
	file.bytes = memory_map(file.room);
	while (file.len < file.room && got > 0) {
		got = read(fd, file.bytes + file.len, file.room - file.len);
		if (got < 0)
			fail("%s: %s", path, strerror(errno));
		file.len += (size_t)got;
	}
	close(fd);
	return file;
}

static void *lzma_map(void *opaque, size_t count, size_t size)
{
	size_t bytes = count * size + HEADER_BYTES;
	char *memory = memory_map(bytes);

	(void)opaque;
	memcpy(memory, &bytes, sizeof(bytes));
	return memory + HEADER_BYTES;
}

static void lzma_unmap(void *opaque, void *memory)
{
	char *start;
	size_t bytes;

	(void)opaque;
	if (!memory)
		return;
	start = (char *)memory - HEADER_BYTES;
	memcpy(&bytes, start, sizeof(bytes));
	memory_unmap(start, bytes);
}

static void double_room(struct trace_file *file)
{
	size_t room = file->room ? 2 * file->room : UNPACKED_FIRST;
	unsigned char *bytes = memory_map(room);

	if (file->bytes) {
		memcpy(bytes, file->bytes, file->len);
		memory_unmap(file->bytes, file->room);
	}
	file->bytes = bytes;
	file->room = room;
}

static struct trace_file unpack(const struct trace_file *packed)
{
	static const lzma_allocator allocator = { lzma_map, lzma_unmap, NULL };
	lzma_stream stream = LZMA_STREAM_INIT;
	struct trace_file file = { .path = packed->path };
	lzma_ret ret;

	stream.allocator = &allocator;
	stream.next_in = packed->bytes;
	stream.avail_in = packed->len;
	ret = lzma_stream_decoder(&stream, UINT64_MAX, 0);
	while (ret == LZMA_OK) {
		if (file.len == file.room)
			double_room(&file);
		stream.next_out = file.bytes + file.len;
		stream.avail_out = file.room - file.len;
		ret = lzma_code(&stream, LZMA_FINISH);
		file.len = file.room - stream.avail_out;
	}
	if (ret == LZMA_BUF_ERROR)
		fail("%s: the end of the compressed file is missing",
		     packed->path);
	if (ret != LZMA_STREAM_END || stream.avail_in > 0)
		fail("%s: the compressed file is damaged", packed->path);
	lzma_end(&stream);
	return file;
}

struct trace_file trace_file_read(const char *path)
{
	static const unsigned char xz_magic[] = { 0xfd, '7', 'z', 'X', 'Z', 0 };
	struct trace_file file = read_file(path), unpacked;

	if (file.len < sizeof(xz_magic) ||
	    memcmp(file.bytes, xz_magic, sizeof(xz_magic)) != 0)
		return file;
	unpacked = unpack(&file);
	trace_file_forget(&file);
	return unpacked;
}

void trace_file_forget(struct trace_file *file)
{
	if (file->bytes)
		memory_unmap(file->bytes, file->room);
	file->bytes = NULL;
}
