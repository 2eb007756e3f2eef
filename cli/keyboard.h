/* SPDX-License-Identifier: MIT */
/* Single keys of a terminal that is standard input. */
#ifndef GT_CLI_KEYBOARD_H
#define GT_CLI_KEYBOARD_H

/* From here on keys are read at once and not shown. Nothing if there is no
 * terminal, or it is another process's. */
void keyboard_begin(void);
/* A key that was pressed; 0: none. Does not wait. */
char keyboard_key(void);
/* As it was. Harmless when it was not begun. */
void keyboard_end(void);

#endif
