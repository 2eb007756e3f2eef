/* SPDX-License-Identifier: MIT */
#include "outlets.h"
#include "command.h"
#include "monotonic.h"
#include "sandbox.h"
#include "streams.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTLETS_MAX 24u /* outputs, the capture, a snapshot, the streams */
#define CHUNK_BYTES ((size_t)64 << 10)
#define LOOK_NS     5000000 /* at whether an outlet has room by now */
#define NS_PER_MS   UINT64_C(1000000)
/* Over its share, of what nobody may leave out: the end of what was begun. */
#define MORE_BYTES  ((size_t)512 << 20)

struct chunk {
	struct chunk *next;
	size_t from, to; /* [from, to) waits */
	char bytes[CHUNK_BYTES];
};

struct outlet {
	unsigned users; /* 0: free */
	int fd;
	dev_t device;
	ino_t inode;
	struct chunk *first, *last;
	size_t queued;
	bool is_full;
	uint64_t quiet_ns; /* nothing was taken of what waits, for so long */
	int error; /* the first; nothing is queued from then on, and the thread
	              throws away what is */
};

/* All of it under the lock, but for the bytes that the thread writes. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER; /* for the thread */
static pthread_cond_t room = PTHREAD_COND_INITIALIZER; /* it has written */
static struct outlet outlets[OUTLETS_MAX];
static struct chunk *spare; /* never given back: the thread may not */
static pthread_t thread;
static bool runs, stops, guest_runs;
static size_t share;
static uint64_t patience, looked_ns;
static struct outlet *messages; /* standard error; NULL: not needed */
static bool messages_failed;
static _Atomic uint64_t messages_dropped;

static _Atomic uint64_t hurry_from_ns;

void outlets_hurry(uint64_t from_ns)
{
	atomic_store(&hurry_from_ns, from_ns);
}

bool outlets_are_in_a_hurry(void)
{
	uint64_t from_ns = atomic_load(&hurry_from_ns);

	return from_ns && monotonic_ns() >= from_ns;
}

/* ---- The queue of one ---------------------------------------------------- */

static void drop_first(struct outlet *outlet)
{
	struct chunk *chunk = outlet->first;

	outlet->first = chunk->next;
	if (!outlet->first)
		outlet->last = NULL;
	chunk->next = spare;
	spare = chunk;
}

/* By the thread alone, which may be writing from there. */
static void drop_all(struct outlet *outlet)
{
	outlet->queued = 0;
	while (outlet->first)
		drop_first(outlet);
	pthread_cond_broadcast(&room);
}

static bool add_chunk(struct outlet *outlet)
{
	struct chunk *chunk = spare;

	if (chunk)
		spare = chunk->next;
	else
		chunk = malloc(sizeof(*chunk));
	if (!chunk)
		return false;
	chunk->next = NULL;
	chunk->from = chunk->to = 0;
	if (outlet->last)
		outlet->last->next = chunk;
	else
		outlet->first = chunk;
	outlet->last = chunk;
	return true;
}

/* How many of them found room; 0: there is no memory. */
static size_t append(struct outlet *outlet, const char *bytes, size_t count)
{
	struct chunk *chunk = outlet->last;
	size_t left;

	if ((!chunk || chunk->to == CHUNK_BYTES) && !add_chunk(outlet))
		return 0;
	chunk = outlet->last;
	left = CHUNK_BYTES - chunk->to;
	if (count > left)
		count = left;
	memcpy(chunk->bytes + chunk->to, bytes, count);
	chunk->to += count;
	outlet->queued += count;
	return count;
}

static void taken(struct outlet *outlet, size_t count)
{
	struct chunk *chunk = outlet->first;

	outlet->quiet_ns = 0;
	outlet->queued -= count;
	chunk->from += count;
	if (chunk->from == CHUNK_BYTES || outlet->queued == 0)
		drop_first(outlet);
	pthread_cond_broadcast(&room);
}

/* ---- The thread ---------------------------------------------------------- */

/* What they can be given now is in `ret_polls`; how many these are. */
static unsigned find_waiting(struct pollfd *ret_polls, struct outlet **ret_of)
{
	unsigned count = 0;

	for (unsigned i = 0; i < OUTLETS_MAX; i++) {
		if (outlets[i].queued == 0)
			continue;
		ret_of[count] = &outlets[i];
		ret_polls[count++] =
			(struct pollfd){.fd = outlets[i].fd, .events = POLLOUT};
	}
	return count;
}

/*
 * Patience is counted in looks: on a machine that has no time for this thread
 * there may be none for who reads, either.
 */
static uint64_t since_last_look(uint64_t now_ns)
{
	uint64_t ns = now_ns - looked_ns;

	looked_ns = now_ns;
	return ns < 2 * LOOK_NS ? ns : 2 * LOOK_NS;
}

static bool is_over(const struct outlet *outlet, uint64_t now_ns)
{
	uint64_t from_ns = atomic_load(&hurry_from_ns);

	return from_ns && now_ns >= from_ns &&
	       (outlet->quiet_ns >= patience ||
	        now_ns - from_ns >= OUTLETS_LEFT_MS * NS_PER_MS);
}

/* Without the lock, which is held before and after. */
static ssize_t write_first(const struct outlet *outlet)
{
	const struct chunk *chunk = outlet->first;
	const char *from = chunk->bytes + chunk->from;
	size_t count = chunk->to - chunk->from;
	ssize_t done;

	pthread_mutex_unlock(&lock);
	/* What poll() promises room for. */
	done = write(outlet->fd, from, count < PIPE_BUF ? count : PIPE_BUF);
	if (done < 0)
		done = errno == EINTR || errno == EAGAIN ? 0 : -errno;
	pthread_mutex_lock(&lock);
	return done;
}

/* Writes to each that has room, and gives up those that nobody reads. */
static void serve(struct pollfd *polls, struct outlet **of, unsigned count)
{
	const struct timespec a_while = {.tv_nsec = LOOK_NS};
	uint64_t now_ns, ns;

	pthread_mutex_unlock(&lock);
	ppoll(polls, count, &a_while, NULL);
	now_ns = monotonic_ns();
	pthread_mutex_lock(&lock);
	ns = since_last_look(now_ns);
	for (unsigned i = 0; i < count; i++) {
		ssize_t done = polls[i].revents ? write_first(of[i]) : 0;

		if (done > 0)
			taken(of[i], (size_t)done);
		else
			of[i]->quiet_ns += ns;
		if (of[i]->error == 0 && done < 0)
			of[i]->error = (int)done;
		else if (of[i]->error == 0 && of[i]->queued > 0 &&
		         is_over(of[i], now_ns))
			of[i]->error = -ETIMEDOUT;
		if (of[i]->error)
			drop_all(of[i]);
	}
}

static void *run(void *unused)
{
	struct pollfd polls[OUTLETS_MAX];
	struct outlet *of[OUTLETS_MAX];

	sandbox_enter(SANDBOX_OUTPUTS);
	pthread_mutex_lock(&lock);
	for (;;) {
		unsigned count = find_waiting(polls, of);

		if (count > 0) {
			serve(polls, of, count);
			continue;
		}
		if (stops)
			break;
		pthread_cond_wait(&work, &lock);
		looked_ns = monotonic_ns();
	}
	pthread_mutex_unlock(&lock);
	return unused;
}

/* ---- Messages ------------------------------------------------------------ */

/* A line that finds no room is missing, and the next one says so. */
static bool say(const char *line)
{
	char missing[80];
	uint64_t dropped;

	if (messages_failed)
		return true;
	if (!messages)
		return false;
	if (outlet_is_full(messages)) {
		messages_dropped++;
		return true;
	}
	dropped = atomic_exchange(&messages_dropped, 0);
	if (dropped > 0) {
		snprintf(missing, sizeof(missing),
		         "guesttrace: %llu lines are missing here\n",
		         (unsigned long long)dropped);
		outlet_write(messages, missing, strlen(missing));
	}
	outlet_write(messages, line, strlen(line));
	return true;
}

/* ---- All of them --------------------------------------------------------- */

/* No handler runs on it: a run's may not even return from it. */
static int make_thread(void)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(&thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

int outlets_start(size_t bytes, uint64_t patience_ns)
{
	int r;

	share = bytes ? bytes : OUTLETS_BYTES_DEFAULT;
	patience = patience_ns ? patience_ns : OUTLETS_PATIENCE_MS * NS_PER_MS;
	guest_runs = true;
	stops = false;
	r = make_thread();
	runs = r == 0;
	if (r == 0)
		r = outlet_open(STDERR_FILENO, &messages);
	if (r == 0)
		complain_by(say);
	return r;
}

void outlets_guest_is_gone(void)
{
	pthread_mutex_lock(&lock);
	guest_runs = false;
	pthread_mutex_unlock(&lock);
}

void outlets_stop(void)
{
	struct chunk *chunk;

	if (!runs)
		return;
	outlets_guest_is_gone();
	messages_failed = messages && outlet_close(messages) < 0;
	messages = NULL;
	pthread_mutex_lock(&lock);
	stops = true;
	pthread_cond_signal(&work);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	runs = false;
	while ((chunk = spare)) {
		spare = chunk->next;
		free(chunk);
	}
}

/* ---- One of them --------------------------------------------------------- */

/* The streams may be one terminal or pipe: then what is said stays in order. */
static struct outlet *find(int fd, const struct stat *info)
{
	struct outlet *none = NULL;

	for (unsigned i = 0; i < OUTLETS_MAX; i++) {
		struct outlet *outlet = &outlets[i];

		if (outlet->users == 0)
			none = outlet;
		else if (fd <= STDERR_FILENO && outlet->fd <= STDERR_FILENO &&
		         outlet->device == info->st_dev &&
		         outlet->inode == info->st_ino)
			return outlet;
	}
	return none;
}

int outlet_open(int fd, struct outlet **ret_outlet)
{
	struct outlet *outlet;
	struct stat info;

	*ret_outlet = NULL;
	if (!runs)
		return 0;
	if (fstat(fd, &info) < 0)
		return -errno;
	if (!stream_may_wait(fd))
		return 0;
	pthread_mutex_lock(&lock);
	outlet = find(fd, &info);
	if (outlet && outlet->users++ == 0)
		*outlet = (struct outlet){.users = 1,
		                          .fd = fd,
		                          .device = info.st_dev,
		                          .inode = info.st_ino};
	pthread_mutex_unlock(&lock);
	*ret_outlet = outlet;
	return outlet ? 0 : -EMFILE;
}

/* With the lock. Once the guest is gone there is time. */
static void wait_for_room(struct outlet *outlet)
{
	while (!guest_runs && outlet->queued >= share && outlet->error == 0)
		pthread_cond_wait(&room, &lock);
}

int outlet_write(struct outlet *outlet, const void *bytes, size_t count)
{
	const char *from = bytes;
	int r;

	pthread_mutex_lock(&lock);
	while (count > 0 && outlet->error == 0) {
		size_t done;

		wait_for_room(outlet);
		if (outlet->error)
			break;
		done = append(outlet, from, count);
		if (done == 0)
			outlet->error = -ENOMEM;
		else if (outlet->queued > share + MORE_BYTES)
			outlet->error = -ETIMEDOUT;
		from += done;
		count -= done;
		pthread_cond_signal(&work);
	}
	r = outlet->error;
	pthread_mutex_unlock(&lock);
	return r;
}

bool outlet_is_full(struct outlet *outlet)
{
	bool is_full;

	pthread_mutex_lock(&lock);
	if (outlet->queued > share)
		outlet->is_full = true;
	else if (outlet->queued <= share / 2)
		outlet->is_full = false;
	is_full = outlet->is_full && guest_runs;
	pthread_mutex_unlock(&lock);
	return is_full;
}

int outlet_close(struct outlet *outlet)
{
	int r;

	pthread_mutex_lock(&lock);
	while (outlet->queued > 0)
		pthread_cond_wait(&room, &lock);
	r = outlet->error;
	outlet->users--;
	pthread_mutex_unlock(&lock);
	return r;
}
