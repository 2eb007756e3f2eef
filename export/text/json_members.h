/* SPDX-License-Identifier: MIT */
/*
 * Members of the JSON of reports. Integers of 64 bits are decimal strings, ids
 * are 16 hex digits. Behind all but the first of an object is a comma, which
 * each of them puts before itself, or `comma` instead.
 */
#ifndef GUESTTRACE_JSON_MEMBERS_H
#define GUESTTRACE_JSON_MEMBERS_H

#include "export/out/out.h"

void gt__member_key(struct gt__out *out, const char *comma, const char *key);
void gt__member_number(struct gt__out *out, const char *key, uint64_t value);
void gt__member_u64(struct gt__out *out, const char *key, uint64_t value);
/* Of the host's own; the next one is a guest's. */
void gt__member_word(struct gt__out *out, const char *key, const char *word);
void gt__member_text(struct gt__out *out, const char *key, struct gt_text text);
/* `by`: no bytes, null. */
void gt__member_by(struct gt__out *out, struct gt_text by);
/* 0: null. */
void gt__member_id(struct gt__out *out, const char *comma, const char *key,
                   uint64_t id);
void gt__member_bool(struct gt__out *out, const char *key, bool value);

/* What is said of a run before anything that it holds; the object stays open.
 */
void gt__trace_members(struct gt__out *out, const struct gt_trace *trace,
                       const struct gt_summary *summary);

#endif
