/* SPDX-License-Identifier: MIT */
/*
 * The tables as files of comma-separated values, and `schema.sql` and
 * `views.sql`, which declare them. Each file begins with the names of the
 * columns; NULL is nothing, a text is in quotes. Unlike the format csv nothing
 * is marked for a spreadsheet: a text is what it is.
 */
#include "table_views.h"
#include "tables.h"
#include "export/out/escape.h"

#include <errno.h>
#include <stdio.h>

struct files {
	struct gt__tables head;
	struct gt_directory directory;
	struct gt__out outs[GT__TABLES];
	bool open[GT__TABLES];
};

static int create(struct files *x, enum gt__table table)
{
	struct gt_output output;
	char name[40];
	int r;

	if (x->open[table])
		return 0;
	snprintf(name, sizeof name, "%s.csv", gt__table_specs[table].name);
	r = x->directory.create(x->directory.context, name, &output);
	if (r < 0)
		return r;
	gt__out_init(&x->outs[table], &output);
	x->open[table] = true;
	gt__put_column_names(&x->outs[table], table);
	return 0;
}

static void put_cell(struct gt__out *o, const struct gt__row *row,
                     const struct gt__cell *cell)
{
	size_t from = o->used;

	switch (cell->type) {
	case GT__CELL_INTEGER:
		gt__put_i64(o, cell->integer);
		break;
	case GT__CELL_TEXT:
		gt__put_bytes(o, row->text.bytes + cell->at, cell->count);
		gt__quote_csv(o, from);
		break;
	case GT__CELL_NULL:
		break;
	}
}

static int put_row(struct gt__tables *head, enum gt__table table,
                   const struct gt__row *row)
{
	struct files *x = (struct files *)head;
	struct gt__out *o = &x->outs[table];
	int r = create(x, table);
	unsigned i;

	if (r < 0)
		return r;
	for (i = 0; i < row->count; i++) {
		if (i)
			gt__put_char(o, ',');
		put_cell(o, row, &row->cells[i]);
	}
	gt__put_char(o, '\n');
	return gt__out_record(o);
}

static int put_script(struct files *x, const char *name,
                      void (*put)(struct gt__out *))
{
	struct gt_output output;
	struct gt__out o;
	int r = x->directory.create(x->directory.context, name, &output);

	if (r < 0)
		return r;
	gt__out_init(&o, &output);
	put(&o);
	r = gt__out_flush(&o);
	gt__out_fini(&o);
	return r;
}

static void put_schema(struct gt__out *o)
{
	unsigned i;

	for (i = 0; i < GT__TABLES; i++)
		gt__put_create_table(o, (enum gt__table)i);
}

static void put_views(struct gt__out *o)
{
	gt__put(o, gt__table_views);
}

/* One without rows is there, too. */
static int finish(struct gt__tables *head)
{
	struct files *x = (struct files *)head;
	unsigned i;
	int r = 0;

	for (i = 0; i < GT__TABLES && r == 0; i++) {
		r = create(x, (enum gt__table)i);
		if (r == 0)
			r = gt__out_flush(&x->outs[i]);
	}
	if (r == 0)
		r = put_script(x, "schema.sql", put_schema);
	return r < 0 ? r : put_script(x, "views.sql", put_views);
}

static void free_files(struct gt__tables *head)
{
	struct files *x = (struct files *)head;
	unsigned i;

	for (i = 0; i < GT__TABLES; i++)
		if (x->open[i])
			gt__out_fini(&x->outs[i]);
}

int gt_tables_new(const struct gt_directory *directory,
                  const char *const *labels, uint32_t label_count,
                  struct gt_sink **ret_sink)
{
	static const struct gt__table_writer writer = {put_row, finish,
	                                               free_files};
	struct files *x =
		gt__tables_new(sizeof *x, &writer, labels, label_count);

	if (!x)
		return -ENOMEM;
	x->directory = *directory;
	*ret_sink = &x->head.sink;
	return 0;
}
