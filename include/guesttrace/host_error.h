/* SPDX-License-Identifier: MIT */
/* What the functions of host.h return, as negative numbers, beside errnos. */
#ifndef GUESTTRACE_HOST_ERROR_H
#define GUESTTRACE_HOST_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#define GT_ERRORS_(X)                                                     \
	X(NOT_CANONICAL, 4097, "address is not canonical")                \
	X(WRAPS, 4098, "range wraps around the end of the address space") \
	X(UNMAPPED, 4099, "address is not mapped in the guest")           \
	X(OUTSIDE_RAM, 4100, "page table leads outside the guest's RAM")  \
	X(RESERVED_BIT, 4101, "page table entry has a reserved bit set")  \
	X(PAGING_MODE, 4102, "guest is not in 64-bit paging")             \
	X(READ_ONLY, 4103, "page is read-only in the guest")              \
	X(BAD_REQUEST, 4104, "doorbell names no known operation")         \
	X(BAD_CONTROL, 4105, "control block is not one")                  \
	X(BAD_VERSION, 4106, "written by another version of the format")  \
	X(BAD_RING, 4107, "ring description is not usable")               \
	X(BAD_SITES, 4108, "site table is not usable")                    \
	X(NOT_ANNOUNCED, 4109, "guest has not announced a control block") \
	X(BAD_FILTER, 4110, "filter is not LEVEL or TARGET=LEVEL,...")    \
	X(BAD_TRACEPARENT, 4111, "not a W3C traceparent")                 \
	X(NOT_A_CAPTURE, 4112, "not a guesttrace capture")                \
	X(BAD_VCPU, 4113, "no such vCPU")                                 \
	X(EMPTY_BATCH, 4114, "batch has no bytes")                        \
	X(BAD_TRACESTATE, 4115, "not a W3C tracestate")                   \
	X(NO_LEVELS, 4116, "this wire tells no levels: off or trace")     \
	X(HAS_OWNER, 4117, "another reader has this guest")               \
	X(GUEST_GONE, 4118,                                               \
	  "what the guest said of itself is no longer there")             \
	GT_HYPERLIGHT_ERRORS_(X)

/* What can be wrong with a Hyperlight batch: contiguous, see "errors" below. */
#define GT_HYPERLIGHT_ERRORS_(X)                                      \
	X(BATCH_TOO_LONG, 4200, "batch is longer than the limit")     \
	X(BATCH_CUT, 4201, "buffer ends before its root")             \
	X(PREFIX_OUTSIDE, 4202, "size prefix reaches past the end")   \
	X(OFFSET_ZERO, 4203, "offset leads to itself")                \
	X(OFFSET_OUTSIDE, 4204, "offset leads out of the buffer")     \
	X(TABLE_MISALIGNED, 4205, "table is not aligned")             \
	X(TABLE_OUTSIDE, 4206, "table reaches past the end")          \
	X(TABLE_SIZE, 4207, "table is too small to be one")           \
	X(VTABLE_OUTSIDE, 4208, "vtable lies outside the buffer")     \
	X(VTABLE_MISALIGNED, 4209, "vtable is not aligned")           \
	X(VTABLE_ODD, 4210, "size of a vtable is odd")                \
	X(VTABLE_SIZE, 4211, "vtable is too small to be one")         \
	X(VTABLE_CUT, 4212, "vtable reaches past the end")            \
	X(VTABLE_OVERLAPS, 4213, "vtable overlaps its table")         \
	X(FIELD_OUTSIDE, 4214, "field lies outside its table")        \
	X(FIELD_MISALIGNED, 4215, "field is not aligned")             \
	X(VECTOR_MISALIGNED, 4216, "vector is not aligned")           \
	X(VECTOR_OUTSIDE, 4217, "vector reaches past the end")        \
	X(STRING_MISALIGNED, 4218, "string is not aligned")           \
	X(STRING_OUTSIDE, 4219, "string reaches past the end")        \
	X(STRING_UNTERMINATED, 4220, "string has no NUL behind it")   \
	X(STRING_NOT_UTF8, 4221, "string is not valid UTF-8")         \
	X(NO_NAME, 4222, "event has no name")                         \
	X(NO_TARGET, 4223, "span has no target")                      \
	X(NO_KEY, 4224, "field has no key")                           \
	X(NO_VALUE, 4225, "field has no value")                       \
	X(NO_EVENT, 4226, "envelope has neither a type nor an event") \
	X(TYPE_ALONE, 4227, "envelope has a type but no event")       \
	X(EVENT_ALONE, 4228, "envelope has an event but no type")     \
	X(OVER_VISITS, 4229, "batch takes more work than its limit")  \
	X(OVER_OUTPUT, 4230, "batch unfolds to more than its limit")

enum gt_error {
#define X(name, number, text) GT_ERROR_##name = number,
	GT_ERRORS_(X)
#undef X
};

/* Text of a negative code. Static storage, never NULL; thread-safe. */
const char *gt_error_text(int code);

#ifdef __cplusplus
}
#endif

#endif
