/* SPDX-License-Identifier: MIT */
/*
 * The smallest guest: greets, and returns its first argument as exit status.
 */
#include "../runtime/runtime.h"

int guest_main(int argc, char **argv)
{
	runtime_print("hello from ");
	runtime_print(argc > 0 ? argv[0] : "nobody");
	runtime_print("\n");
	return argc > 1 ? (int)runtime_parse_u64(argv[1]) : 0;
}
