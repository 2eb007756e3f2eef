/* SPDX-License-Identifier: MIT */
/* A site table with one site of each kind, and whatever is added to it. */
#ifndef GUESTTRACE_TESTS_SITE_TABLE_H
#define GUESTTRACE_TESTS_SITE_TABLE_H

#include "host/decode/sites.h"

#define TABLE_GVA   UINT64_C(0x123400000040)
#define LOW(offset) ((uint32_t)TABLE_GVA + (uint32_t)(offset))

extern uint8_t table[4096];
extern size_t table_bytes;
extern struct gt__sites *sites; /* the table of table_setup(), parsed */
/* Offsets. Fields: u64, string, bytes; parent, failed, ok; i64; f64, bool. */
extern uint32_t event, span, late, counter, words;

int table_setup(void **unused);
int table_teardown(void **unused);

/* `text` of `count` bytes without the last NUL; returns the site's offset. */
uint32_t table_add(enum gt_site_kind kind, unsigned fields, const char *text,
                   size_t count);
#define SITE(kind, fields, text) table_add(kind, fields, text, sizeof(text) - 1)

/* Parses a copy that ends where its memory ends: ASan sees what is too much. */
struct gt__sites *parse(const uint8_t *bytes, size_t count);

#endif
