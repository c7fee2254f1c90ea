/* yard.h: a place where a real `pawl serve` runs, is talked to and is killed: a directory with a profile, the server's
 * process, and what the probe plugin leaves behind (probe_plugin.c). Owns the directory and every process it starts;
 * both are gone after yard_close, whatever happened between. Everything fails the running test when it cannot be done.
 */
#ifndef SERVE_YARD_H
#define SERVE_YARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#define YARD_PATIENCE_S 60 /* how long anything may take before a test gives up */

typedef struct yard {
    char directory[100];
    char profile[128]; /* the one that yard_serve uses */
    char socket[128];
    pid_t server; /* 0: none */
    int at;       /* the fifo that holding effects write to */
} yard;

/* ---- the place ----------------------------------------------------------------------------------------------------
 */

/** A directory, and in it pawl.yaml: tier durable, RocksDB, the probe plugin, and these further lines. */
yard *yard_open(const char *more_lines);
/** Kills what still runs and removes everything. Returns NULL; NULL is allowed. */
yard *yard_close(yard *y);
/** Write a file in the directory from a format. */
void yard_write(const yard *y, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** A path in the directory; room is at least 256. */
void yard_path(const yard *y, const char *name, char *path);
bool yard_has(const yard *y, const char *name);

/* ---- the server ----------------------------------------------------------------------------------------------------
 */

/** Start `pawl serve` with these further arguments (NULL-terminated; NULL: none), and wait until it is ready. */
void yard_serve(yard *y, const char *const *arguments);
#define YARD_SERVE(y, ...) yard_serve(y, (const char *const[]){__VA_ARGS__, NULL})
/** The same, but it may end before it is ready; then it is waited for, and this is false. */
bool yard_try_serve(yard *y);
/** Send it a signal. */
void yard_signal(const yard *y, int signal);
/** Wait until it has ended: its exit code, or minus the signal that ended it. */
int yard_end(yard *y);
/** SIGKILL, and wait for its end. */
void yard_kill(yard *y);
/** SIGTERM, and it must end with 0. */
void yard_stop(yard *y);

/* ---- holding effects ------------------------------------------------------------------------------------------------
 */

/** Wait until this many effects have come to their hold (since the last call). */
void yard_await_held(yard *y, int count);
/** Let the held ones go on, and all later ones pass. */
void yard_open_gate(const yard *y);
void yard_shut_gate(const yard *y);

/* ---- the API (api.c) ------------------------------------------------------------------------------------------------
 */

/** One request. body is taken over and may be NULL. *ret_answer (may be NULL) is a new reference or NULL.
 *  Returns the HTTP status, 0 when nobody answered. */
long api_call(const yard *y, const char *method, const char *path, json_t *body, json_t **ret_answer);
/** The same about one process: /v1/processes/ID + tail. */
long api_process(const yard *y, const char *method, const char *id, const char *tail, json_t *body,
                 json_t **ret_answer);
/** Start a process with a plan; it must be accepted. */
void api_start(const yard *y, const char *type, const char *id, const char *plan);
/** Send a signal; it must be accepted. Returns whether it had been sent before. */
bool api_signal(const yard *y, const char *id, const char *name, const char *payload, const char *signal_id);
/** Wait until a process has this status. */
void api_await_status(const yard *y, const char *id, const char *status);
/** Wait for the end of a process; the outcome is a new reference. */
json_t *api_outcome(const yard *y, const char *id);
/** Wait for the end, which must be this status. */
void api_expect_end(const yard *y, const char *id, const char *status);
/** All records of a process; a new reference to an array. */
json_t *api_journal(const yard *y, const char *id);
/** How many records of a kind ("step"; NULL: any) and name (NULL: any) a journal has. */
size_t api_records(const json_t *journal, const char *kind, const char *name);
/** How many processes have a status, by the host's own count. */
json_int_t api_count(const yard *y, const char *status);
/** A number of the worker, by name. */
json_int_t api_worker_number(const yard *y, const char *name);
/** Wait until so many processes have ended in whatever way. */
void api_await_ended(const yard *y, json_int_t count);

/* ---- the program (yard.c) -------------------------------------------------------------------------------------------
 */

typedef struct command {
    int exit_code;
    char out[32768];
    char err[16384];
} command;
/** Run `pawl WORDS...` in the directory, so that it finds pawl.yaml there. */
void yard_run(const yard *y, command *ret, const char *const *words);
/** Run and check the exit code and that a part of what is printed is there (on either stream; NULL: anything). */
void yard_expect(const yard *y, int exit_code, const char *part, const char *const *words);
#define YARD_EXPECT(y, exit_code, part, ...) yard_expect(y, exit_code, part, (const char *const[]){__VA_ARGS__, NULL})

/* ---- time
 * ------------------------------------------------------------------------------------------------------------ */

double seconds_now(void);
/** A short pause between two looks at a condition. */
void look_again_soon(void);
/** Let time pass, where time itself is what a test is about (a lease that must expire, a kill at a random moment). */
void let_pass_ms(unsigned ms);

#endif
