/* SPDX-License-Identifier: MIT */
/* A condition as the parser leaves it and the evaluation takes it. */
#ifndef GUESTTRACE_WHERE_INSIDE_H
#define GUESTTRACE_WHERE_INSIDE_H

#include "where.h"

#define GT__WHERE_TERMS_MAX 64u
/* A step for each term, and one for each word that joins or negates. */
#define GT__WHERE_STEPS_MAX 256u

enum gt__where_key {
	GT__KEY_FIELD,
	GT__KEY_NAME,
	GT__KEY_TARGET,
	GT__KEY_FILE,
	GT__KEY_MESSAGE,
	GT__KEY_LEVEL,
	GT__KEY_STATUS,
	GT__KEY_VCPU,
	GT__KEY_DURATION,
	GT__KEY_START,
};

enum gt__where_op {
	GT__OP_IS_THERE,
	GT__OP_EQUAL,
	GT__OP_UNEQUAL,
	GT__OP_LESS,
	GT__OP_LESS_EQUAL,
	GT__OP_GREATER,
	GT__OP_GREATER_EQUAL,
	GT__OP_MATCHES,
	GT__OP_MATCHES_NOT,
};

struct gt__where_term {
	enum gt__where_key key;
	enum gt__where_op op;
	const char *field; /* the name of GT__KEY_FIELD */
	const char *text;  /* the value */
	bool is_number;
	long double number; /* of the value; holds each integer of 64 bits */
};

/* The terms in reverse Polish notation. */
enum gt__where_step {
	GT__STEP_AND = GT__WHERE_TERMS_MAX, /* below: a term */
	GT__STEP_OR,
	GT__STEP_NOT,
	GT__STEP_OPEN, /* of the parser alone */
};

struct gt__where {
	struct gt__where_term terms[GT__WHERE_TERMS_MAX];
	uint8_t steps[GT__WHERE_STEPS_MAX];
	unsigned term_count, step_count;
	/* Keys and values, each with a NUL behind it. */
	char texts[2 * GT__WHERE_BYTES_MAX + 4];
	size_t used;
};

#endif
