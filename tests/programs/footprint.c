/* SPDX-License-Identifier: MIT */
/*
 * Run a command and tell the memory that it has when it exits, in KiB; for a
 * program that frees nothing large, its peak.
 *
 * The command is stopped on its way out and its page tables are counted:
 * ru_maxrss would be that of the process that started it, where that is more,
 * and is a sum of per-CPU counters that may be off by hundreds of KiB.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Copy the figure of the line that starts with "Rss:" to standard output. */
static int print_resident(pid_t child)
{
	char path[64], line[256];
	int found = 0;
	FILE *rollup;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)child);
	rollup = fopen(path, "re");
	while (rollup && fgets(line, sizeof(line), rollup)) {
		if (strncmp(line, "Rss:", 4) == 0) {
			printf("%lu\n", strtoul(line + 4, NULL, 10));
			found = 1;
		}
	}
	if (rollup)
		fclose(rollup);
	return found;
}

int main(int argc, char **argv)
{
	int status, found = 0;
	pid_t child = argc > 1 ? fork() : -1;

	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			execv(argv[1], argv + 1);
		_exit(127);
	}
	/* The first stop is the one after execve(2). */
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status))
		return 1;
	ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACEEXIT);
	while (!WIFEXITED(status) && !WIFSIGNALED(status)) {
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			found = print_resident(child);
		ptrace(PTRACE_CONT, child, NULL, NULL);
		if (waitpid(child, &status, 0) < 0)
			return 1;
	}
	return !found || !WIFEXITED(status) || WEXITSTATUS(status);
}
