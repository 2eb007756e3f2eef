/* SPDX-License-Identifier: MIT */
#include "directory.h"
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct directory_file {
	struct directory_file *next;
	struct destination destination;
};

/* What is left of a run that was killed is not ours to remove. */
static int make_temporary(struct directory *directory, const char *path)
{
	size_t count = strlen(path);

	while (count > 1 && path[count - 1] == '/')
		count--;
	directory->path = strndup(path, count);
	if (!directory->path || asprintf(&directory->temporary, "%s.partial",
	                                 directory->path) < 0) {
		directory->temporary = NULL;
		return -ENOMEM;
	}
	if (rmdir(directory->path) < 0 && errno != ENOENT)
		return -errno;
	return mkdir(directory->temporary, 0777) < 0 ? -errno : 0;
}

static void forget(struct directory *directory)
{
	free(directory->path);
	free(directory->temporary);
	*directory = (struct directory){.path = NULL};
}

int directory_open(struct directory *directory, const char *path)
{
	int r;

	*directory = (struct directory){.path = NULL};
	r = make_temporary(directory, path);
	if (r == 0)
		return 0;
	if (r == -EEXIST)
		complain("cannot write %s: %s is in the way", path,
		         directory->temporary);
	else
		complain("cannot write %s: %s", path, code_text(r));
	forget(directory);
	return r;
}

/* The directory of a name such as run_1/metadata. */
static int make_parent(const char *path)
{
	char *parent = strdup(path),
	     *slash = parent ? strrchr(parent, '/') : NULL;
	int r = 0;

	if (!slash) {
		free(parent);
		return -ENOMEM;
	}
	*slash = '\0';
	if (mkdir(parent, 0777) < 0 && errno != EEXIST)
		r = -errno;
	free(parent);
	return r;
}

static int create(void *context, const char *name, struct gt_output *ret_output)
{
	struct directory *directory = context;
	struct directory_file *file = calloc(1, sizeof(*file));
	char *path = NULL;
	int r = -ENOMEM;

	if (file && asprintf(&path, "%s/%s", directory->temporary, name) >= 0)
		r = make_parent(path);
	if (r == 0)
		r = destination_open(&file->destination, path, true);
	free(path);
	if (r < 0) {
		free(file);
		return r;
	}
	file->next = directory->files;
	directory->files = file;
	*ret_output = destination_output(&file->destination);
	return 0;
}

struct gt_directory directory_of(struct directory *directory)
{
	return (struct gt_directory){create, directory};
}

/* Closes a file; one that is not wanted is removed, and its directory. */
static int close_file(struct directory_file *file, bool whole)
{
	char *path = strdup(file->destination.path), *slash;
	int r = destination_close(&file->destination, true);

	if (!whole && path) {
		unlink(path);
		slash = strrchr(path, '/');
		if (slash)
			*slash = '\0';
		rmdir(path); /* when it was the last one */
	}
	free(path);
	free(file);
	return r;
}

int directory_close(struct directory *directory, bool whole)
{
	struct directory_file *file;
	int r = 0;

	if (!directory->path)
		return 0;
	while ((file = directory->files)) {
		int closed;

		directory->files = file->next;
		closed = close_file(file, whole);
		if (r == 0)
			r = closed;
	}
	if (!whole)
		rmdir(directory->temporary);
	else if (r == 0 && rename(directory->temporary, directory->path) < 0) {
		r = -errno;
		complain("cannot write %s: %s", directory->path, code_text(r));
	}
	forget(directory);
	return r;
}
