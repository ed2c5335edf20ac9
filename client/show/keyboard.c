/* SPDX-License-Identifier: Apache-2.0 */
#include "client/show/keyboard.h"

#include <unistd.h>

int keyboard_open(struct keyboard *k, struct err *e)
{
	struct termios raw;

	*k = (struct keyboard){0};
	if (tcgetattr(STDIN_FILENO, &k->before) < 0)
		return err_sys(e, INTERNAL, "read the settings of the terminal");
	raw = k->before;
	cfmakeraw(&raw);
	raw.c_oflag = k->before.c_oflag;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return err_sys(e, INTERNAL, "have the terminal hand on each key");
	k->is_raw = true;
	return 0;
}

void keyboard_close(struct keyboard *k)
{
	if (k->is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &k->before);
	k->is_raw = false;
}
