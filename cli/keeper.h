/* SPDX-License-Identifier: MIT */
/*
 * A second, tiny process beside a run that writes a capture. It has the guest's
 * memory, which is a file without a name, and the capture. When the run is
 * killed, it completes the capture with what the guest's rings still hold, and
 * is gone; when the run ends by itself, it is told so, and is gone, too. While
 * the run lasts it waits, and costs nothing. It has a session of its own, so
 * that no terminal's signal and no killed process group takes it along, and a
 * name and a command line of its own, so that nobody kills it by the run's.
 */
#ifndef GT_CLI_KEEPER_H
#define GT_CLI_KEEPER_H

#include <guesttrace/host.h>
#include <vmm/vm.h>

#include <pthread.h>
#include <sys/types.h>

/* What it has to know of the guest. */
struct keeper_state {
	uint64_t control_gva; /* 0: nothing was announced */
	uint64_t cr0, cr3, cr4, efer;
	uint32_t guests_before; /* announcements accepted before that one */
	uint32_t reserved;
};

/* Shared with it; the one that holds is replaced as a whole. */
struct keeper_board {
	_Atomic uint32_t which;
	uint32_t reserved;
	struct keeper_state states[2];
};

struct keeper {
	pid_t pid; /* 0: there is none, and the rest means nothing */
	int socket;
	int memory_fd; /* -1: given away, or never there */
	uint64_t memory_bytes;
	struct gt_limits limits; /* of the host */
	struct keeper_board *board;
	pthread_mutex_t lock; /* of the board, and of what follows */
	uint32_t guests;      /* announcements accepted, that the capture has */
	bool is_announcing;   /* another one is being looked at */
	/* By vCPU: as on the board when it left last. */
	uint64_t cr3[VM_VCPUS_MAX], cr4[VM_VCPUS_MAX];
};

/*
 * Makes it, and memory for a guest. Before there are any threads. Where that is
 * not to be had it says so, and there is none: the run may go on. `confined`:
 * it gives up all but what it has to do.
 */
void keeper_start(struct keeper *keeper, uint64_t memory_bytes,
                  const struct gt_limits *limits, bool confined);

/* The guest has its memory: from now on it keeps that and this capture. */
void keeper_give(struct keeper *keeper, int capture_fd);

/*
 * Before the host goes on in another capture: the run may be killed before that
 * has a beginning, or behind it.
 */
void keeper_next(struct keeper *keeper, int capture_fd);

/*
 * Around gt_host_exit(), so that it is known at any moment of it. The thread is
 * that of the vCPU.
 */
struct keeper_state keeper_before_exit(struct keeper *keeper, unsigned vcpu,
                                       const struct gt_exit *exit);
void keeper_after_exit(struct keeper *keeper, const struct gt_exit *exit,
                       struct gt_host *host, int answer,
                       const struct keeper_state *before);

/* The capture has its end. Harmless where there is none. */
void keeper_end(struct keeper *keeper);

#endif
