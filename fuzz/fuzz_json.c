/* SPDX-License-Identifier: MIT */
/*
 * The command's JSON: a text that its reader takes as an array of strings,
 * numbers and nulls, written by its writer and read again, is the same.
 */
#include "cli/json.h"
#include "cli/json_reader.h"
#include "host/decode/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_place(const struct json_reader *reader, const char *from,
                        size_t count)
{
	check(reader->at >= from && reader->at <= reader->end &&
	      reader->end == from + count);
}

/* A value that is no array; what it was is added to `to`. */
static bool read_one(struct json_reader *reader, FILE *to)
{
	struct gt_text text;
	uint64_t number;

	if (json_take_null(reader))
		return fputs("null", to) > 0;
	if (json_take(reader, '"')) {
		reader->at--;
		if (!json_read_text(reader, &text))
			return false;
		json_text(to, text);
		return true;
	}
	if (!json_read_u64(reader, &number))
		return false;
	fprintf(to, "%llu", (unsigned long long)number);
	return true;
}

/* [value, value, ...] */
static bool read_array(char *bytes, size_t count, FILE *to)
{
	struct json_reader reader = {bytes, bytes + count, NULL};
	bool first = true;

	fputc('[', to);
	if (!json_expect(&reader, '['))
		return false;
	while (!json_take(&reader, ']')) {
		check_place(&reader, bytes, count);
		if (reader.error || (!first && !json_expect(&reader, ',')))
			return false;
		if (!first)
			fputc(',', to);
		first = false;
		if (!read_one(&reader, to))
			return false;
	}
	fputc(']', to);
	check_place(&reader, bytes, count);
	return json_expect_end(&reader);
}

static bool rewrite(const void *bytes, size_t count, char **ret_text,
                    size_t *ret_count)
{
	char *copy = malloc(count + !count);
	FILE *to = open_memstream(ret_text, ret_count);
	bool good;

	check(copy && to);
	if (count)
		memcpy(copy, bytes, count);
	good = read_array(copy, count, to);
	fclose(to);
	free(copy);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char *once, *twice;
	size_t once_count, twice_count;

	if (rewrite(bytes, count, &once, &once_count)) {
		check(gt__utf8_is_valid((const uint8_t *)once, once_count));
		check(rewrite(once, once_count, &twice, &twice_count));
		check(once_count == twice_count &&
		      memcmp(once, twice, once_count) == 0);
		free(twice);
	}
	free(once);
	return 0;
}
