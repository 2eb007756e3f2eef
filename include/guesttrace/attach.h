/* SPDX-License-Identifier: MIT */
/*
 * Of host.h: a guest of another process's, whose VMM knows nothing of
 * guesttrace. Nobody reports its VM exits, and it did not announce itself to
 * us: its control block was found in its memory. docs/attach.md
 */
#ifndef GUESTTRACE_ATTACH_H
#define GUESTTRACE_ATTACH_H

#include <guesttrace/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a guest is, and what is known of its TSC. */
struct gt_attachment {
	size_t size;          /* sizeof(struct gt_attachment) */
	uint64_t control_gva; /* of its control block */
	/* GPA of its page tables, bits 51:12 of a CR3. They are read once, and
	 * may be gone afterwards. */
	uint64_t root;
	bool has_five_levels; /* Intel SDM volume 3, 4.5: CR4.LA57 is set */
	bool takes_over;      /* from whoever says that the guest is theirs */
	/* Whom the next one finds, for example a PID; 2..2^32 - 1. */
	uint32_t owner;
	/*
	 * How long the guest keeps its sites on with nobody calling
	 * gt_host_drain(), in ticks of its TSC; below 2^62, 0: for ever.
	 */
	uint64_t lease_ticks;
	/*
	 * As in struct gt_exit, of all vCPUs. GT_TSC_OFFSET_UNKNOWN: it is
	 * estimated from records that come while they are waited for, and the
	 * error bound contains what is not known. Nothing is shown before.
	 */
	int64_t tsc_offset;
	uint64_t tsc_ratio;
	uint32_t tsc_ratio_shift;
	/* In which two that come at once see each other, below 10^9; 0: 20 ms.
	 */
	uint32_t settle_ns;
};

/* What a control block says of who reads it. */
struct gt_owner {
	uint64_t word;  /* 0: nobody does; 1: the VMM itself */
	uint32_t owner; /* struct gt_attachment; 0: unknown */
	uint64_t beat;  /* another one some time later: it is alive */
	uint64_t lease_ticks;
};

/*
 * Makes a host of a guest that runs, takes the guest for itself and switches its
 * sites, once another one that does the same would have shown. Options as of
 * gt_host_new(): `vcpus` at least as many as the control block says, `wire`
 * native, `memory` with access that never fails hard. From then on
 * gt_host_drain() takes records, and is to be called several times per
 * lease; it returns GT_ERROR_GUEST_GONE once the control block is not there any
 * longer, and GT_ERROR_HAS_OWNER once another one has taken the guest: then
 * nothing is written to it again. All addresses are translated here, once, and
 * each write is preceded by a look at what must lie beside it.
 *
 * Errors: those of gt_host_new() but for what sinks and capture return, which
 * comes later; of the memory door; GT_ERROR_BAD_CONTROL, _BAD_RING, _BAD_SITES,
 * _BAD_VERSION; GT_ERROR_HAS_OWNER. Any of them leaves the guest as it was.
 */
int gt_host_attach(const struct gt_host_options *options,
                   const struct gt_attachment *attachment,
                   struct gt_host **ret_host);

/*
 * Takes what there is, and leaves the guest: its sites are on or off as they
 * were before, and it belongs to nobody. gt_host_finish() is to follow. 0,
 * GT_ERROR_GUEST_GONE, GT_ERROR_HAS_OWNER, in which case nothing was written;
 * or the first error of memory.
 */
int gt_host_detach(struct gt_host *host);

/*
 * Of a control block in memory that nobody translates: `bytes` are as many of
 * its as there are, at most sizeof(struct gt_control). False: it is none.
 */
bool gt_owner_read(const void *bytes, size_t count, struct gt_owner *ret_owner);

/* ---- Memory of another process ------------------------------------------- */

/*
 * What a slot's `host` points to, with gt_memory_of_process for its `access`:
 * no call of which waits for the process or can fail but by what it returns.
 * The caller owns it and keeps it while the host has the slot. It wants
 * CAP_SYS_PTRACE, or the same uid where the Yama module allows that.
 */
struct gt_process_memory {
	int32_t pid;
	uint64_t address; /* there, of the slot's first byte */
};

extern const struct gt_memory_access gt_memory_of_process;

/* A mapping that may be a guest's RAM. */
struct gt_mapping {
	int32_t pid;
	uint64_t address, bytes; /* there, multiples of 4 KiB */
	/* Of a file that is mapped only by us, which says what there is of it;
	 * -1: the page tables of the process do. The caller's. */
	int fd;
	uint64_t file_offset;
};

/*
 * Stores those of a process in the order of their addresses: writable, of 1 MiB
 * to 4 TiB, no code. Returns how many there are, `room` at most; or a negative
 * errno: -EACCES, -ESRCH.
 */
int gt_process_mappings(int32_t pid, struct gt_mapping *mappings, size_t room);

/*
 * Calls `range` with each stretch of it that is there, in its order, until that
 * returns other than 0, which is returned. Nothing is touched. 0 or a negative
 * errno.
 */
int gt_process_present(const struct gt_mapping *mapping,
                       int (*range)(void *context, uint64_t offset,
                                    uint64_t bytes),
                       void *context);

/* What looks like a control block, and where. */
struct gt_found_control {
	const struct gt_mapping *mapping;
	uint64_t address;          /* in the process */
	struct gt_control control; /* as far as it goes; behind that, zeros */
};

/*
 * Calls `found` with each page that begins as a control block does, until that
 * returns other than 0, which is returned. Pages that are not there are not
 * touched. `progress` may be NULL: it is told now and then how many bytes of
 * how many were looked at. 0 or a negative errno.
 */
int gt_process_scan(const struct gt_mapping *mappings, size_t count,
                    int (*found)(void *context,
                                 const struct gt_found_control *control),
                    void *context,
                    void (*progress)(void *context, uint64_t bytes,
                                     uint64_t of));

/*
 * The same of one page alone, whether it is there or not: of GPA `gpa`, a
 * multiple of 4 KiB, if RAM from GPA 0 on begins with a mapping, or with the
 * first multiple of 2 MiB in it. For what has not been touched yet in a VM that
 * was just restored. 0 or what `found` returned.
 */
int gt_process_look_at(const struct gt_mapping *mappings, size_t count,
                       uint64_t gpa,
                       int (*found)(void *context,
                                    const struct gt_found_control *control),
                       void *context);

/* Where a VM's RAM lies, as its page tables prove it. */
struct gt_layout {
	struct gt_memory_slot slots[GT_MEMORY_SLOTS_MAX];
	struct gt_process_memory places[GT_MEMORY_SLOTS_MAX];
	uint32_t count;
	bool has_five_levels;
	uint32_t others; /* layouts that would do as well */
};

/*
 * Finds the layout under which the guest's own page tables lead to the control
 * block that was found, and from there to its vCPUs and sites: mappings may
 * hold several banks in either order, and more than RAM. -ENOENT: under none,
 * or the guest does not say where its page tables are. `ret_layout` points into
 * itself: it is not to be copied.
 */
int gt_layout_solve(const struct gt_mapping *mappings, size_t count,
                    const struct gt_found_control *control,
                    struct gt_layout *ret_layout);

/*
 * Whether they lead there under this layout, of which slots, places and count
 * are filled in: 0, and has_five_levels is right; or -ENOENT.
 */
int gt_layout_check(struct gt_layout *layout,
                    const struct gt_found_control *control);

#ifdef __cplusplus
}
#endif

#endif
