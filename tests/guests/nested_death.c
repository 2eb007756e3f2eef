/* SPDX-License-Identifier: MIT */
/* Dies in a call within calls, each with a frame pointer. */
#include "../../examples/runtime/runtime.h"

static volatile unsigned *volatile nowhere = (volatile unsigned *)8;
static volatile unsigned done;

__attribute__((noinline)) static void innermost(void)
{
	*nowhere = 1; /* dies here */
	done++;
}

__attribute__((noinline)) static void middle(unsigned depth)
{
	if (depth)
		middle(depth - 1); /* recursion */
	else
		innermost(); /* calls the last one */
	done++;
}

__attribute__((noinline)) static void outermost(void)
{
	middle(2); /* calls the middle */
	done++;
}

int guest_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	outermost(); /* calls the first */
	return (int)done;
}
