/* SPDX-License-Identifier: MIT */
/*
 * An honest guest in memory (tests/support/bare_guest.h), with a second vCPU,
 * which a fuzz target spoils as its input says: patches of u16 where, in words,
 * u8 how many bytes, and the bytes.
 */
#ifndef GT_FUZZ_GUEST_INPUT_H
#define GT_FUZZ_GUEST_INPUT_H

#include "host/decode/bytes.h"
#include "tests/support/bare_guest.h"
#include "tests/support/inproc.h"

#include <stddef.h>
#include <stdlib.h>

uint64_t inproc_now;

struct input {
	const uint8_t *at;
	size_t left;
};

/* The next `count` bytes, which are at most 8, or 0s. */
static uint64_t take(struct input *input, size_t count)
{
	uint64_t value = 0;

	if (count > input->left)
		count = input->left;
	memcpy(&value, input->at, count);
	input->at += count;
	input->left -= count;
	return value;
}

static void make_guest(void)
{
	if (!ram)
		bare_new();
	bare_init();
	ram->control.vcpus = 2;
	ram->fake_vcpu = ram->vcpu;
	ram->fake_vcpu.index = 1;
	for (unsigned i = 0; i < 2; i++) {
		ram->vcpu.ring[i].id_base = GT_ID_BASE(0, i);
		ram->fake_vcpu.ring[i].id_base = GT_ID_BASE(1, i);
	}
	memset(ram->ring, 0, sizeof(ram->ring));
	inproc_now = 1 << 20;
}

static void patch(struct input *input)
{
	size_t at = 8 * (size_t)take(input, 2), count = (size_t)take(input, 1);

	if (count > input->left)
		count = input->left;
	if (at < sizeof(*ram) && count <= sizeof(*ram) - at)
		memcpy((uint8_t *)ram + at, input->at, count);
	input->at += count;
	input->left -= count;
}

#endif
