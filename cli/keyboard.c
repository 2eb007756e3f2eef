/* SPDX-License-Identifier: MIT */
#include "keyboard.h"

#include <poll.h>
#include <stdbool.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static struct termios before;
static bool begun;

void keyboard_begin(void)
{
	struct termios now;

	if (tcgetpgrp(STDIN_FILENO) != getpgrp() ||
	    tcgetattr(STDIN_FILENO, &before) < 0)
		return;
	now = before;
	now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	begun = tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0;
}

char keyboard_key(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char key = 0;

	if (!begun || ppoll(&input, 1, &(struct timespec){0}, NULL) <= 0)
		return 0;
	return read(STDIN_FILENO, &key, 1) == 1 ? key : 0;
}

void keyboard_end(void)
{
	if (begun)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	begun = false;
}
