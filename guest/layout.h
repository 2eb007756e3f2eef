/* SPDX-License-Identifier: MIT */
/*
 * Where things are in a batch: the tables of both wires, as batch.c lays them
 * out. Fields keep the vtable slots that Hyperlight's schemas give them.
 */
#ifndef GT_GUEST_LAYOUT_H
#define GT_GUEST_LAYOUT_H

/* A vtable's words: its size, the table's size, where each field is. */
#define VTABLE(a, b, c, d)                                           \
	((uint64_t)(a) | (uint64_t)(b) << 16 | (uint64_t)(c) << 32 | \
	 (uint64_t)(d) << 48)

#define ENVELOPE_VTABLE       VTABLE(8, 12, ENVELOPE_KIND, ENVELOPE_EVENT)
#define FIELD_VTABLE          VTABLE(8, GT__FIELD_BYTES, GT__KEY_AT, GT__VALUE_AT)
#define ROOT_VTABLE(events)   VTABLE(8, 16, 4, events)
#define OPEN_VTABLE_1(parent) VTABLE(16, 40, ID, parent)
#define OPEN_VTABLE_2(fields) \
	VTABLE(GT__OPEN_NAME_AT, GT__OPEN_TARGET_AT, OPEN_TSC, fields)
#define CLOSE_VTABLE         VTABLE(8, 20, ID, TSC)
#define LOG_VTABLE_1         VTABLE(12, 28, ID, GT__LOG_NAME_AT)
#define LOG_VTABLE_2(fields) VTABLE(TSC, fields, 0, 0)
#define EDIT_VTABLE(fields)  VTABLE(8, 16, ID, fields)
#define START_VTABLE         VTABLE(6, 12, START_TSC, 0)

/* Offsets in tables; the first four bytes lead to the vtable. */
enum {
	ENVELOPE_EVENT = 4,
	ENVELOPE_KIND = 8,
	ENVELOPE_BYTES = 12,
	ID = 4, /* of a log event: its parent */
	TSC = 12,
	START_TSC = 4,
	OPEN_PARENT = 12,
	OPEN_TSC = 20,
	OPEN_FIELDS = 36,
	LOG_FIELDS = 24,
	EDIT_FIELDS = 12,
};

/* 0.12: offsets from an event's first byte. */
enum {
	PREAMBLE_ENVELOPE_VTABLE = 8,
	PREAMBLE_VTABLE = 24,
	PREAMBLE_SHORT_VTABLE = 16, /* of events without fields */
};

/* 0.11: offsets from the first byte. */
enum {
	FRONT_ROOT_VTABLE = 8,
	FRONT_ENVELOPE_VTABLE = 16,
	FRONT_OPEN_VTABLES =
		32, /* 16 bytes each: all, no fields, no parent.. */
	FRONT_CLOSE_VTABLE = 96,
	FRONT_LOG_VTABLES = 104, /* 16 bytes each: all, no fields */
	FRONT_ROOT = 140,
	FRONT_START_TSC = 144,
	FRONT_EVENTS = 152,
	FRONT_COUNT = 156,
	FRONT_ENVELOPES = 160,
};

#endif
