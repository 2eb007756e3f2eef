/* SPDX-License-Identifier: MIT */
/*
 * The tables of Hyperlight's two wire formats: which field has which entry in a
 * vtable. docs/hyperlight.md has the whole.
 */
#ifndef GT_HOST_HYPERLIGHT_H
#define GT_HOST_HYPERLIGHT_H

enum gt__slot {
	GT__BATCH_START_TSC = 4, /* 0.11: the root */
	GT__BATCH_EVENTS = 6,
	GT__ENVELOPE_TYPE = 4, /* 0.12: the root of each event */
	GT__ENVELOPE_EVENT = 6,
	GT__OPEN_ID = 4,
	GT__OPEN_PARENT = 6,
	GT__OPEN_NAME = 8,
	GT__OPEN_TARGET = 10,
	GT__OPEN_TSC = 12,
	GT__OPEN_FIELDS = 14,
	GT__CLOSE_ID = 4,
	GT__CLOSE_TSC = 6,
	GT__LOG_PARENT_ID = 4,
	GT__LOG_NAME = 6,
	GT__LOG_TSC = 8,
	GT__LOG_FIELDS = 10,
	GT__EDIT_ID = 4,
	GT__EDIT_FIELDS = 6,
	GT__START_TSC = 4,
	GT__FIELD_KEY = 4,
	GT__FIELD_VALUE = 6,
};

#endif
