/* SPDX-License-Identifier: MIT */
/* What there is beside the tables; docs/query.md describes it. */
#ifndef GUESTTRACE_TABLE_VIEWS_H
#define GUESTTRACE_TABLE_VIEWS_H

/* In SQL that SQLite, DuckDB and ClickHouse read. */
extern const char gt__table_views[];

/* Of SQLite alone: indexes, and the view of fields. */
extern const char gt__sqlite_indexes[];

#endif
