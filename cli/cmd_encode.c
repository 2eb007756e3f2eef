/* SPDX-License-Identifier: MIT */
/*
 * guesttrace encode: what `decode` prints of a Hyperlight batch becomes a batch
 * again, on standard output, by the writer that guests record with.
 */
#include "confinement.h"
#include "json_reader.h"
#include "options.h"
#include "places.h"
#include "screen.h"

#include <guesttrace/batch.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPTION_FORCE = 256,
};

#define FILE_BYTES_MAX ((size_t)64 << 20)

struct field {
	struct gt_text key;
	struct gt_text value;
};

/* One line. */
struct line {
	struct gt_text type;
	struct gt_text name;
	struct gt_text target;
	struct gt_batch_numbers numbers;
	struct field *fields; /* grows, and serves all lines */
	size_t field_count;
	size_t field_room;
	unsigned has; /* 1 << index in members[] */
};

enum member {
	TYPE,
	ID,
	PARENT,
	PARENT_ID,
	NAME,
	TARGET,
	TSC,
	FIELDS,
	MEMBERS,
};

static const char *const members[MEMBERS] = {
	"type", "id", "parent", "parent_id", "name", "target", "tsc", "fields",
};

static const struct {
	const char *name;
	unsigned needs; /* beside TYPE */
} kinds[] = {
	[GT_BATCH_OPEN] = {"open", 1u << ID | 1u << PARENT | 1u << NAME |
                                           1u << TARGET | 1u << TSC |
                                           1u << FIELDS},
	[GT_BATCH_CLOSE] = {"close", 1u << ID | 1u << TSC},
	[GT_BATCH_LOG] = {"log", 1u << PARENT_ID | 1u << NAME | 1u << TSC |
                                         1u << FIELDS},
	[GT_BATCH_EDIT] = {"edit", 1u << ID | 1u << FIELDS},
	[GT_BATCH_START] = {"start", 1u << TSC},
};

static bool is_text(struct gt_text text, const char *other)
{
	return text.count == strlen(other) &&
	       memcmp(text.bytes, other, text.count) == 0;
}

/* ---- A line -------------------------------------------------------------- */

static struct field *new_field(struct line *line)
{
	if (line->field_count == line->field_room) {
		size_t room = 2 * line->field_room + 64;
		struct field *fields =
			realloc(line->fields, room * sizeof(*fields));

		if (!fields)
			return NULL;
		line->fields = fields;
		line->field_room = room;
	}
	return &line->fields[line->field_count++];
}

static void read_fields(struct json_reader *reader, struct line *line)
{
	json_expect(reader, '[');
	if (json_take(reader, ']'))
		return;
	do {
		struct field *field = new_field(line);

		if (!field) {
			reader->error = "out of memory";
			return;
		}
		json_expect(reader, '[');
		json_read_text(reader, &field->key);
		json_expect(reader, ',');
		json_read_text(reader, &field->value);
		json_expect(reader, ']');
	} while (json_take(reader, ','));
	json_expect(reader, ']');
}

static void read_member(struct json_reader *reader, struct line *line,
                        enum member member)
{
	switch (member) {
	case TYPE:
		json_read_text(reader, &line->type);
		break;
	case ID:
	case PARENT_ID:
		json_read_u64(reader, &line->numbers.id);
		break;
	case PARENT:
		line->numbers.has_parent = !json_take_null(reader);
		if (line->numbers.has_parent)
			json_read_u64(reader, &line->numbers.parent);
		break;
	case NAME:
		json_read_text(reader, &line->name);
		break;
	case TARGET:
		json_read_text(reader, &line->target);
		break;
	case TSC:
		json_read_u64(reader, &line->numbers.tsc);
		break;
	case FIELDS:
		read_fields(reader, line);
		break;
	case MEMBERS:
		break;
	}
}

static void read_named(struct json_reader *reader, struct line *line)
{
	struct gt_text name;
	unsigned i = 0;

	if (!json_read_text(reader, &name) || !json_expect(reader, ':'))
		return;
	while (i < MEMBERS && !is_text(name, members[i]))
		i++;
	if (i == MEMBERS) {
		reader->error = "a member that no event has";
	} else if (line->has & 1u << i) {
		reader->error = "a member that is there twice";
	} else {
		line->has |= 1u << i;
		read_member(reader, line, (enum member)i);
	}
}

static void read_line(struct json_reader *reader, struct line *line)
{
	line->numbers = (struct gt_batch_numbers){0};
	line->field_count = 0;
	line->has = 0;
	json_expect(reader, '{');
	do
		read_named(reader, line);
	while (json_take(reader, ','));
	json_expect(reader, '}');
	json_expect_end(reader);
}

/* ---- Its event ----------------------------------------------------------- */

/* 0: no such kind, or it lacks something, and the reader says so. */
static unsigned kind_of(struct json_reader *reader, const struct line *line)
{
	unsigned kind = GT_BATCH_START;

	if (reader->error)
		return 0;
	if (!(line->has & 1u << TYPE)) {
		reader->error = "an object without a type";
		return 0;
	}
	while (kind > 0 && !is_text(line->type, kinds[kind].name))
		kind--;
	if (kind == 0)
		reader->error = "a type that is no event's";
	else if (line->has != (kinds[kind].needs | 1u << TYPE))
		reader->error = "an event with too many or too few members";
	return reader->error ? 0 : kind;
}

static bool put_event(struct gt_batch *batch, enum gt_batch_event kind,
                      const struct line *line)
{
	struct gt_draft draft;

	gt_batch_begin(&draft, batch, kind, (uint32_t)line->field_count);
	if (line->has & 1u << NAME)
		gt_draft_name(&draft, line->name.bytes, line->name.count);
	if (line->has & 1u << TARGET)
		gt_draft_target(&draft, line->target.bytes, line->target.count);
	for (size_t i = 0; i < line->field_count; i++)
		gt_draft_field(&draft, line->fields[i].key.bytes,
		               line->fields[i].key.count,
		               line->fields[i].value.bytes,
		               line->fields[i].value.count);
	return gt_draft_end(&draft, &line->numbers);
}

/* On 0.11 the start is the batch's own and comes first. */
static const char *put_line(struct gt_batch *batch, char *from, char *end,
                            struct line *line, bool is_first,
                            uint64_t *start_tsc)
{
	struct json_reader reader = {from, end, NULL};
	unsigned kind;

	read_line(&reader, line);
	kind = kind_of(&reader, line);
	if (reader.error)
		return reader.error;
	if (batch->wire == GT_WIRE_HYPERLIGHT_0_11 && is_first &&
	    kind == GT_BATCH_START) {
		*start_tsc = line->numbers.tsc;
		return NULL;
	}
	if (!put_event(batch, (enum gt_batch_event)kind, line))
		return "an event that this wire does not have here";
	return NULL;
}

/* ---- The file ------------------------------------------------------------ */

static bool is_blank(const char *from, const char *end)
{
	while (from < end && *from && strchr(" \t\r", *from))
		from++;
	return from == end;
}

static int put_lines(struct gt_batch *batch, char *text, size_t count,
                     const char *path)
{
	char *end = text + count;
	struct line line = {0};
	uint64_t start_tsc = 0;
	const char *error = NULL;
	size_t number = 0, bytes;
	bool is_first = true;

	for (char *at = text, *next; at < end && !error; at = next + 1) {
		next = memchr(at, '\n', (size_t)(end - at));
		if (!next)
			next = end;
		number++;
		if (is_blank(at, next))
			continue;
		error = put_line(batch, at, next, &line, is_first, &start_tsc);
		is_first = false;
	}
	free(line.fields);
	if (error) {
		complain("%s: line %zu: %s", path, number, error);
		return COMMAND_FAILED;
	}
	bytes = gt_batch_finish(batch, start_tsc);
	fwrite(batch->memory, 1, bytes, stdout); /* what fails, main() says */
	return 0;
}

/*
 * More memory than any batch of this text can need: its strings, two of at
 * least 8 bytes and a table of 16 for a field of at least 8 characters, and 160
 * bytes for an event of at least 24.
 */
static size_t memory_for(size_t text_bytes)
{
	return 4096 + 16 * text_bytes;
}

static int encode(enum gt_wire wire, char *text, size_t count, const char *path)
{
	struct gt_batch batch;
	size_t bytes = memory_for(count);
	uint32_t lines = 1;
	void *memory = malloc(bytes);
	int status;

	if (!memory) {
		complain("%s: %s", path, code_text(-ENOMEM));
		return COMMAND_FAILED;
	}
	for (size_t i = 0; i < count; i++)
		lines += text[i] == '\n';
	gt_batch_init(&batch, wire, memory, bytes, lines);
	status = put_lines(&batch, text, count, path);
	free(memory);
	return status;
}

/* All of it, or NULL after a complaint. */
static char *read_text(FILE *file, const char *path, size_t *ret_count)
{
	size_t room = 0, count = 0;
	char *text = NULL, *larger;

	do {
		room = 2 * room + 65536;
		larger = realloc(text, room);
		if (!larger)
			break;
		text = larger;
		count += fread(text + count, 1, room - count, file);
	} while (count == room && count <= FILE_BYTES_MAX);
	if (larger && !ferror(file) && count <= FILE_BYTES_MAX) {
		*ret_count = count;
		return text;
	}
	complain("%s: %s", path,
	         !larger        ? code_text(-ENOMEM)
	         : ferror(file) ? code_text(-errno)
	                        : "more than 64 MiB");
	free(text);
	return NULL;
}

static int encode_file(enum gt_wire wire, const char *path)
{
	bool is_input = place_is_stream(path);
	FILE *file = is_input ? stdin : fopen(path, "re");
	int status = COMMAND_FAILED;
	size_t count;
	char *text;

	if (!file) {
		complain("%s: %s", path, code_text(-errno));
		return COMMAND_FAILED;
	}
	path = place_input_name(path);
	text = read_text(file, path, &count);
	if (text)
		status = encode(wire, text, count, path);
	free(text);
	if (!is_input)
		fclose(file);
	return status;
}

static const struct option_spec options[] = {
	{'w', "wire", "hyperlight-0.11|hyperlight-0.12",
         "the version of Hyperlight's batches", NULL},
	{OPTION_FORCE, "force", NULL, "to a terminal, too", NULL},
	READS_IN_SANDBOX,
	{0},
};

static int cmd_encode(int argc, char **argv)
{
	const char *wire = NULL;
	bool force = false;
	int id;

	while ((id = options_next(&command_encode, argc, argv)) != -1) {
		if (id == OPTION_FORCE)
			force = true;
		else if (id == 'w')
			wire = optarg;
		else
			return options_stop(&command_encode, id);
	}
	if (!wire)
		return options_missing(&command_encode, "--wire");
	if (!options_operands(&command_encode, argc, argv, 1, 1))
		return COMMAND_USAGE;
	if (!screen_takes("a batch", NULL, force))
		return COMMAND_USAGE;
	if (confinement_of_reading(&(struct reading){.paths = argv + optind,
	                                             .count = 1}) < 0 ||
	    place_is_input(NULL, argv[optind]))
		return COMMAND_FAILED;
	if (strcmp(wire, "hyperlight-0.11") == 0)
		return encode_file(GT_WIRE_HYPERLIGHT_0_11, argv[optind]);
	if (strcmp(wire, "hyperlight-0.12") == 0)
		return encode_file(GT_WIRE_HYPERLIGHT_0_12, argv[optind]);
	complain("no --wire '%s': hyperlight-0.11, hyperlight-0.12", wire);
	return COMMAND_USAGE;
}

const struct command_spec command_encode = {
	.name = "encode",
	.operands = "FILE",
	.what = "make a Hyperlight batch of such JSON",
	.options = options,
	.run = cmd_encode,
	.examples = "  guesttrace encode -w hyperlight-0.12 events.json "
                    ">batch.bin\n"
		    "  guesttrace encode -w hyperlight-0.11 - <events.json "
                    ">old.bin\n",
	.usage_status = COMMAND_USAGE,
};
