/* SPDX-License-Identifier: MIT */
/*
 * A trace as rows of tables, for databases: what the columns are is said once
 * (tables.c, docs/query.md), and is the same whatever the rows are written to.
 *
 * Ids are the exported ones as integers of 64 bits with a sign; times are ns
 * since 1970-01-01 UTC. In texts control characters are escaped, as in all
 * others; the fields of a record are a JSON object.
 */
#ifndef GUESTTRACE_TABLES_H
#define GUESTTRACE_TABLES_H

#include "export/out/out.h"
#include "export/run/runs.h"

enum gt__table {
	GT__TABLE_RUNS,
	GT__TABLE_NAMES,
	GT__TABLE_SPANS,
	GT__TABLE_EVENTS,
	GT__TABLE_COUNTERS,
	GT__TABLE_EXITS,
	GT__TABLE_WORK,
	GT__TABLE_IN_GUEST,
	GT__TABLE_LINKS,
	GT__TABLE_LOSSES,
};
#define GT__TABLES      10u
#define GT__COLUMNS_MAX 32u

enum gt__cell_type {
	GT__CELL_NULL = 0,
	GT__CELL_INTEGER,
	GT__CELL_TEXT,
};

struct gt__table_spec {
	const char *name;
	/* "+run_id =name ...": integers, texts */
	const char *columns;
};
extern const struct gt__table_spec gt__table_specs[GT__TABLES];

/* `CREATE TABLE name (column TYPE, ...);` and a line end, in types that SQLite,
 * DuckDB and others know. */
void gt__put_create_table(struct gt__out *out, enum gt__table table);
/* The columns' names with commas between, and a line end. */
void gt__put_column_names(struct gt__out *out, enum gt__table table);
unsigned gt__table_columns(enum gt__table table);

struct gt__cell {
	enum gt__cell_type type;
	int64_t integer;
	size_t at, count; /* of a text: in `text` of the row */
};

/* The row being made. */
struct gt__row {
	struct gt__cell cells[GT__COLUMNS_MAX];
	unsigned count;
	struct gt__out text;
};

void gt__cell_null(struct gt__row *row);
/* What is over INT64_MAX is that: no count and no time is. */
void gt__cell_number(struct gt__row *row, uint64_t value);
void gt__cell_id(struct gt__row *row, uint64_t id); /* 0: null */
void gt__cell_text(struct gt__row *row, struct gt_text text);
/* One of ours, with nothing to escape; NULL: null. */
void gt__cell_word(struct gt__row *row, const char *word);
/* What was put into `text` since `used` was `from`. */
void gt__cell_since(struct gt__row *row, size_t from);

struct gt__tables;

/* Where rows go. Each returns 0 or a negative errno. */
struct gt__table_writer {
	int (*row)(struct gt__tables *x, enum gt__table table,
	           const struct gt__row *row);
	int (*finish)(struct gt__tables *x);
	void (*free)(struct gt__tables *x); /* what is behind the head */
};

/* A sink's own struct begins with this one. */
struct gt__tables {
	struct gt_sink sink;
	const struct gt__table_writer *writer;
	struct gt__row row;
	struct gt__run *runs;
	const char *const *labels; /* the caller's */
	uint32_t label_count;
	int error; /* the first; it stays */
};

/* A sink of `size` bytes, zeroed behind its head. NULL: out of memory. */
void *gt__tables_new(size_t size, const struct gt__table_writer *writer,
                     const char *const *labels, uint32_t label_count);

#endif
