/* SPDX-License-Identifier: MIT */
/*
 * Linux, Documentation/userspace-api/landlock.rst. Outputs may be made, renamed
 * and removed in the directories where they stand; what is a device or a pipe
 * may be written as it is. Everything else is closed, but for what a resolver
 * and TLS read where something is sent.
 */
#include "sandbox_paths.h"
#include "places.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of later versions than the header may know. */
#define FS_REFER         (UINT64_C(1) << 13) /* from version 2 on */
#define FS_TRUNCATE      (UINT64_C(1) << 14) /* 3 */
#define FS_OF_1          ((UINT64_C(1) << 13) - 1)
#define NET_BIND_TCP     UINT64_C(1) /* 4 */
#define NET_CONNECT_TCP  UINT64_C(2)
#define SCOPE_ABSTRACT   UINT64_C(1) /* 6 */
#define SCOPE_SIGNAL     UINT64_C(2)

struct ruleset {
	uint64_t files, net, scoped;
};

#define READS  (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES (LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)
#define MAKES                                                         \
	(LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	 FS_REFER)
/* What a rule of a file may have. */
#define OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | WRITES)

struct paths {
	int fd;
	uint64_t handled; /* what this version knows */
};

/* What is not there needs no rule. */
static int allow(const struct paths *paths, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule;
	struct stat info;
	int r = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return 0;
	if (fstat(rule.parent_fd, &info) == 0 && !S_ISDIR(info.st_mode))
		access &= OF_FILES;
	rule.allowed_access = access & paths->handled;
	if (syscall(SYS_landlock_add_rule, paths->fd,
	            LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0 &&
	    errno != EBADFD) /* a pipe, which is closed to nobody */
		r = -errno;
	close(rule.parent_fd);
	return r;
}

/* The directory of the file that the path leads to, and what is there now. */
static int allow_output(const struct paths *paths, const char *path)
{
	char *name, *parent;
	struct stat info;
	int r = 0;

	if (!path || !*path || strcmp(path, "-") == 0)
		return 0;
	if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode))
		r = allow(paths, path, OF_FILES);
	if (r < 0 || (stat(path, &info) == 0 && !S_ISREG(info.st_mode) &&
	              !S_ISDIR(info.st_mode)))
		return r;
	if (place_follow(path, &name) < 0)
		return 0; /* opening it will say why */
	parent = strdup(name);
	r = parent ? allow(paths, dirname(parent), READS | WRITES | MAKES)
	           : -ENOMEM;
	free(parent);
	free(name);
	return r;
}

/* A file, a folder of them, or, where it may come yet, what is beside it. */
static int allow_input(const struct paths *paths, const char *path)
{
	struct stat info;
	char *parent;
	int r;

	if (!path || !*path || strcmp(path, "-") == 0)
		return 0;
	if (stat(path, &info) == 0)
		return allow(paths, path, READS);
	parent = strdup(path);
	r = parent ? allow(paths, dirname(parent), LANDLOCK_ACCESS_FS_READ_FILE)
	           : -ENOMEM;
	free(parent);
	return r;
}

/* The spool itself may be yet to be made. */
static int allow_spool(const struct paths *paths, const char *path)
{
	struct stat info;
	char *parent;
	int r;

	if (!path)
		return 0;
	if (stat(path, &info) == 0)
		return allow(paths, path, READS | WRITES | MAKES);
	parent = strdup(path);
	r = parent ? allow(paths, dirname(parent), READS | WRITES | MAKES)
	           : -ENOMEM;
	free(parent);
	return r;
}

/* Where resolvers and TLS look, and where the user has told them to. */
static int allow_sending(const struct paths *paths)
{
	static const char *const system[] = {
		"/etc", "/usr", "/lib", "/lib64", "/run", "/var/lib", "/dev/urandom"};
	static const char *const variables[] = {
		"OTEL_EXPORTER_OTLP_CERTIFICATE",
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
		"OTEL_EXPORTER_OTLP_CLIENT_KEY",
		"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
		"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
		"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
		"OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE",
		"OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE",
		"OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY",
		"OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE",
		"OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE",
		"OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF"};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(system) / sizeof(*system); i++)
		r = allow(paths, system[i], READS);
	for (size_t i = 0; r == 0 && i < sizeof(variables) / sizeof(*variables);
	     i++)
		if (getenv(variables[i]))
			r = allow(paths, getenv(variables[i]), READS);
	return r;
}

static int begin(struct paths *paths, bool sends)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	                       LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset set = {.files = FS_OF_1};
	size_t bytes = version < 4 ? 8 : version < 6 ? 16 : sizeof(set);

	if (version < 1)
		return 1;
	set.files |= version >= 2 ? FS_REFER : 0;
	set.files |= version >= 3 ? FS_TRUNCATE : 0;
	set.net = NET_BIND_TCP | (sends ? 0 : NET_CONNECT_TCP);
	set.scoped = SCOPE_SIGNAL | (sends ? 0 : SCOPE_ABSTRACT);
	paths->handled = set.files;
	paths->fd = (int)syscall(SYS_landlock_create_ruleset, &set, bytes, 0);
	return paths->fd < 0 ? -errno : 0;
}

static int add_rules(const struct paths *paths, const struct sandbox_plan *plan)
{
	/* Each thread of a vCPU looks up how long it has waited. */
	int r = allow(paths, "/proc/self", LANDLOCK_ACCESS_FS_READ_FILE);

	if (r == 0 && SANDBOX_IS_WIDE)
		r = allow(paths, "/", READS);
	for (unsigned i = 0; r == 0 && i < plan->written_count; i++)
		r = allow_output(paths, plan->written[i]);
	for (unsigned i = 0; r == 0 && i < plan->read_count; i++)
		r = allow_input(paths, plan->read[i]);
	if (r == 0)
		r = allow_spool(paths, plan->spool);
	if (r == 0 && plan->sends)
		r = allow_sending(paths);
	return r;
}

int sandbox_paths(const struct sandbox_plan *plan)
{
	struct paths paths;
	int r = begin(&paths, plan->sends);

	if (r != 0)
		return r;
	r = add_rules(&paths, plan);
	if (r == 0 && syscall(SYS_landlock_restrict_self, paths.fd, 0) < 0)
		r = -errno;
	close(paths.fd);
	return r;
}
