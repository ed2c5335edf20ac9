/* SPDX-License-Identifier: Apache-2.0 */
/* notify.h - what systemd is told (sd_notify); without it, nothing happens. Supervisor. */
#pragma once

struct daemon;

void notify_ready(void);
void notify_stopping(void);
/* The line of `systemctl status`. */
void notify_status(const struct daemon *d);
