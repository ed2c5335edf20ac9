/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene.h - plays a written scene (NAME.scene) and prints what the supervisor makes of it;
 * the print is compared with the golden NAME.expect beside it. tests/sim only.
 *
 * A line is a verb and words; `#` begins a comment:
 *   define VM [FIELD=VALUE]...   start|stop|kill|release|pause|resume|reset-budget|takeover|give-back VM
 *   runs VM                       its guest executes the first instruction
 *   stands VM                     its vCPUs stand, as it was asked
 *   says VM CAUSE                 its worker ends with that cause
 *   faults VM CAUSE               its guest meets that and stands, if its policy is so
 *   dies VM SIGNAL                its worker dies of a signal
 *   obeys VM                      it does what it was asked (button, cut, SIGKILL)
 *   wait MS                       time passes
 *   disk full|free   host poor|rich   crash   reboot   clock MS
 */
#pragma once

/* Returns the exit status of the program. */
int scene_play(const char *path);
