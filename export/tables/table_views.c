/* SPDX-License-Identifier: MIT */
#include "table_views.h"

const char gt__sqlite_indexes[] =
	"CREATE INDEX spans_by_id ON spans (span_id);"
	"CREATE INDEX spans_by_parent ON spans (parent_id);"
	"CREATE INDEX events_by_span ON events (span_id);"
	"CREATE INDEX exits_by_span ON exits (span_id);"
	"CREATE VIEW fields AS "
	"SELECT 'span' AS record, s.run_id, s.span_id, s.sequence, s.name,"
	" f.key, f.value, f.type FROM spans s, json_each(s.fields) f "
	"UNION ALL "
	"SELECT 'event', e.run_id, e.span_id, e.sequence, e.name,"
	" f.key, f.value, f.type FROM events e, json_each(e.fields) f "
	"UNION ALL "
	"SELECT 'counter', c.run_id, c.span_id, c.sequence, c.name,"
	" f.key, f.value, f.type FROM counters c, json_each(c.fields) f;";

/* The rank of a percentile is the nearest one, as in the report. */
#define PERCENTILE(percent)                                   \
	"min(CASE WHEN 100 * place >= " #percent " * of_all " \
	"THEN duration_ns END) AS p" #percent "_ns"

const char gt__table_views[] =
	"CREATE VIEW self_times AS\n"
	"SELECT s.run_id, s.span_id, s.name, s.duration_ns,\n"
	"  CASE WHEN coalesce(c.children_ns, 0) > s.duration_ns THEN 0\n"
	"       ELSE s.duration_ns - coalesce(c.children_ns, 0) END AS "
	"self_ns\n"
	"FROM spans s LEFT JOIN\n"
	"  (SELECT run_id, parent_id, sum(duration_ns) AS children_ns\n"
	"   FROM spans WHERE parent_id IS NOT NULL\n"
	"   GROUP BY run_id, parent_id) c\n"
	"  ON c.run_id = s.run_id AND c.parent_id = s.span_id;\n"

	"CREATE VIEW by_name AS\n"
	"WITH ranked AS (SELECT name, status, duration_ns,\n"
	"  row_number() OVER (PARTITION BY name ORDER BY duration_ns) AS "
	"place,\n"
	"  count(*) OVER (PARTITION BY name) AS of_all FROM spans)\n"
	"SELECT name, count(*) AS spans,\n"
	"  sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS errors,\n"
	"  sum(duration_ns) AS total_ns, avg(duration_ns) AS avg_ns,\n"
	"  min(duration_ns) AS min_ns, " PERCENTILE(
		50) ",\n"
		    "  " PERCENTILE(
			    90) ",\n"
				"  " PERCENTILE(
					99) ",\n"
					    "  max(duration_ns) AS max_ns\n"
					    "FROM ranked GROUP BY name ORDER "
					    "BY total_ns DESC;\n"

					    "CREATE VIEW exits_by_reason AS\n"
					    "SELECT reason, port, tracing, "
					    "count(*) AS exits,\n"
					    "  sum(duration_ns) AS total_ns, "
					    "avg(duration_ns) AS avg_ns,\n"
					    "  max(duration_ns) AS max_ns\n"
					    "FROM exits GROUP BY reason, port, "
					    "tracing ORDER BY total_ns DESC;\n"

					    "CREATE VIEW slowest AS\n"
					    "SELECT r.capture AS capture, "
					    "r.guest AS guest, s.name AS "
					    "name,\n"
					    "  s.duration_ns AS duration_ns,\n"
					    "  s.start_ns - r.start_ns AS "
					    "since_start_ns, s.status AS "
					    "status,\n"
					    "  s.fields AS fields, s.span_id "
					    "AS span_id, s.run_id AS run_id\n"
					    "FROM spans s JOIN runs r ON "
					    "r.run_id = s.run_id\n"
					    "ORDER BY s.duration_ns DESC;\n"

					    "CREATE VIEW interrupted AS\n"
					    "SELECT r.capture AS capture, "
					    "r.guest AS guest, r.ending AS "
					    "ending,\n"
					    "  r.message AS message, s.name AS "
					    "name, s.fields AS fields,\n"
					    "  s.duration_ns AS duration_ns, "
					    "s.span_id AS span_id,\n"
					    "  s.run_id AS run_id\n"
					    "FROM spans s JOIN runs r ON "
					    "r.run_id = s.run_id\n"
					    "WHERE s.flags LIKE "
					    "'%interrupted%' ORDER BY "
					    "s.start_ns;\n";
