/* fixture.h: a small host for one store under test: clocks that a test sets, completions and events that it can wait
 * for, failure texts that it can read. Belongs to one test. */
#ifndef PAWL_TEST_STORE_FIXTURE_H
#define PAWL_TEST_STORE_FIXTURE_H

#include "plugins/store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those */
#include <cmocka.h>
#include <pthread.h>

#define EVENTS_MAX 4096

typedef struct sink {
    pawl_buffer bytes;
} sink;

typedef struct failure {
    char code[128];
    char message[1024];
} failure;

typedef struct seen_event {
    void *listener;
    uint32_t kind;
    uint64_t number;
    uint64_t token;
    uint64_t sequence;
    uint32_t record_kind;
} seen_event;

/* An engine around the real one: fails or holds writes on demand. */
typedef struct faulty_kv {
    pawl_kv base;
    pawl_kv *real;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pawl_status fail_with; /* for the next `failures` writes */
    int failures;
    bool fail_after; /* the write happens, and is reported as failed */
    bool gate;       /* writes wait while it is closed */
    bool gate_after; /* writes that are done wait before they say so */
    bool done_waits;
    int waiting;
    uint64_t writes;
    pawl_family interrupted;   /* before the next look into this family ... */
    void (*interrupt)(void *); /* ... this is called, once; NULL: nothing is */
    void *interrupt_context;
} faulty_kv;

typedef struct fixture {
    pawl_host_root root;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t mono_ns;
    uint64_t unix_ns;
    uint64_t completed_calls;
    uint64_t completed_ops;
    seen_event events[EVENTS_MAX];
    size_t event_count;
    uint64_t close_at_event; /* a worker session to close from inside the first event */
    uint64_t log_lines;
    char directory[64]; /* of a store on disk; "" in memory */
    const char *extra;  /* config keys, beginning with a comma */
    faulty_kv *kv;
    pawl_store *store;
} fixture;

extern const pawl_core test_core;

fixture *fixture_open(bool on_disk, const char *extra);
void fixture_close(fixture *f);
/** Close the store and open it again (on disk). */
void fixture_reopen(fixture *f);
void fixture_close_store(fixture *f);
void fixture_open_store(fixture *f);
void fixture_advance(fixture *f, uint64_t ns);

void fixture_submit(fixture *f, pawl_registry_op *op);
/** Several in one call: one round. */
void fixture_submit_all(fixture *f, pawl_registry_op **ops, size_t count);
void fixture_wait(fixture *f, pawl_registry_op *op);
bool fixture_is_done(fixture *f, const pawl_registry_op *op);
pawl_status fixture_run(fixture *f, pawl_registry_op *op);
/** Wait for an event; fails the test when it does not come. */
seen_event fixture_event(fixture *f, uint32_t kind, uint64_t number);
size_t fixture_count_events(fixture *f, uint32_t kind);

void fixture_fail_writes(fixture *f, int count, pawl_status status);
void fixture_gate(fixture *f, bool closed);
void fixture_await_gated(fixture *f); /**< until a write waits at the gate */
/** Close or open the gate behind a write; closing waits for nothing. */
void fixture_gate_after(fixture *f, bool closed);
void fixture_await_gated_after(fixture *f);
uint64_t fixture_writes(fixture *f);

/* ---- shorthands ---- */

#define BYTES(text) ((pawl_bytes){text, sizeof(text) - 1})
extern const pawl_bytes fingerprint_1;
extern const pawl_bytes fingerprint_2;

typedef struct row {
    uint32_t status;
    uint64_t number;
    uint64_t head;
    uint64_t journal_bytes;
    uint64_t token;
    uint64_t wake_unix_ns;
    uint64_t claims;
    uint64_t lease_left_ns;
    uint32_t cancelled;
    char id[257];
    char type[257];
    char worker[257];
    char reason[257];
    char reason_code[257];
    char outcome[257];
    char document[257];
} row;

pawl_status do_register(fixture *f, const char *id, const char *type, uint64_t *number);
pawl_status do_post(fixture *f, const char *id, uint32_t kind, const char *post_id, uint64_t *sequence,
                    uint32_t *flags);
pawl_status do_end(fixture *f, const char *id, const char *post_id, uint32_t status, uint32_t force);
pawl_status do_append(fixture *f, const row *lease, const char *body, uint64_t *sequence);
pawl_status do_suspend(fixture *f, const row *lease, uint64_t seen, uint64_t wake, uint32_t *flags);
pawl_status do_complete(fixture *f, const row *lease, uint64_t seen, uint32_t status, uint32_t *flags);
pawl_status do_park(fixture *f, const row *lease, uint64_t seen);
uint64_t do_prune(fixture *f, uint64_t before, uint32_t limit);
uint64_t do_worker(fixture *f, const char *name, uint64_t ttl_ns, void *listener);
/** Claim up to limit of one type. @return how many */
size_t do_claim(fixture *f, uint64_t session, const char *type, row *rows, uint32_t limit);
pawl_status do_claim_id(fixture *f, uint64_t session, const char *id, row *got, failure *why);
pawl_status do_get(fixture *f, const char *id, row *got, failure *why);
uint64_t do_journal_length(fixture *f, uint64_t number);
void assert_counts(fixture *f, uint64_t ready, uint64_t running, uint64_t waiting, uint64_t stuck, uint64_t ended);

#endif
