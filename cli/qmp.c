/* SPDX-License-Identifier: MIT */
#include "qmp.h"
#include "json_reader.h"
#include "monotonic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define COMMAND_BYTES_MAX 256u

/* ---- Objects ------------------------------------------------------------- */

static bool is_text(struct gt_text text, const char *what)
{
	return text.count == strlen(what) &&
	       memcmp(text.bytes, what, text.count) == 0;
}

static char next(struct json_reader *reader)
{
	while (reader->at < reader->end && *reader->at &&
	       strchr(" \t\r\n", *reader->at))
		reader->at++;
	return reader->at < reader->end ? *reader->at : '\0';
}

/* Numbers and words are what no other value begins with. */
static bool skip_word(struct json_reader *reader)
{
	char *from = reader->at;

	while (reader->at < reader->end && *reader->at &&
	       !strchr(" \t\r\n,:{}[]\"", *reader->at))
		reader->at++;
	return reader->at != from;
}

/* A value of any kind: brackets are counted, and what lies in them is words. */
static bool skip(struct json_reader *reader)
{
	unsigned depth = 0;
	struct gt_text text;

	do {
		switch (next(reader)) {
		case '{':
		case '[':
			if (++depth > QMP_DEPTH_MAX)
				return false;
			reader->at++;
			break;
		case '}':
		case ']':
			if (depth == 0)
				return false;
			depth--;
			reader->at++;
			break;
		case ',':
		case ':':
			if (depth == 0)
				return false;
			reader->at++;
			break;
		case '"':
			if (!json_read_text(reader, &text))
				return false;
			break;
		default:
			if (!skip_word(reader))
				return false;
		}
	} while (depth > 0);
	return true;
}

/* Calls `member` with each name, which reads what follows. */
static bool read_members(struct json_reader *reader,
                         bool (*member)(struct json_reader *reader,
                                        struct gt_text name, void *context),
                         void *context)
{
	struct gt_text name;

	if (!json_expect(reader, '{'))
		return false;
	if (json_take(reader, '}'))
		return true;
	do {
		if (!json_read_text(reader, &name) ||
		    !json_expect(reader, ':') || !member(reader, name, context))
			return false;
	} while (json_take(reader, ','));
	return json_expect(reader, '}');
}

static bool read_returned(struct json_reader *reader, struct gt_text name,
                          void *context)
{
	struct qmp_answer *answer = context;

	if (is_text(name, "status") && next(reader) == '"')
		return json_read_text(reader, &answer->status);
	if (is_text(name, "base-memory"))
		return json_read_u64(reader, &answer->base_memory);
	return skip(reader);
}

struct top {
	enum qmp_kind kind;
	struct qmp_answer answer;
};

static bool read_top(struct json_reader *reader, struct gt_text name,
                     void *context)
{
	struct top *top = context;

	if (is_text(name, "QMP"))
		top->kind = QMP_GREETING;
	else if (is_text(name, "error"))
		top->kind = QMP_ERROR;
	if (!is_text(name, "return"))
		return skip(reader);
	top->kind = QMP_RETURN;
	if (next(reader) == '"')
		return json_read_text(reader, &top->answer.text);
	if (next(reader) == '{')
		return read_members(reader, read_returned, &top->answer);
	return skip(reader);
}

int qmp_read(char *bytes, size_t count, enum qmp_kind *ret_kind,
             struct qmp_answer *ret_answer)
{
	struct json_reader reader = {.at = bytes, .end = bytes + count};
	struct top top = {.kind = QMP_OTHER};

	if (!read_members(&reader, read_top, &top) || !json_expect_end(&reader))
		return -EPROTO;
	*ret_kind = top.kind;
	*ret_answer = top.answer;
	return 0;
}

/* ---- The connection ------------------------------------------------------ */

static int wait_for(struct qmp *qmp, short events)
{
	struct pollfd fd = {.fd = qmp->fd, .events = events};
	uint64_t now = monotonic_ns();
	struct timespec span;
	int r;

	if (now >= qmp->deadline_ns)
		return -ETIMEDOUT;
	span.tv_sec = (time_t)((qmp->deadline_ns - now) / NS_PER_S);
	span.tv_nsec = (long)((qmp->deadline_ns - now) % NS_PER_S);
	r = ppoll(&fd, 1, &span, NULL);
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

static int receive(struct qmp *qmp)
{
	ssize_t n;
	int r;

	if (qmp->have == sizeof(qmp->bytes))
		return -EMSGSIZE;
	r = wait_for(qmp, POLLIN);
	if (r < 0)
		return r;
	n = recv(qmp->fd, qmp->bytes + qmp->have,
	         sizeof(qmp->bytes) - qmp->have, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	qmp->have += (size_t)n;
	return 0;
}

/* Where the first object in `bytes` ends, by its brackets alone. */
struct end {
	size_t at;
	unsigned depth;
	bool in_string, escaped;
};

/* 1: there; 0: not yet. */
static int find_end(const struct qmp *qmp, struct end *end)
{
	for (; end->at < qmp->have; end->at++) {
		char c = qmp->bytes[end->at];

		if (end->in_string) {
			end->in_string = end->escaped || c != '"';
			end->escaped = !end->escaped && c == '\\';
		} else if (c == '{' || c == '[') {
			if (++end->depth > QMP_DEPTH_MAX)
				return -EPROTO;
		} else if (c == '}' || c == ']') {
			if (end->depth == 0)
				return -EPROTO;
			if (--end->depth == 0) {
				end->at++;
				return 1;
			}
		} else if (end->depth == 0) {
			if (!strchr(" \t\r\n", c) || c == '\0')
				return -EPROTO;
		} else {
			end->in_string = c == '"';
		}
	}
	return 0;
}

/* The next object, whatever it is. */
static int take_object(struct qmp *qmp, enum qmp_kind *ret_kind,
                       struct qmp_answer *ret_answer)
{
	struct end end = {0};
	int r;

	qmp->have -= qmp->taken;
	memmove(qmp->bytes, qmp->bytes + qmp->taken, qmp->have);
	qmp->taken = 0;
	if (++qmp->objects > QMP_OBJECTS_MAX)
		return -EMSGSIZE;
	while ((r = find_end(qmp, &end)) == 0) {
		r = receive(qmp);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	qmp->taken = end.at;
	return qmp_read(qmp->bytes, end.at, ret_kind, ret_answer);
}

static int take(struct qmp *qmp, enum qmp_kind wanted,
                struct qmp_answer *ret_answer)
{
	enum qmp_kind kind = QMP_OTHER;
	int r;

	do
		r = take_object(qmp, &kind, ret_answer);
	while (r == 0 && kind == QMP_OTHER);
	if (r == 0 && kind != wanted)
		r = kind == QMP_ERROR ? -ENOTSUP : -EPROTO;
	return r;
}

static int send_all(struct qmp *qmp, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t n = send(qmp->fd, bytes, count, MSG_NOSIGNAL);
		int r;

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			count -= (size_t)n;
			continue;
		}
		r = wait_for(qmp, POLLOUT);
		if (r < 0)
			return r;
	}
	return 0;
}

int qmp_ask(struct qmp *qmp, const char *command, struct qmp_answer *ret_answer)
{
	int r = send_all(qmp, command, strlen(command));

	return r < 0 ? r : take(qmp, QMP_RETURN, ret_answer);
}

int qmp_human(struct qmp *qmp, const char *line, struct gt_text *ret_text)
{
	char command[COMMAND_BYTES_MAX];
	struct qmp_answer answer;
	int r;

	snprintf(command, sizeof(command),
	         "{\"execute\": \"human-monitor-command\", \"arguments\": "
	         "{\"command-line\": \"%s\"}}\n",
	         line);
	r = qmp_ask(qmp, command, &answer);
	if (r == 0)
		*ret_text = answer.text;
	return r;
}

static int connect_to(struct qmp *qmp, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	qmp->fd = -1;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	qmp->fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (qmp->fd < 0)
		return -errno;
	return connect(qmp->fd, (const struct sockaddr *)&address,
	               sizeof(address)) < 0
	               ? -errno
	               : 0;
}

int qmp_open(struct qmp *qmp, const char *path, uint64_t for_ns)
{
	struct qmp_answer answer;
	int r;

	qmp->deadline_ns = monotonic_ns() + for_ns;
	qmp->objects = 0;
	qmp->have = qmp->taken = 0;
	r = connect_to(qmp, path);
	if (r == 0)
		r = take(qmp, QMP_GREETING, &answer);
	if (r == 0)
		r = qmp_ask(qmp, "{\"execute\": \"qmp_capabilities\"}\n",
		            &answer);
	if (r < 0)
		qmp_close(qmp);
	return r;
}

void qmp_close(struct qmp *qmp)
{
	if (qmp->fd >= 0)
		close(qmp->fd);
	qmp->fd = -1;
}
