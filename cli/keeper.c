/* SPDX-License-Identifier: MIT */
#include "keeper.h"
#include "command.h"
#include "sandbox.h"
#include "streams.h"

#include <guesttrace/host_completion.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE \
	"guesttrace was killed; the rest was taken from the guest's memory"

/* ---- The other process --------------------------------------------------- */

struct kept {
	int memory_fd;
	int capture_fd, before_fd; /* the capture, and the one before it */
	int capture;               /* the one that is completed, for reading */
};

/* Memory and a capture, or the next capture alone. */
static bool take(struct kept *kept, const struct cmsghdr *fds)
{
	bool both = fds && fds->cmsg_len == CMSG_LEN(2 * sizeof(int));

	if (!fds || fds->cmsg_type != SCM_RIGHTS ||
	    (!both && fds->cmsg_len != CMSG_LEN(sizeof(int))))
		return false;
	if (kept->before_fd >= 0)
		close(kept->before_fd);
	kept->before_fd = kept->capture_fd;
	if (both)
		memcpy(&kept->memory_fd, CMSG_DATA(fds), sizeof(int));
	memcpy(&kept->capture_fd, CMSG_DATA(fds) + (both ? sizeof(int) : 0),
	       sizeof(int));
	return true;
}

/*
 * Waits for what is given, then for the end of the run. True: the run has ended
 * without a word.
 */
static bool wait_for_end(int socket, struct kept *kept)
{
	char byte, space[CMSG_SPACE(2 * sizeof(int))];
	struct iovec part = {&byte, 1};
	ssize_t got;

	for (;;) {
		struct msghdr message = {.msg_iov = &part,
		                         .msg_iovlen = 1,
		                         .msg_control = space,
		                         .msg_controllen = sizeof(space)};

		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || !take(kept, CMSG_FIRSTHDR(&message)))
			break;
	}
	return got <= 0;
}

static long read_capture(void *context, uint64_t at, void *bytes, size_t count)
{
	const struct kept *kept = context;
	ssize_t got = pread(kept->capture, bytes, count, (off_t)at);

	return got < 0 ? -errno : got;
}

static int cut_capture(void *context, uint64_t bytes)
{
	const struct kept *kept = context;

	return ftruncate(kept->capture_fd, (off_t)bytes) < 0 ? -errno : 0;
}

static int append_to_capture(void *context, const void *bytes, size_t count)
{
	const struct kept *kept = context;

	return lseek(kept->capture_fd, 0, SEEK_END) < 0
	               ? -errno
	               : write_whole(kept->capture_fd, false, bytes, count);
}

/*
 * Whom could it tell what fails? The capture is without an end then. Below 0:
 * it has no beginning, either.
 */
static int complete(struct kept *kept, const struct keeper *keeper,
                    void *memory)
{
	const struct keeper_board *board = keeper->board;
	const struct keeper_state *state =
		&board->states[atomic_load(&board->which) & 1];
	struct gt_completion_options options = {
		.size = sizeof(options),
		.memory_slots = 1,
		.guests_before = state->guests_before,
		.control_gva = state->control_gva,
		.cr0 = state->cr0,
		.cr3 = state->cr3,
		.cr4 = state->cr4,
		.efer = state->efer,
		.read = read_capture,
		.truncate = cut_capture,
		.write = append_to_capture,
		.context = kept,
		.limits = keeper->limits,
		.ending = GT_ENDING_FAILED,
		.message = MESSAGE,
	};

	options.memory[0] = (struct gt_memory_slot){
		.bytes = keeper->memory_bytes,
		.host = memory,
		.read_only = true,
	};
	return gt_capture_complete(&options);
}

/* What it was given cannot be read. */
static int open_to_read(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
}

/* All is open before it reads what a guest has left. */
static void complete_one(struct kept *kept, const struct keeper *keeper,
                         bool confined)
{
	int before = open_to_read(kept->before_fd);
	void *memory = mmap(NULL, keeper->memory_bytes, PROT_READ, MAP_SHARED,
	                    kept->memory_fd, 0);

	kept->capture = open_to_read(kept->capture_fd);
	if (memory == MAP_FAILED || kept->capture < 0 ||
	    (confined && sandbox_alone() < 0))
		return;
	if (complete(kept, keeper, memory) >= 0 || before < 0)
		return;
	kept->capture = before;
	kept->capture_fd = kept->before_fd;
	complete(kept, keeper, memory);
}

/*
 * Its command line is not the run's: who kills by that (pkill -f) means the
 * run. proc(5): the 48th and 49th word of stat say where it lies.
 */
static void take_own_name(void)
{
	static const char name[] = "gt-keeper";
	FILE *stat = fopen("/proc/self/stat", "re");
	unsigned long from = 0, to = 0;

	prctl(PR_SET_NAME, name);
	if (!stat)
		return;
	/* The second word is the name, of which no blank is a part now. */
	for (int word = 1; word < 48; word++)
		if (fscanf(stat, "%*s") != 0)
			break;
	if (fscanf(stat, "%lu %lu", &from, &to) == 2 && from < to) {
		memset((void *)from, 0, to - from);
		memcpy((void *)from, name,
		       to - from < sizeof(name) ? 0 : sizeof(name));
	}
	fclose(stat);
}

/* Whatever ends the run is not for this one; who reads what the run prints is
 * not to wait for it. */
static void stand_apart(void)
{
	static const int others[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
	                             SIGPIPE, SIGUSR1, SIGXFSZ};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	take_own_name();
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		signal(others[i], SIG_IGN);
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
}

static void keep(const struct keeper *keeper, int socket, bool confined)
{
	struct kept kept = {-1, -1, -1, -1};

	stand_apart();
	close(keeper->socket);
	close(keeper->memory_fd);
	if (wait_for_end(socket, &kept) && kept.memory_fd >= 0)
		complete_one(&kept, keeper, confined);
	_exit(0);
}

/* ---- The run ------------------------------------------------------------- */

/* A file that has no name and never shrinks. */
static int make_memory(uint64_t bytes)
{
	struct rlimit limit;
	int fd, r = 0;

	/* To go over it would be the end, by a signal. */
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes)
		return -EFBIG;
	fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
	            0)
		r = -errno;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int make_board(struct keeper *keeper)
{
	void *board = mmap(NULL, sizeof(*keeper->board), PROT_READ | PROT_WRITE,
	                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (board == MAP_FAILED)
		return -errno;
	keeper->board = board;
	return 0;
}

static int make_process(struct keeper *keeper, bool confined)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) < 0)
		return -errno;
	keeper->socket = sockets[0];
	keeper->pid = fork();
	if (keeper->pid == 0)
		keep(keeper, sockets[1], confined);
	close(sockets[1]);
	if (keeper->pid > 0)
		return 0;
	close(sockets[0]);
	keeper->pid = 0;
	return -errno;
}

static void release(struct keeper *keeper)
{
	if (keeper->board)
		munmap(keeper->board, sizeof(*keeper->board));
	if (keeper->memory_fd >= 0)
		close(keeper->memory_fd);
	keeper->board = NULL;
	keeper->memory_fd = -1;
}

void keeper_start(struct keeper *keeper, uint64_t memory_bytes,
                  const struct gt_limits *limits, bool confined)
{
	int r;

	*keeper = (struct keeper){.memory_bytes = memory_bytes,
	                          .limits = *limits};
	pthread_mutex_init(&keeper->lock, NULL);
	keeper->memory_fd = make_memory(memory_bytes);
	r = keeper->memory_fd < 0 ? keeper->memory_fd : make_board(keeper);
	if (r == 0)
		r = make_process(keeper, confined);
	if (r == 0)
		return;
	complain("if this run is killed, what it has not written is lost: %s",
	         code_text(r));
	release(keeper);
}

/* Of a pipe nobody can tell what has arrived. */
static void send_fds(const struct keeper *keeper, const int *given,
                     unsigned count)
{
	char byte = 0, space[CMSG_SPACE(2 * sizeof(int))] = {0};
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
	                         .msg_iovlen = 1,
	                         .msg_control = space,
	                         .msg_controllen =
	                                 CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *fds = CMSG_FIRSTHDR(&message);
	struct stat info;

	fds->cmsg_level = SOL_SOCKET;
	fds->cmsg_type = SCM_RIGHTS;
	fds->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(fds), given, count * sizeof(int));
	if (fstat(given[count - 1], &info) == 0 && S_ISREG(info.st_mode))
		sendmsg(keeper->socket, &message, MSG_NOSIGNAL);
}

void keeper_give(struct keeper *keeper, int capture_fd)
{
	const int given[] = {keeper->memory_fd, capture_fd};

	if (keeper->pid == 0)
		return;
	send_fds(keeper, given, 2);
	close(keeper->memory_fd);
	keeper->memory_fd = -1;
}

/* Under the lock. */
static void replace(struct keeper_board *board,
                    const struct keeper_state *state)
{
	uint32_t other = 1 - (atomic_load(&board->which) & 1);

	board->states[other] = *state;
	atomic_store(&board->which, other);
}

void keeper_next(struct keeper *keeper, int capture_fd)
{
	struct keeper_state now;

	if (keeper->pid == 0)
		return;
	send_fds(keeper, &capture_fd, 1);
	/* Of those that are there by now it has the last one. */
	pthread_mutex_lock(&keeper->lock);
	keeper->guests = keeper->guests > 0;
	now = keeper->board->states[keeper->board->which & 1];
	now.guests_before = keeper->is_announcing ? keeper->guests : 0;
	replace(keeper->board, &now);
	pthread_mutex_unlock(&keeper->lock);
}

static bool announces(const struct gt_exit *exit)
{
	return exit->reason == GT_EXIT_IO && exit->port == GT_PORT_TRACE &&
	       exit->r8 == GT_DOORBELL_MAGIC &&
	       (uint32_t)exit->r10 == GT_DOORBELL_ANNOUNCE;
}

struct keeper_state keeper_before_exit(struct keeper *keeper, unsigned vcpu,
                                       const struct gt_exit *exit)
{
	struct keeper_state before = {0}, now;
	bool is_new = announces(exit);

	if (keeper->pid == 0 ||
	    (!is_new && (exit->cr3 == 0 || (keeper->cr3[vcpu] == exit->cr3 &&
	                                    keeper->cr4[vcpu] == exit->cr4))))
		return before;
	keeper->cr3[vcpu] = exit->cr3;
	keeper->cr4[vcpu] = exit->cr4;
	pthread_mutex_lock(&keeper->lock);
	before = keeper->board->states[keeper->board->which & 1];
	now = before;
	if (is_new) {
		keeper->is_announcing = true;
		now.control_gva = exit->r9;
		now.guests_before = keeper->guests;
	}
	now.cr0 = exit->cr0;
	now.cr3 = exit->cr3;
	now.cr4 = exit->cr4;
	now.efer = exit->efer;
	replace(keeper->board, &now);
	pthread_mutex_unlock(&keeper->lock);
	return before;
}

void keeper_after_exit(struct keeper *keeper, const struct gt_exit *exit,
                       struct gt_host *host, int answer,
                       const struct keeper_state *before)
{
	bool accepted;

	if (keeper->pid == 0 || !announces(exit))
		return;
	/* What cannot be told where it is in a trace can still be read. */
	accepted = answer >= 0 || (answer != -GT_ERROR_BAD_REQUEST &&
	                           gt_host_control(host) == exit->r9);
	pthread_mutex_lock(&keeper->lock);
	keeper->is_announcing = false;
	if (accepted)
		keeper->guests++;
	else
		replace(keeper->board, before);
	pthread_mutex_unlock(&keeper->lock);
}

void keeper_end(struct keeper *keeper)
{
	char byte = 0;

	if (keeper->pid == 0)
		return;
	/* It may have been killed; SIGPIPE is ignored. */
	if (write(keeper->socket, &byte, 1) < 0)
		keeper->guests = 0;
	close(keeper->socket);
	while (waitpid(keeper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	keeper->pid = 0;
	release(keeper);
}
