/* SPDX-License-Identifier: MIT */
/*
 * Play the files of a corpus to a fuzzer without the engine: a test, for every
 * compiler. Each file gets a process of its own, so that one does not depend on
 * those before it. Arguments are files, and folders of them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

enum {
	INPUT_BYTES_MAX = 1 << 16
};

static struct {
	int played;
	int failed;
} count;

static void play_file(const char *path)
{
	static uint8_t data[INPUT_BYTES_MAX];
	int fd = open(path, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, data, sizeof(data));

	if (size < 0) {
		perror(path);
		_exit(1);
	}
	LLVMFuzzerTestOneInput(data, (size_t)size);
	_exit(0);
}

static void replay_file(const char *path)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0)
		play_file(path);
	if (child > 0)
		waitpid(child, &status, 0);
	count.played++;
	if (status == 0)
		return;
	count.failed++;
	printf("# status 0x%x: %s\n", (unsigned int)status, path);
}

static void replay_folder(const char *path, DIR *folder)
{
	char file[PATH_MAX];
	struct dirent *entry;

	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		replay_file(file);
	}
}

static void replay(const char *path)
{
	DIR *folder = opendir(path);

	if (!folder) {
		replay_file(path);
		return;
	}
	replay_folder(path, folder);
	closedir(folder);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("# %d inputs, %d failed\n%sok 1 - no_input_breaks_it\n1..1\n",
	       count.played, count.failed,
	       count.played == 0 || count.failed > 0 ? "not " : "");
	return count.played == 0 || count.failed > 0;
}
