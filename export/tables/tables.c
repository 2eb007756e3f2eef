/* SPDX-License-Identifier: MIT */
/* The tables and their columns, and cells of a row. */
#include "tables.h"
#include "export/out/escape.h"

#include <string.h>

#define RECORD "+run_id +span_id +sequence =name =target =level +vcpu "
#define TIMES  "+start_ns +end_ns +duration_ns "

const struct gt__table_spec gt__table_specs[GT__TABLES] = {
	{"runs", "+run_id =trace_id +parent_id =capture =guest =vm =backend "
                 "=host =build_id +vcpus " TIMES
                 "+guest_ns =ending +exit_status =message +spans +events "
                 "+counters +exits +tracing_exits +tracing_ns +records "
                 "+lost_records +partial =losses +clock_error_ns"},
	{"names", "+run_id =name =target =kind =level =file +line =function"},
	{"spans", "+run_id +span_id +parent_id +sequence =name =target =level "
                  "+vcpu " TIMES "=status =status_text =flags =fields "
                  "=trace_id +remote_parent_id"},
	{"events", RECORD "+time_ns =flags =fields"},
	{"counters", RECORD "+time_ns =flags =fields"},
	{"exits",
         "+run_id +span_id +vcpu =reason +port +tracing " TIMES "+waiting_ns"},
	{"work", "+run_id +span_id +vcpu =name " TIMES "+waiting_ns"},
	{"in_guest", "+run_id +span_id +vcpu =reason " TIMES "+waiting_ns"},
	{"links", "+run_id +span_id =linked_trace_id +linked_span_id +remote"},
	{"losses", "+run_id +span_id +vcpu +from_ns +to_ns +records "
                   "+overwritten_bytes +bad_records +bad_bytes"},
};

/* The next column: its sign and name; false: there is none. */
static bool next(const char **at, char *ret_sign, struct gt_text *ret_name)
{
	*at += strspn(*at, " ");
	if (!**at)
		return false;
	*ret_sign = *(*at)++;
	ret_name->bytes = *at;
	ret_name->count = strcspn(*at, " ");
	*at += ret_name->count;
	return true;
}

static const char *type_of(char sign)
{
	return sign == '+' ? " BIGINT" : " TEXT";
}

static void put_columns(struct gt__out *out, enum gt__table table, bool types)
{
	const char *at = gt__table_specs[table].columns, *comma = "";
	struct gt_text name;
	char sign;

	while (next(&at, &sign, &name)) {
		gt__put(out, comma);
		gt__put_bytes(out, name.bytes, name.count);
		gt__put(out, types ? type_of(sign) : "");
		comma = types ? ", " : ",";
	}
}

void gt__put_create_table(struct gt__out *out, enum gt__table table)
{
	gt__put(out, "CREATE TABLE ");
	gt__put(out, gt__table_specs[table].name);
	gt__put(out, " (");
	put_columns(out, table, true);
	gt__put(out, ");\n");
}

void gt__put_column_names(struct gt__out *out, enum gt__table table)
{
	put_columns(out, table, false);
	gt__put_char(out, '\n');
}

unsigned gt__table_columns(enum gt__table table)
{
	const char *at = gt__table_specs[table].columns;
	struct gt_text name;
	unsigned count = 0;
	char sign;

	while (next(&at, &sign, &name))
		count++;
	return count;
}

static struct gt__cell *add(struct gt__row *row, enum gt__cell_type type)
{
	struct gt__cell *cell = &row->cells[row->count++ % GT__COLUMNS_MAX];

	cell->type = type;
	return cell;
}

void gt__cell_null(struct gt__row *row)
{
	add(row, GT__CELL_NULL);
}

void gt__cell_number(struct gt__row *row, uint64_t value)
{
	add(row, GT__CELL_INTEGER)->integer =
		value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

void gt__cell_id(struct gt__row *row, uint64_t id)
{
	add(row, id ? GT__CELL_INTEGER : GT__CELL_NULL)->integer = (int64_t)id;
}

void gt__cell_since(struct gt__row *row, size_t from)
{
	struct gt__cell *cell = add(row, GT__CELL_TEXT);

	cell->at = from;
	cell->count = row->text.used - from;
}

void gt__cell_text(struct gt__row *row, struct gt_text text)
{
	size_t from = row->text.used;

	gt__put_terminal(&row->text, text);
	gt__cell_since(row, from);
}

void gt__cell_word(struct gt__row *row, const char *word)
{
	size_t from = row->text.used;

	if (!word) {
		gt__cell_null(row);
		return;
	}
	gt__put(&row->text, word); /* ours: nothing in it is escaped */
	gt__cell_since(row, from);
}
