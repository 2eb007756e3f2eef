/* SPDX-License-Identifier: MIT */
/* Captures made by hand: each function adds a frame to `frames_file`. */
#ifndef GUESTTRACE_TESTS_FRAMES_H
#define GUESTTRACE_TESTS_FRAMES_H

#include "host/frames/frame.h"
#include "memfile.h"

extern struct memfile frames_file;
extern struct gt__frame_buffer frames_buffer; /* the last frame */
extern uint64_t frames_lost; /* records lost, by the next records */
extern uint64_t frames_now;  /* of the next records: 10 more; TSC = ns */

/* For cmocka: the file is empty. */
int frames_setup(void **unused);
int frames_teardown(void **unused);

/* Adds what is in the buffer. */
void frames_seal(enum gt__frame_type type, uint32_t vcpu);

/* Into the buffer alone. */
void frames_start(uint32_t version, uint32_t vcpus);
/* The head of records that lie at `pos` of level 0; they follow. */
void frames_records(uint64_t pos, uint64_t bytes);
void frames_event(uint64_t parent, uint64_t tsc); /* 24 bytes */
void frames_open_record(uint64_t tsc);            /* 16 bytes */

/* Whole frames. Two sites: a span without fields, an event with a parent. */
void frames_guest(uint32_t vcpus, uint64_t block_bytes);
void frames_sites(void);
void frames_open(uint64_t pos, uint32_t vcpu); /* one span */
void frames_merge(void);                       /* all that was made until now */
void frames_end(void);
void frames_beginning(void); /* start with two vCPUs, guest, sites */

#endif
