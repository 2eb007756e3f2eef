/* SPDX-License-Identifier: MIT */
/*
 * The live guest: its control block, its site states and its rings, through the
 * door to its memory. Everything the host relies on is copied and checked once,
 * at the announcement; of the guest's words only `pos` and the counters are
 * read again.
 */
#ifndef GT_HOST_RINGS_H
#define GT_HOST_RINGS_H

#include "host/decode/filter.h"
#include "host/frames/frame.h"
#include "host/memory/memory.h"
#include "host/decode/sites.h"

struct gt__ring_view {
	uint64_t base_gva; /* 0: the guest has no such level */
	uint64_t bytes;
	uint64_t block_bytes;
	uint64_t tail; /* everything below is taken */
	/* Where it was when a guest that runs was attached to: what lay below is
	 * of before, and no loss when it is overwritten. */
	uint64_t joined;
	bool overwrite;
};

struct gt__guest {
	const struct gt__memory *memory;
	uint64_t control_gva;
	uint64_t vcpus_gva;
	uint64_t sites_gva;
	uint64_t sites_bytes;
	uint64_t sites_room;     /* of a SITES frame, bytes */
	uint64_t tracestate_gva; /* room for it; 0: none */
	uint32_t tracestate_bytes;
	bool has_quiet;   /* likewise for the word of quiet sites */
	bool has_sampler; /* its control block has room for one */
	bool has_owner;   /* likewise */
	uint32_t control_bytes; /* of it, as far as we know it */
	uint64_t id_base; /* makes this guest's span ids unique in the trace */
	uint32_t generation;
	uint32_t vcpus;
	bool preemptible;
	/*
	 * Memory of a snapshot is often read-only until the guest writes to it
	 * (copy on write): what it was not told then it is told later.
	 */
	bool is_restored;
	/* Of memory with holes: what was not there. */
	uint64_t missing_bytes; /* of rings, records cut by them included */
	uint64_t missing_sites_bytes;
	uint32_t missing_vcpus;
	const struct gt__sites *sites; /* to find records again behind a hole */
	bool owes;                     /* something could not be written */
	uint32_t tries;                /* to make good for that */
	struct gt__ring_view (*rings)[GT_LEVELS]; /* per vCPU */
	struct gt__attached *attached; /* NULL: it announced itself to us */
	uint64_t (*lost)[2];           /* per vCPU: records lost, strings cut */
	/* The same as they were when this life began: of an earlier one. */
	uint64_t (*lost_before)[2];
};

/*
 * Reads and checks the control block and ring descriptions. On success *guest
 * is replaced; its arrays are freed with gt__guest_fini(). Codes of the memory
 * door, GT_ERROR_BAD_CONTROL, _BAD_VERSION, _BAD_RING, _BAD_SITES, -ENOMEM.
 */
int gt__guest_announce(struct gt__guest *guest, const struct gt__memory *memory,
                       const struct gt__paging *paging, uint64_t control_gva,
                       uint32_t vcpus_max, const struct gt_limits *limits);
void gt__guest_fini(struct gt__guest *guest);

/*
 * Writes to the guest; to one that was restored not what is there already.
 * Where a page is read-only that is owed: GT_ERROR_READ_ONLY, or 0 if it was
 * restored.
 */
int gt__guest_write(struct gt__guest *guest, const struct gt__paging *paging,
                    uint64_t gva, const void *from, size_t count);

/* ---- beside.c: a guest of another process's -------------------------------
 */

/* What must lie beside a place, so that it is what it was at the beginning. */
struct gt__attached {
	uint64_t owner; /* as in the control block */
	uint64_t beat;
	uint64_t lease_ticks;
	uint32_t settle_ns; /* in which two that come at once see each other */
	int over; /* why nothing is written any longer; 0: it is */
	struct gt__pinned *pinned;
	size_t pinned_count, pinned_room;
	uint8_t *states; /* of sites, as they were: by number */
	struct gt__sites *sites;
	uint64_t *block; /* a copy of GT__BLOCK_BYTES_MAX, for peek.c */
};

#define GT__BLOCK_BYTES_MAX 65536u

/* 0: `gva` may be written. GT_ERROR_GUEST_GONE, _HAS_OWNER. */
int gt__attached_check(const struct gt__guest *guest,
                       const struct gt__paging *paging, uint64_t gva);
void gt__attached_free(struct gt__attached *attached);

/* All of its control block; of an old one nothing but its magic. */
int gt__attached_control(const struct gt__guest *guest,
                         const struct gt__paging *paging,
                         struct gt_control *ret_control);

/* Takes it for `owner`; GT_ERROR_HAS_OWNER: somebody else did meanwhile. */
int gt__attached_claim(struct gt__guest *guest,
                       const struct gt__paging *paging);

/*
 * Before each look: the control block is there and names us, and the guest sees
 * that we live. 0; 1: it had let go of us, is ours again and is to be told all;
 * GT_ERROR_GUEST_GONE, _HAS_OWNER, or of the memory door.
 */
int gt__attached_beat(struct gt__guest *guest, const struct gt__paging *paging);

/* It belongs to nobody. */
int gt__attached_release(struct gt__guest *guest,
                         const struct gt__paging *paging);

/*
 * The guest has just been announced, and comes from a snapshot: what its rings
 * hold is of an earlier life, and so are its losses. Raises its generation.
 */
int gt__guest_resume(struct gt__guest *guest, const struct gt__paging *paging);

/*
 * We come late: each ring is read from the oldest that is still there. What was
 * overwritten before is no loss of ours.
 */
int gt__guest_join(struct gt__guest *guest, const struct gt__paging *paging);

/* Its generation and the tail of each ring, where it has other ones. */
int gt__guest_remind(struct gt__guest *guest, const struct gt__paging *paging);

/* Payloads of GT__FRAME_GUEST and GT__FRAME_SITES. */
void gt__guest_put(const struct gt__guest *guest,
                   struct gt__frame_buffer *buffer);
int gt__guest_put_sites(struct gt__guest *guest,
                        const struct gt__paging *paging,
                        struct gt__frame_buffer *buffer);

/*
 * Tells the guest its place in the trace, with the tracestate (NULL: none), as
 * far as there is room for it.
 */
int gt__guest_set_context(struct gt__guest *guest,
                          const struct gt__paging *paging,
                          const struct gt_context *context,
                          const char *tracestate);

/* 1: no site is on. Before the first one is on, and after the last one is off.
 */
int gt__guest_set_quiet(struct gt__guest *guest,
                        const struct gt__paging *paging, uint32_t quiet);

/* It has a host, and is no guest for a reader in another process. */
int gt__guest_own(struct gt__guest *guest, const struct gt__paging *paging);

/* Tells it how traces of its own are sampled, if not in the usual way. */
int gt__guest_set_sampler(struct gt__guest *guest,
                          const struct gt__paging *paging,
                          const struct gt_sampler *sampler);

/* Writes the state of every site. The first error, after all were tried. */
int gt__guest_set_states(struct gt__guest *guest,
                         const struct gt__paging *paging,
                         const struct gt__sites *sites,
                         const struct gt__filter *filter);

/*
 * holes.c: as much of [*from, pos) as is there in one piece, behind what is
 * missing before it, to `to`, which has room for all. Moves *from, counts what
 * is missing. Returns the number of bytes, whole records; -ENOMEM.
 */
int64_t gt__holes_read(struct gt__guest *guest, const struct gt__paging *paging,
                       const struct gt__ring_view *ring, uint64_t *from,
                       uint64_t pos, uint8_t *to);
/* Site table bytes; those that are missing are zeros. */
void gt__holes_read_sites(struct gt__guest *guest,
                          const struct gt__paging *paging, uint8_t *to);

/*
 * Appends the payload of GT__FRAME_RECORDS for one vCPU, but for its first
 * four words (clock and offset), which are the caller's. Returns 1; 0 if the
 * guest has nothing new to say; or a code of the memory door. With 1,
 * *ret_error tells what kept the first level from being read that was not.
 * Nothing counts as taken before gt__guest_taken(). Of memory with holes: as
 * far as the next one of each level; it is to be called again until it returns
 * 0.
 */
int gt__guest_read(struct gt__guest *guest, const struct gt__paging *paging,
                   uint32_t vcpu, struct gt__frame_buffer *buffer,
                   int *ret_error);

/* Gives the guest back the room of what the last read of this vCPU took. */
int gt__guest_taken(struct gt__guest *guest, const struct gt__paging *paging,
                    uint32_t vcpu, const struct gt__frame_buffer *buffer);

/* Asks for, or does without, a GT_DOORBELL_WAKE at the end of each block. */
int gt__guest_want(struct gt__guest *guest, const struct gt__paging *paging,
                   bool want);

/* Sum of all rings' positions, modulo 2^64: whether anything came. */
uint64_t gt__guest_positions(const struct gt__guest *guest,
                             const struct gt__paging *paging);

/* Whether some ring holds a block or more that was not taken. */
bool gt__guest_has_more(const struct gt__guest *guest,
                        const struct gt__paging *paging);

#endif
