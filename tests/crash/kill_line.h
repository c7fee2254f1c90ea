/* kill_line.h: what a child that will be killed tells the test that kills it, one line at a time through a pipe: what
 * it is about to do, and what the store has acknowledged. A line is smaller than PIPE_BUF, so it is there or it is not.
 */
#ifndef PAWL_TEST_CRASH_KILL_LINE_H
#define PAWL_TEST_CRASH_KILL_LINE_H

#include "pawl_abi.h"

#define KILL_PIPE       3 /* the child's end */
#define KILL_TYPES      2u
#define KILL_BODY_BYTES 48

enum { LINE_INTENT = 1, LINE_ACK, LINE_CLAIM, LINE_RELEASE, LINE_BEGIN };

/* How a child dies. FROM_OUTSIDE: the test kills it at some moment. The others: in the middle of its n-th call. */
enum {
    DIES_FROM_OUTSIDE,
    DIES_BEFORE_WRITE,
    DIES_HALFWAY,
    DIES_AFTER_WRITE,
    DIES_BEFORE_FLUSH,
    DIES_AFTER_FLUSH,
    DEATHS
};

typedef struct kill_line {
    uint32_t what;
    uint32_t op;      /* counts in one incarnation */
    uint32_t kind;    /* PAWL_OP_* */
    int32_t status;   /* ACK */
    uint32_t flags;   /* ACK: PAWL_RESULT_* */
    uint32_t records; /* of a commit */
    uint32_t record_kind;
    uint32_t ends_as;
    uint32_t external;
    uint32_t unused;
    uint64_t number;
    uint64_t token;
    uint64_t sequence;
    uint64_t wake_unix_ns;
    uint64_t seen;
    char id[32];
    char post_id[16];
} kill_line;

/** What a record of this operation holds. */
void kill_body(char body[KILL_BODY_BYTES], uint32_t incarnation, uint32_t op, uint32_t part, uint32_t parts);
void kill_fingerprint(uint8_t fingerprint[16], const char *a, const char *b);

/** Run random operations on a store until killed; never returns. */
_Noreturn void kill_child(int argc, char **argv);

/* ---- a host, as small as a store needs ---- */

struct pawl_failure_sink {
    char code[96];
    char message[800];
};
/** Gives completions to this function, on the store's thread. */
typedef void (*kill_completed)(pawl_registry_op *op);
const pawl_host_root *kill_host(kill_completed completed);
/** Open the store in this directory through the plugin's own entry; prints why not. */
pawl_store *kill_open(const char *directory, uint32_t sync, const pawl_storage_table **storage,
                      const pawl_registry_table **registry);

#endif
