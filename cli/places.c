/* SPDX-License-Identifier: MIT */
#include "places.h"
#include "command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel's */

bool place_is_stream(const char *path)
{
	return !path || strcmp(path, "-") == 0;
}

const char *place_input_name(const char *path)
{
	return place_is_stream(path) ? "standard input" : *path ? path : "''";
}

const char *place_output_name(const char *path)
{
	return place_is_stream(path) ? "standard output" : *path ? path : "''";
}

int place_follow(const char *path, char **ret_path)
{
	char *at = strdup(path), target[PATH_MAX];
	ssize_t count = 0;

	for (int links = 0; at && links <= LINKS_MAX; links++) {
		const char *slash = strrchr(at, '/');
		char *next = NULL;
		int parent;

		count = readlink(at, target, sizeof(target));
		if (count < 0 || count == (ssize_t)sizeof(target)) {
			*ret_path = at;
			return 0;
		}
		parent = slash && target[0] != '/' ? (int)(slash + 1 - at) : 0;
		if (asprintf(&next, "%.*s%.*s", parent, at, (int)count,
		             target) < 0)
			next = NULL;
		free(at);
		at = next;
	}
	if (!at)
		return -ENOMEM;
	free(at);
	return -ELOOP;
}

/* ---- Comparing ----------------------------------------------------------- */

struct place {
	struct stat info; /* of the file, or of the directory that it is to be
	                     in */
	char *name;       /* there; NULL: it exists */
};

static void forget(struct place *place)
{
	free(place->name);
}

/* A file that is to be made: its directory, and its name in there. */
static bool find_new(const char *path, struct place *place)
{
	char *at = NULL, *slash;
	size_t length;
	bool found;

	if (place_follow(path, &at) < 0)
		return false;
	length = strlen(at);
	while (length > 1 && at[length - 1] == '/')
		at[--length] = '\0';
	slash = strrchr(at, '/');
	place->name = strdup(slash ? slash + 1 : at);
	if (slash)
		slash[slash == at] = '\0'; /* the root's is its name */
	found = place->name && stat(slash ? at : ".", &place->info) == 0;
	free(at);
	return found;
}

static bool find(const char *path, int stream, struct place *place)
{
	*place = (struct place){.name = NULL};
	if (place_is_stream(path))
		return fstat(stream, &place->info) == 0;
	return stat(path, &place->info) == 0 ||
	       (errno == ENOENT && find_new(path, place));
}

static bool is_same(const struct place *a, const struct place *b)
{
	return a->info.st_dev == b->info.st_dev &&
	       a->info.st_ino == b->info.st_ino && !a->name == !b->name &&
	       (!a->name || strcmp(a->name, b->name) == 0);
}

/* Into /dev/null and its like all may write, and on a terminal all may talk. */
static bool is_shared(const struct place *place, int stream)
{
	return !place->name && S_ISCHR(place->info.st_mode) &&
	       !(stream == STDOUT_FILENO && isatty(stream));
}

/* `b` may be NULL, and `stream` is it then. */
static bool compare(const char *a, const char *b, int stream)
{
	struct place one, other = {.name = NULL};
	bool same = find(a, stream, &one) && find(b, stream, &other) &&
	            is_same(&one, &other) && !is_shared(&one, stream);

	forget(&one);
	forget(&other);
	return same;
}

bool place_is_standard_output(const char *path)
{
	return place_is_stream(path) || compare(path, NULL, STDOUT_FILENO);
}

bool place_is_standard_error(const char *path)
{
	return !place_is_standard_output(path) &&
	       compare(path, NULL, STDERR_FILENO);
}

bool place_streams_are_one(void)
{
	struct place out = {.name = NULL}, messages = out;

	return find(NULL, STDOUT_FILENO, &out) &&
	       find(NULL, STDERR_FILENO, &messages) &&
	       is_same(&out, &messages) && !S_ISCHR(out.info.st_mode);
}

bool place_is_one(const char *output, const char *other)
{
	bool standard = place_is_standard_output(output);

	if (standard || place_is_standard_output(other))
		return standard && place_is_standard_output(other);
	return compare(output, other, STDOUT_FILENO);
}

bool place_is_input(const char *output, const char *input)
{
	struct place to, from = {.name = NULL};
	bool same = find(output, STDOUT_FILENO, &to) &&
	            find(input, STDIN_FILENO, &from) &&
	            S_ISREG(to.info.st_mode) && is_same(&to, &from);

	forget(&to);
	forget(&from);
	if (same)
		complain("cannot write %s: it is the input %s",
		         place_output_name(output), place_input_name(input));
	return same;
}
