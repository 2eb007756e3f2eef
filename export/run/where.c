/* SPDX-License-Identifier: MIT */
/*
 * Reads a condition, by operator precedence (Dijkstra's shunting yard), without
 * recursion and with a bound on each length: it may come from elsewhere.
 */
#include "where_inside.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	struct gt__where *where;
	const char *text;
	size_t at;
	size_t last; /* where the last word began, for complaints */
	const char *why;
	uint8_t waiting[GT__WHERE_STEPS_MAX]; /* operators */
	unsigned waiting_count;
	int error;
};

static bool refuse(struct parser *p, const char *why)
{
	if (!p->why) {
		p->why = why;
		p->error = -EINVAL;
	}
	return false;
}

static void skip_blanks(struct parser *p)
{
	while (isspace((unsigned char)p->text[p->at]))
		p->at++;
	p->last = p->at;
}

static bool take(struct parser *p, const char *word)
{
	size_t count = strlen(word);

	skip_blanks(p);
	if (strncmp(p->text + p->at, word, count) != 0)
		return false;
	p->at += count;
	return true;
}

/* ---- Words --------------------------------------------------------------- */

static bool is_word_byte(char c)
{
	return isalnum((unsigned char)c) || (c & 0x80) ||
	       (c && strchr("_.-+:/@%*?[]{}$#,", c));
}

static void put_byte(struct gt__where *w, char c)
{
	w->texts[w->used++] = c;
}

/* A word or what stands in quotes; NULL: there is neither. */
static const char *take_text(struct parser *p, bool *ret_quoted)
{
	struct gt__where *w = p->where;
	const char *text = w->texts + w->used;

	skip_blanks(p);
	*ret_quoted = p->text[p->at] == '"';
	if (*ret_quoted) {
		for (p->at++; p->text[p->at] != '"'; p->at++) {
			if (p->text[p->at] == '\\' && p->text[p->at + 1])
				p->at++;
			if (!p->text[p->at]) {
				refuse(p, "a quote is missing");
				return NULL;
			}
			put_byte(w, p->text[p->at]);
		}
		p->at++;
	} else {
		while (is_word_byte(p->text[p->at]))
			put_byte(w, p->text[p->at++]);
		if (p->at == p->last)
			return NULL;
	}
	put_byte(w, '\0');
	return text;
}

bool gt__read_duration(const char *text, uint64_t *ret_ns)
{
	static const struct {
		const char *word;
		double ns;
	} units[] = {{"", 1},          {"ns", 1},   {"us", 1e3},
	             {"\u00b5s", 1e3}, {"ms", 1e6}, {"s", 1e9}};
	char *end;
	double number = strtod(text, &end);
	size_t i;

	if (end == text || !isdigit((unsigned char)*text))
		return false;
	for (i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(end, units[i].word) ||
		    !(number * units[i].ns < 1e18))
			continue;
		*ret_ns = (uint64_t)(number * units[i].ns + 0.5);
		return true;
	}
	return false;
}

static bool read_number(const char *text, long double *ret_number)
{
	bool hex = text[0] == '0' && (text[1] | 0x20) == 'x';
	char *end;

	if (!isdigit((unsigned char)*text) && !strchr("+-.", *text))
		return false;
	errno = 0;
	*ret_number = hex ? (long double)strtoull(text, &end, 16)
	                  : strtold(text, &end);
	return end != text && !*end && !errno;
}

/* ---- Terms --------------------------------------------------------------- */

static enum gt__where_key key_of(const char *text)
{
	static const char *const words[] = {
		[GT__KEY_NAME] = "name",   [GT__KEY_TARGET] = "target",
		[GT__KEY_FILE] = "file",   [GT__KEY_MESSAGE] = "message",
		[GT__KEY_LEVEL] = "level", [GT__KEY_STATUS] = "status",
		[GT__KEY_VCPU] = "vcpu",   [GT__KEY_DURATION] = "duration",
		[GT__KEY_START] = "start",
	};
	unsigned i;

	for (i = GT__KEY_NAME; i <= GT__KEY_START; i++)
		if (strcmp(text, words[i]) == 0)
			return (enum gt__where_key)i;
	return GT__KEY_FIELD;
}

static enum gt__where_op take_op(struct parser *p)
{
	/* Those first that begin as others do. */
	static const struct {
		const char *word;
		enum gt__where_op op;
	} ops[] = {{"==", GT__OP_EQUAL},         {"=", GT__OP_EQUAL},
	           {"!=", GT__OP_UNEQUAL},       {"!~", GT__OP_MATCHES_NOT},
	           {"<=", GT__OP_LESS_EQUAL},    {"<", GT__OP_LESS},
	           {">=", GT__OP_GREATER_EQUAL}, {">", GT__OP_GREATER},
	           {"~", GT__OP_MATCHES}};
	size_t i;

	for (i = 0; i < sizeof ops / sizeof *ops; i++)
		if (take(p, ops[i].word))
			return ops[i].op;
	return GT__OP_IS_THERE;
}

static bool find_word(struct gt__where_term *t, const char *const *words)
{
	unsigned i;

	for (i = 0; words[i]; i++) {
		if (strcmp(t->text, words[i]))
			continue;
		t->number = i;
		return true;
	}
	return false;
}

static bool is_of_texts(enum gt__where_op op)
{
	return op == GT__OP_EQUAL || op == GT__OP_UNEQUAL ||
	       op == GT__OP_MATCHES || op == GT__OP_MATCHES_NOT;
}

/* What the key can be compared with. */
static bool read_value(struct parser *p, struct gt__where_term *t)
{
	static const char *const levels[] = {"off",   "error", "warn", "info",
	                                     "debug", "trace", NULL};
	static const char *const statuses[] = {"unset", "ok", "error", NULL};
	bool matches = t->op == GT__OP_MATCHES || t->op == GT__OP_MATCHES_NOT;
	uint64_t ns;

	t->is_number = read_number(t->text, &t->number);
	switch (t->key) {
	case GT__KEY_FIELD:
		return true;
	case GT__KEY_NAME:
	case GT__KEY_TARGET:
	case GT__KEY_FILE:
	case GT__KEY_MESSAGE:
		return is_of_texts(t->op) ||
		       refuse(p, "a text is =, !=, ~ or !~ to another one");
	case GT__KEY_LEVEL:
		return (!matches && find_word(t, levels)) ||
		       refuse(p, "level is compared with error, warn, info, "
		                 "debug or trace");
	case GT__KEY_STATUS:
		return ((t->op == GT__OP_EQUAL || t->op == GT__OP_UNEQUAL) &&
		        find_word(t, statuses)) ||
		       refuse(p, "status is = or != to ok, error or unset");
	case GT__KEY_VCPU:
		return (!matches && t->is_number) ||
		       refuse(p, "vcpu is compared with a number");
	case GT__KEY_DURATION:
	case GT__KEY_START:
		if (matches || !gt__read_duration(t->text, &ns))
			return refuse(p, "this is compared with a time such as "
			                 "20us");
		t->number = ns;
		return true;
	}
	return true;
}

static bool take_term(struct parser *p)
{
	struct gt__where *w = p->where;
	struct gt__where_term *t = &w->terms[w->term_count];
	bool quoted;
	const char *key;

	if (w->term_count == GT__WHERE_TERMS_MAX)
		return refuse(p, "there are too many conditions");
	key = take_text(p, &quoted);
	if (!key)
		return refuse(p, "the name of a field or of what spans have is "
		                 "missing");
	*t = (struct gt__where_term){.field = key};
	if (!quoted && *key == '.')
		t->field++;
	else if (!quoted)
		t->key = key_of(key);
	t->op = take_op(p);
	if (t->op == GT__OP_IS_THERE && t->key != GT__KEY_FIELD)
		return refuse(p, "an operator such as = is missing");
	if (t->op != GT__OP_IS_THERE) {
		t->text = take_text(p, &quoted);
		if (!t->text)
			return refuse(p, "a value is missing");
		if (!read_value(p, t))
			return false;
	}
	w->steps[w->step_count++] = (uint8_t)w->term_count++;
	return true;
}

/* ---- What joins them ----------------------------------------------------- */

static bool push(struct parser *p, enum gt__where_step step)
{
	if (p->waiting_count + p->where->step_count + 2 >= GT__WHERE_STEPS_MAX)
		return refuse(p, "it is too long");
	p->waiting[p->waiting_count++] = (uint8_t)step;
	return true;
}

/* Those that bind at least as tightly: AND before OR, NOT before both. */
static void pop_to(struct parser *p, enum gt__where_step step)
{
	struct gt__where *w = p->where;

	while (p->waiting_count) {
		uint8_t top = p->waiting[p->waiting_count - 1];

		if (top == GT__STEP_OPEN ||
		    (step == GT__STEP_AND && top == GT__STEP_OR))
			return;
		w->steps[w->step_count++] = top;
		p->waiting_count--;
	}
}

static bool close_parenthesis(struct parser *p)
{
	pop_to(p, GT__STEP_OR);
	if (!p->waiting_count)
		return refuse(p, "a ( is missing before this");
	p->waiting_count--;
	return true;
}

/* Up to and with the next term. */
static bool take_operand(struct parser *p)
{
	for (;;) {
		if (take(p, "(")) {
			if (!push(p, GT__STEP_OPEN))
				return false;
		} else if (take(p, "!")) {
			if (!push(p, GT__STEP_NOT))
				return false;
		} else {
			return take_term(p);
		}
	}
}

/* False: there is no more, or an error. */
static bool take_operator(struct parser *p)
{
	enum gt__where_step step;

	while (take(p, ")"))
		if (!close_parenthesis(p))
			return false;
	if (!p->text[p->at])
		return false;
	if (take(p, "&&"))
		step = GT__STEP_AND;
	else if (take(p, "||"))
		step = GT__STEP_OR;
	else
		return refuse(p, "&& or || is missing before this");
	pop_to(p, step);
	return push(p, step);
}

static void parse(struct parser *p)
{
	do {
		if (!take_operand(p))
			return;
	} while (take_operator(p));
	if (p->why)
		return;
	pop_to(p, GT__STEP_OR);
	if (p->waiting_count)
		refuse(p, "a ) is missing");
}

int gt__where_new(const char *text, struct gt__where **ret_where,
                  size_t *ret_at, const char **ret_why)
{
	struct parser *p = calloc(1, sizeof *p);
	int error = -ENOMEM;

	*ret_where = p ? calloc(1, sizeof **ret_where) : NULL;
	*ret_at = 0;
	*ret_why = "out of memory";
	if (*ret_where) {
		p->where = *ret_where;
		p->text = text;
		if (strlen(text) > GT__WHERE_BYTES_MAX)
			refuse(p, "it is too long");
		else
			parse(p);
		error = p->error;
		*ret_at = p->last;
		*ret_why = p->why;
	}
	if (error) {
		gt__where_free(*ret_where);
		*ret_where = NULL;
	}
	free(p);
	return error;
}

void gt__where_free(struct gt__where *where)
{
	free(where);
}

int gt_where_check(const char *where, size_t *ret_at, const char **ret_why)
{
	struct gt__where *made;
	int error = gt__where_new(where, &made, ret_at, ret_why);

	gt__where_free(made);
	return error;
}
