/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h - the journald sink of log.h. Supervisor and API; a worker cannot reach the journal.
 *
 * sd_journal_send() loses entries without a word when no journal listens, so the sink falls back
 * to stderr when the journal's socket is absent.
 */
#pragma once

#include "base/log.h"

log_sink log_to_journal;
/* The sink for this process: the journal when one listens, else stderr. */
log_sink *journal_sink(void);
