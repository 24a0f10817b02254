/* SPDX-License-Identifier: MIT */
/*
 * Run a command and tell what it cost, as JSON on a descriptor.
 *
 * This is a program of its own, in C and small, since the kernel counts what a
 * process was before its execve() into its peak RSS: below Python, every
 * command would have Python's.
 *
 * The first line, {"pid": N}, comes when the command starts; the second when it
 * and all that it left behind have ended. CPU time and faults are those of the
 * command and its descendants, also of those that nobody waited for but us; the
 * peak is that of the largest of these processes. Memory over time is that of
 * the command's own process.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: meter [-o DESCRIPTOR] [-p PRELOAD] [-c CPU,...] [-s SECONDS]\n"
	"             COMMAND...\n"
	"  -o  where the figures go, rather than to standard error\n"
	"  -p  a library to preload into the command\n"
	"  -c  the CPUs that the command may use\n"
	"  -s  sample the command's RSS that often\n";

struct sample {
	double seconds;
	long kib;
};

static struct {
	int output;
	const char *preload;
	bool pinned;
	cpu_set_t cpus;
	double interval; /* 0 for no samples */

	pid_t child; /* 0 when the command has ended */
	double start;
	unsigned long ticks; /* how many samples were due */
	struct sample *samples;
	size_t count, room;
} meter = { .output = STDERR_FILENO };

struct cost {
	double wall;
	int status; /* of the command */
	struct rusage usage;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void parse_cpus(char *list)
{
	char *end;

	CPU_ZERO(&meter.cpus);
	for (char *item = strtok(list, ","); item; item = strtok(NULL, ",")) {
		unsigned long cpu = strtoul(item, &end, 10);

		if (*end || end == item || cpu >= CPU_SETSIZE)
			errx(2, "-c %s: not the number of a CPU", item);
		CPU_SET(cpu, &meter.cpus);
	}
	meter.pinned = true;
}

static char **parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+o:p:c:s:")) != -1) {
		switch (option) {
		case 'o':
			meter.output = atoi(optarg);
			break;
		case 'p':
			meter.preload = optarg;
			break;
		case 'c':
			parse_cpus(optarg);
			break;
		case 's':
			meter.interval = strtod(optarg, NULL);
			break;
		default:
			fputs(help, stderr);
			exit(2);
		}
	}
	if (!argv[optind]) {
		fputs(help, stderr);
		exit(2);
	}
	return argv + optind;
}

/* The signals that the meter waits for: blocked, so that none gets lost. */
static void block_signals(sigset_t *ret_signals, sigset_t *ret_before)
{
	sigemptyset(ret_signals);
	sigaddset(ret_signals, SIGCHLD);
	sigaddset(ret_signals, SIGTERM);
	sigaddset(ret_signals, SIGINT);
	sigprocmask(SIG_BLOCK, ret_signals, ret_before);
}

static void become(char **command, const sigset_t *signals)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, signals, NULL);
	if (meter.pinned &&
	    sched_setaffinity(0, sizeof(cpu_set_t), &meter.cpus))
		err(126, "cannot use these CPUs");
	if (meter.preload && *meter.preload)
		setenv("LD_PRELOAD", meter.preload, 1);
	execvp(command[0], command);
	err(127, "%s", command[0]);
}

static void add_sample(double seconds, long kib)
{
	if (meter.count == meter.room) {
		meter.room = meter.room ? 2 * meter.room : 1024;
		meter.samples = reallocarray(meter.samples, meter.room,
					     sizeof(*meter.samples));
		if (!meter.samples)
			err(125, "samples");
	}
	meter.samples[meter.count++] = (struct sample){ seconds, kib };
}

/* The command may have ended: then there is nothing to add. */
static void take_sample(void)
{
	char path[32];
	long size, resident;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)meter.child);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fscanf(file, "%ld %ld", &size, &resident) == 2 && resident)
		add_sample(now() - meter.start,
			   resident * (sysconf(_SC_PAGESIZE) / 1024));
	fclose(file);
}

/* Until the next sample is due, or for ever where none is. */
static int wait_signal(const sigset_t *signals)
{
	struct timespec timeout;
	double left;

	if (meter.interval <= 0 || !meter.child)
		return sigwaitinfo(signals, NULL);
	left = meter.start + meter.interval * (double)(meter.ticks + 1) - now();
	if (left < 0)
		left = 0;
	timeout.tv_sec = (time_t)left;
	timeout.tv_nsec = (long)((left - (double)timeout.tv_sec) * 1e9);
	return sigtimedwait(signals, NULL, &timeout);
}

static void add_time(struct timeval *sum, const struct timeval *part)
{
	timeradd(sum, part, sum);
}

static void add_usage(struct rusage *sum, const struct rusage *part)
{
	add_time(&sum->ru_utime, &part->ru_utime);
	add_time(&sum->ru_stime, &part->ru_stime);
	if (part->ru_maxrss > sum->ru_maxrss)
		sum->ru_maxrss = part->ru_maxrss;
	sum->ru_minflt += part->ru_minflt;
	sum->ru_majflt += part->ru_majflt;
	sum->ru_nvcsw += part->ru_nvcsw;
	sum->ru_nivcsw += part->ru_nivcsw;
}

/* Collect who has ended; false when nobody is left. */
static bool reap(struct cost *cost)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		add_usage(&cost->usage, &usage);
		if (pid == meter.child) {
			cost->wall = now() - meter.start;
			cost->status = status;
			meter.child = 0;
		}
	}
	return pid == 0;
}

/* Until the command and what it left behind have ended. */
static void watch(const sigset_t *signals, struct cost *cost)
{
	do {
		int signal = wait_signal(signals);

		if (signal < 0 && errno == EAGAIN) {
			meter.ticks++;
			take_sample();
		} else if ((signal == SIGTERM || signal == SIGINT) &&
			   meter.child) {
			kill(meter.child, signal);
		}
	} while (reap(cost));
}

static void report(const struct cost *cost)
{
	const struct rusage *usage = &cost->usage;

	dprintf(meter.output,
		"{\"exit\": %d, \"signal\": %d, \"wall_s\": %.6f, "
		"\"user_s\": %ld.%06ld, \"system_s\": %ld.%06ld, "
		"\"peak_kib\": %ld, \"minor_faults\": %ld, "
		"\"major_faults\": %ld, \"switches\": %ld, \"curve\": [",
		WIFEXITED(cost->status) ? WEXITSTATUS(cost->status) : 0,
		WIFSIGNALED(cost->status) ? WTERMSIG(cost->status) : 0,
		cost->wall, (long)usage->ru_utime.tv_sec,
		(long)usage->ru_utime.tv_usec, (long)usage->ru_stime.tv_sec,
		(long)usage->ru_stime.tv_usec, usage->ru_maxrss,
		usage->ru_minflt, usage->ru_majflt, usage->ru_nivcsw);
	for (size_t i = 0; i < meter.count; i++)
		dprintf(meter.output, "%s[%.4f, %ld]", i ? ", " : "",
			meter.samples[i].seconds, meter.samples[i].kib);
	dprintf(meter.output, "]}\n");
}

int main(int argc, char **argv)
{
	char **command = parse(argc, argv);
	sigset_t signals, before;
	struct cost cost = { 0 };

	fcntl(meter.output, F_SETFD, FD_CLOEXEC);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	block_signals(&signals, &before);
	meter.start = now();
	meter.child = fork();
	if (meter.child < 0)
		err(125, "fork");
	if (!meter.child)
		become(command, &before);
	dprintf(meter.output, "{\"pid\": %d}\n", (int)meter.child);
	watch(&signals, &cost);
	report(&cost);
	return 0;
}
