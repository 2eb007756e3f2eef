/* SPDX-License-Identifier: MIT */
#include "directory.h"
#include "command.h"
#include "errands.h"
#include "streams.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct directory_file {
	struct directory_file *next;
	struct destination destination;
	char *path;
};

/* And the directory of each file, when it was the last one in it. */
static void remove_files(const void *context)
{
	const struct directory *directory = context;

	for (const struct directory_file *file = directory->files; file;
	     file = file->next) {
		size_t count = (size_t)(strrchr(file->path, '/') - file->path);
		char parent[PATH_MAX];

		unlinkat(AT_FDCWD, file->path, 0);
		if (count >= sizeof(parent))
			continue;
		memcpy(parent, file->path, count);
		parent[count] = '\0';
		unlinkat(AT_FDCWD, parent, AT_REMOVEDIR);
	}
	unlinkat(AT_FDCWD, directory->temporary, AT_REMOVEDIR);
}

/* 0: nothing but itself and the one above; -ENOTEMPTY. */
static int is_empty(DIR *directory)
{
	const struct dirent *entry;

	errno = 0;
	while ((entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			return -ENOTEMPTY;
	return -errno;
}

/*
 * Whether a directory can be renamed to this: there is none, or an empty one,
 * which stays until then. A root of another file system cannot be replaced.
 */
static int check_place(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const char *slash = strrchr(path, '/');
	struct stat info, above;
	DIR *directory;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	directory = fdopendir(fd);
	if (!directory) {
		close(fd);
		return -ENOMEM;
	}
	r = is_empty(directory);
	if (r == 0 && strcmp(slash ? slash + 1 : path, ".") == 0)
		r = -EINVAL;
	if (r == 0 &&
	    (fstat(fd, &info) < 0 || fstatat(fd, "..", &above, 0) < 0))
		r = -errno;
	if (r == 0 && info.st_dev != above.st_dev)
		r = -EBUSY;
	closedir(directory);
	return r;
}

/* What is left of a run that was killed is not ours to remove. */
static int name_temporary(struct directory *directory, const char *path)
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
	return check_place(directory->path);
}

static int make_directory(struct directory *directory)
{
	sigset_t before;
	int r;

	leftovers_hold(&before);
	r = mkdir(directory->temporary, 0777) < 0 ? -errno : 0;
	if (r == 0) {
		directory->leftover =
			(struct leftover){remove_files, directory};
		leftovers_add(&directory->leftover);
	}
	leftovers_release(&before);
	return r;
}

static void forget(struct directory *directory)
{
	struct directory_file *file;

	leftovers_forget(&directory->leftover);
	while ((file = directory->files)) {
		directory->files = file->next;
		free(file->path);
		free(file);
	}
	free(directory->path);
	free(directory->temporary);
	*directory = (struct directory){.path = NULL};
}

int directory_open(struct directory *directory, const char *path)
{
	int r;

	*directory = (struct directory){.path = NULL};
	r = *path ? name_temporary(directory, path) : -ENOENT;
	if (r == 0)
		r = make_directory(directory);
	if (r == 0)
		return 0;
	if (r == -EEXIST)
		complain("cannot write %s: %s is in the way: another process "
		         "is writing it, or was killed",
		         path, directory->temporary);
	else if (r == -ENOTEMPTY)
		complain("cannot write %s: the directory is not empty: "
		         "remove it, or name one that is not there",
		         path);
	else
		complain_of_writing(path, r);
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

static int create_file(struct directory *directory, const char *name,
                       struct gt_output *ret_output)
{
	struct directory_file *file = calloc(1, sizeof(*file));
	int r;

	if (!file)
		return -ENOMEM;
	if (asprintf(&file->path, "%s/%s", directory->temporary, name) < 0) {
		free(file);
		return -ENOMEM;
	}
	file->destination.fd = -1;
	file->next = directory->files;
	directory->files = file; /* so that it is removed, however this ends */
	r = make_parent(file->path);
	if (r == 0)
		r = destination_open(&file->destination, file->path, true,
		                     DESTINATION_EXPORT);
	if (r == 0)
		*ret_output = destination_output(&file->destination);
	return r;
}

struct creation {
	struct directory *directory;
	const char *name;
	struct gt_output *ret_output;
};

static int do_create(void *context)
{
	const struct creation *creation = context;

	return create_file(creation->directory, creation->name,
	                   creation->ret_output);
}

/* A thread that brings records may not open files. */
static int create(void *context, const char *name, struct gt_output *ret_output)
{
	struct creation creation = {context, name, ret_output};

	return errand(do_create, &creation);
}

struct gt_directory directory_of(struct directory *directory)
{
	return (struct gt_directory){create, directory};
}

int directory_error(const struct directory *directory)
{
	const struct directory_file *file = directory->files;

	while (file && file->destination.error == 0)
		file = file->next;
	return file ? file->destination.error : 0;
}

/* What a file could not take, its directory says. */
static int close_files(struct directory *directory)
{
	int r = directory_error(directory);

	for (struct directory_file *file = directory->files; file;
	     file = file->next) {
		int closed;

		file->destination.error = 0;
		closed = destination_close(&file->destination, true);
		if (r == 0)
			r = closed;
	}
	return r;
}

int directory_close(struct directory *directory, bool whole)
{
	int r;

	if (!directory->path)
		return 0;
	r = close_files(directory);
	if (whole && r == 0 &&
	    renameat(AT_FDCWD, directory->temporary, AT_FDCWD,
	             directory->path) < 0)
		r = -errno;
	if (!whole || r < 0)
		remove_files(directory);
	if (r < 0)
		complain_of_writing(directory->path, r);
	forget(directory);
	return r;
}
