/* program.h: running the real `pawl` program from a test: a directory with a profile, a server process, commands. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct place {
    char directory[128];
    char profile[160];
    pid_t server; /* 0: none */
    int server_log;
} place;

/** A directory with a profile: tier durable, one RocksDB store, the test's plugin, and these further lines. */
place *place_open(const char *more_lines);
/** Kills a server that is still there and removes everything. */
void place_close(place *at);
void place_write(const place *at, const char *name, const char *text);
/** Lines of a file, 0 when it is not there. */
int place_lines(const place *at, const char *name);

/** Start `pawl serve` and wait until it is ready. */
void server_start(place *at);
/** Send a signal to it. */
void server_signal(const place *at, int signal);
/** Wait until it has ended: its exit code, or minus the signal that killed it. */
int server_end(place *at);

typedef struct command {
    int exit_code;
    char out[16384];
    char err[16384];
} command;
/** Run `pawl WORDS...` in the directory, so that it finds pawl.yaml there. */
command run(const place *at, const char *const *words);
/** Run and check: exit code, and a part of what is printed (on either stream; NULL: anything). */
void expect_run(const place *at, int exit_code, const char *part, const char *const *words);
#define RUN(at, ...)                     run(at, (const char *const[]){__VA_ARGS__, NULL})
#define EXPECT(at, exit_code, part, ...) expect_run(at, exit_code, part, (const char *const[]){__VA_ARGS__, NULL})

/** Run until a part is printed, for at most 20 s. */
void await_run(const place *at, const char *part, const char *const *words);
#define AWAIT(at, part, ...) await_run(at, part, (const char *const[]){__VA_ARGS__, NULL})

#endif
