/* SPDX-License-Identifier: MIT */
/* What compilers know and the analyzer does not: as it is without threads. */
#define __atomic_load_n(at, order) (*(at))
#define __atomic_store_n(at, value, order) (*(at) = (value))
