/* SPDX-License-Identifier: MIT */
/*
 * One run: joins a VM of vmm/ to the host library exactly as another VMM would,
 * by its public functions alone.
 */
#ifndef GT_CLI_SESSION_H
#define GT_CLI_SESSION_H

#include "outputs.h"

#include <guesttrace/host.h>
#include <vmm/vm.h>

/* When the records of the native wire are taken, beside at the end. */
enum drain {
	DRAIN_EXIT = 0,   /* when the guest asks for it */
	DRAIN_EXITS = 1,  /* at each VM exit, whatever its reason */
	DRAIN_SHARED = 2, /* by a thread, while the guest runs */
	DRAIN_END = 3,    /* not before the guest is gone */
};

struct session_options {
	enum vm_backend backend;
	uint64_t memory_bytes;
	uint64_t timeout_ns;
	unsigned vcpus;
	enum gt_ring_mode ring_mode;
	enum drain drain;
	enum gt_wire wire;
	bool no_piggyback;
	bool no_sandbox;
	bool core; /* may be left, with the guest's memory in it */
	struct gt_limits limits; /* zeros are the defaults */
	const char *filter;
	const char *traceparent, *tracestate;
	const char *capture; /* path, or NULL */
	uint64_t max_bytes;  /* of it; 0: any */
	uint32_t keep_files; /* of so many bytes; 0: one */
	uint64_t tree_bytes; /* 0: the default */
	uint64_t queue_bytes, patience_ns; /* of outlets.h; 0: the default */
	struct outputs *outputs;
	int guest_argc;
	char **guest_argv; /* [0] is the guest's file */
};

/* Runs the guest; complains about what fails. Returns `run`'s exit status. */
int session_run(const struct session_options *options);

#endif
