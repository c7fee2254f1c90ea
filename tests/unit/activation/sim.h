/* sim.h: a process without a worker: a mirror, a journal built by hand, and a readable trace of everything that goes in
 * and comes out. Owns all three. A record that is fed is kept, so that the same journal can be fed to another mirror.
 */
#ifndef PAWL_TEST_SIM_H
#define PAWL_TEST_SIM_H

#include "worker/activation/activation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h> /* needs the three above */

/* When a program is kept where it waits: never, or (in a second build of the same tests) always. */
#ifndef SIM_KEEP_FROM
#define SIM_KEEP_FROM UINT64_MAX
#endif

struct sim {
    pawl_arena arena;
    pawl_activation *activation;
    pawl_activation_config config;
    pawl_record *records;
    size_t record_count, record_room;
    char *trace; /* grows; NUL-terminated */
    size_t trace_size;
    uint64_t now_unix_ns;
    pawl_run_result result; /* of the last run */
};

#define SIM_TIME(sequence) ((uint64_t)1000000000u + (sequence)) /* of a record */

/* type: one of the programs that the table dispatches to. Limits: 64 KiB a value, 100 open commands. */
void sim_open(struct sim *sim, const pawl_process_table *table, const char *type);
void sim_close(struct sim *sim);
/* A new, empty mirror over the same settings: the process was loaded again. The journal stays; nothing is fed. */
void sim_reload(struct sim *sim);
/* Feed the records of the journal that the mirror has not seen. */
void sim_feed_journal(struct sim *sim);

/* Append to the journal, feed, and trace. */
void sim_start(struct sim *sim, const char *input);
void sim_start_bytes(struct sim *sim, pawl_bytes input);
void sim_step(struct sim *sim, uint64_t ordinal, const char *result); /* of an open call */
void sim_step_failed(struct sim *sim, uint64_t ordinal, const char *code, const char *message);
void sim_step_of(struct sim *sim, uint64_t ordinal, const char *name, const char *input, const char *result);
void sim_intent(struct sim *sim, uint64_t ordinal, uint32_t attempt);
void sim_attempt(struct sim *sim, uint64_t ordinal, uint32_t attempt, const char *code, uint64_t due_unix_ns);
void sim_timer(struct sim *sim, uint64_t ordinal); /* of an open timer; due after its span from 0 */
void sim_fired(struct sim *sim, uint64_t ordinal);
void sim_signal(struct sim *sim, const char *name, const char *payload);
void sim_cancel(struct sim *sim, const char *reason);
void sim_entry(struct sim *sim, pawl_entry *entry);
/* Append to the journal without feeding. */
void sim_append(struct sim *sim, const pawl_entry *entry);
/* Feed one entry that is expected to be refused: the journal stays as it was. Returns the status. */
pawl_status sim_refused(struct sim *sim, const pawl_entry *entry, pawl_error *error);

/* Run, trace what came out, take a status document as stored, and feed the records it wants written. */
void sim_run(struct sim *sim);
/* Compare the whole trace, then begin a new one. */
void sim_expect(struct sim *sim, const char *expected);
void sim_note(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

pawl_open_call *sim_call(struct sim *sim, uint64_t ordinal); /* NULL: not open */
pawl_bytes sim_text(const char *text);
void sim_digest(pawl_bytes bytes, uint8_t ret[16]);

#endif
