/* SPDX-License-Identifier: MIT */
/*
 * The tables as one database of SQLite. It is made in memory, so that it can go
 * wherever other formats go, a pipe among them, and needs no file from a
 * process that may open none: one transaction, then indexes and views, then all
 * of its bytes at once.
 */
#include "table_views.h"
#include "tables.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define KEPT_BYTES 64u /* longer texts are hardly ever the same twice */

/* What a parameter of an insert is bound to, where another row may want the
 * same: names, levels and ids of runs mostly are. */
struct bound {
	bool kept;
	enum gt__cell_type type;
	int64_t integer;
	size_t count;
	char text[KEPT_BYTES];
};

struct database {
	struct gt__tables head;
	struct gt__out out;
	sqlite3 *db;
	sqlite3_stmt *inserts[GT__TABLES];
	struct bound bound[GT__TABLES][GT__COLUMNS_MAX]; /* NULLs at first */
};

static int code_of(int rc)
{
	switch (rc) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
	case SQLITE_FULL:
		return -ENOMEM;
	case SQLITE_TOOBIG:
		return -EFBIG;
	default:
		return -EIO;
	}
}

static int run(struct database *x, const char *sql)
{
	return code_of(sqlite3_exec(x->db, sql, NULL, NULL, NULL));
}

/* Memory that SQLite owns and lets grow, without its bound of 1 GiB. */
static int open_in_memory(struct database *x)
{
	const unsigned flags =
		SQLITE_DESERIALIZE_RESIZEABLE | SQLITE_DESERIALIZE_FREEONCLOSE;
	sqlite3_int64 bytes_max = INT64_C(1) << 44;
	unsigned char *room;
	int rc = sqlite3_open_v2(":memory:", &x->db,
	                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
	                                 SQLITE_OPEN_NOMUTEX,
	                         NULL);

	if (rc != SQLITE_OK)
		return code_of(rc);
	room = sqlite3_malloc(4096);
	if (!room)
		return -ENOMEM;
	rc = sqlite3_deserialize(x->db, "main", room, 0, 4096, flags);
	if (rc == SQLITE_OK)
		rc = sqlite3_file_control(x->db, "main",
		                          SQLITE_FCNTL_SIZE_LIMIT, &bytes_max);
	return code_of(rc);
}

static int prepare(struct database *x, enum gt__table table)
{
	unsigned i, count = gt__table_columns(table);
	char sql[128];
	int used = snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (?",
	                    gt__table_specs[table].name);

	for (i = 1; i < count; i++)
		used += snprintf(sql + used, sizeof sql - (size_t)used, ",?");
	snprintf(sql + used, sizeof sql - (size_t)used, ")");
	return code_of(sqlite3_prepare_v3(x->db, sql, -1,
	                                  SQLITE_PREPARE_PERSISTENT,
	                                  &x->inserts[table], NULL));
}

static int create_tables(struct database *x)
{
	struct gt__out *o = &x->out;
	unsigned i;
	int r;

	for (i = 0; i < GT__TABLES; i++)
		gt__put_create_table(o, (enum gt__table)i);
	gt__put_char(o, '\0');
	r = o->error ? o->error : run(x, o->bytes);
	o->used = 0;
	for (i = 0; i < GT__TABLES && r == 0; i++)
		r = prepare(x, (enum gt__table)i);
	return r;
}

static int start(struct database *x)
{
	int r = open_in_memory(x);

	if (r == 0)
		r = run(x, "PRAGMA page_size=16384; PRAGMA cache_size=-65536;"
		           "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
		           "PRAGMA locking_mode=EXCLUSIVE;"
		           "PRAGMA temp_store=MEMORY; PRAGMA user_version=1;"
		           "BEGIN");
	return r < 0 ? r : create_tables(x);
}

static bool is_bound(const struct bound *bound, const struct gt__cell *cell,
                     const char *text)
{
	if (!bound->kept || bound->type != cell->type)
		return false;
	if (cell->type == GT__CELL_INTEGER)
		return bound->integer == cell->integer;
	return cell->type == GT__CELL_NULL ||
	       (bound->count == cell->count &&
	        memcmp(bound->text, text, cell->count) == 0);
}

/* Short texts are copied, and stay where they are until the next one. */
static int bind_text(sqlite3_stmt *insert, int at, struct bound *bound,
                     const char *text, size_t count)
{
	bound->kept = count <= sizeof bound->text;
	if (bound->kept) {
		memcpy(bound->text, text, count);
		bound->count = count;
		text = bound->text;
	}
	return sqlite3_bind_text64(insert, at, text, count, SQLITE_STATIC,
	                           SQLITE_UTF8);
}

static int bind(sqlite3_stmt *insert, int at, const struct gt__row *row,
                const struct gt__cell *cell, struct bound *bound)
{
	const char *text = cell->type == GT__CELL_TEXT && cell->count
	                           ? row->text.bytes + cell->at
	                           : "";

	if (is_bound(bound, cell, text))
		return SQLITE_OK;
	bound->type = cell->type;
	if (cell->type == GT__CELL_TEXT)
		return bind_text(insert, at, bound, text, cell->count);
	bound->kept = true;
	bound->integer = cell->integer;
	return cell->type == GT__CELL_INTEGER
	               ? sqlite3_bind_int64(insert, at, cell->integer)
	               : sqlite3_bind_null(insert, at);
}

static int put_row(struct gt__tables *head, enum gt__table table,
                   const struct gt__row *row)
{
	struct database *x = (struct database *)head;
	sqlite3_stmt *insert = x->inserts[table];
	int rc = SQLITE_OK;
	unsigned i;

	for (i = 0; i < row->count && rc == SQLITE_OK; i++)
		rc = bind(insert, (int)i + 1, row, &row->cells[i],
		          &x->bound[table][i]);
	if (rc != SQLITE_OK)
		return code_of(rc);
	sqlite3_step(insert);
	return code_of(sqlite3_reset(insert));
}

static void end_inserts(struct database *x)
{
	unsigned i;

	for (i = 0; i < GT__TABLES; i++) {
		sqlite3_finalize(x->inserts[i]);
		x->inserts[i] = NULL;
	}
}

static int put_bytes(struct database *x)
{
	sqlite3_int64 count = 0;
	const unsigned char *bytes = sqlite3_serialize(x->db, "main", &count,
	                                               SQLITE_SERIALIZE_NOCOPY);

	if (!bytes || count <= 0)
		return -ENOMEM;
	return x->out.output.write(x->out.output.context, bytes, (size_t)count);
}

static int finish(struct gt__tables *head)
{
	struct database *x = (struct database *)head;
	int r;

	end_inserts(x);
	r = run(x, "COMMIT; BEGIN");
	if (r == 0)
		r = run(x, gt__sqlite_indexes);
	if (r == 0)
		r = run(x, gt__table_views);
	if (r == 0)
		r = run(x, "COMMIT");
	return r < 0 ? r : put_bytes(x);
}

static void free_database(struct gt__tables *head)
{
	struct database *x = (struct database *)head;

	end_inserts(x);
	sqlite3_close(x->db);
	gt__out_fini(&x->out);
}

int gt_sqlite_with(const struct gt_output *output, const char *const *labels,
                   uint32_t label_count, struct gt_sink **ret_sink)
{
	static const struct gt__table_writer writer = {put_row, finish,
	                                               free_database};
	struct database *x =
		gt__tables_new(sizeof *x, &writer, labels, label_count);
	int r;

	if (!x)
		return -ENOMEM;
	gt__out_init(&x->out, output);
	r = start(x);
	if (r < 0)
		x->head.sink.free(&x->head.sink);
	else
		*ret_sink = &x->head.sink;
	return r;
}

int gt_sqlite_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt_sqlite_with(output, NULL, 0, ret_sink);
}
