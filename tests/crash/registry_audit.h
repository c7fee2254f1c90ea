/* registry_audit.h: a registry's directory read row by row, with nothing of the registry's own code path in between but
 * the decoding of a row: does every index, counter and journal agree with every header? Must be closed before the store
 * is opened. The test's thread only. */
#ifndef PAWL_TEST_CRASH_REGISTRY_AUDIT_H
#define PAWL_TEST_CRASH_REGISTRY_AUDIT_H

#include "plugins/store/row.h"

typedef struct audit_process {
    uint64_t number;
    char id[32];
    pawl_store_state state;
    uint32_t type;
    bool external;
    bool has_session;
} audit_process;

typedef struct audit {
    pawl_kv *kv;
    audit_process *processes; /* by number */
    size_t count;
    size_t pruned;         /* tombstones */
    uint64_t posts[128];   /* rows of the post family by record kind */
    uint64_t records[128]; /* journal records by kind */
    char problems[8192];   /* one line each; "" when all agrees */
} audit;

/** Read everything. NULL: the directory cannot be opened; the reason is printed. */
audit *audit_open(const char *path);
/** NULL is allowed. */
void audit_close(audit *own);

/** NULL when there is none. */
const audit_process *audit_find(const audit *own, const char *id);
/** Was it pruned: is its id known as "no longer retained"? */
bool audit_is_pruned(audit *own, const char *id);
/** The body of a record as text; false when there is no such record. */
bool audit_record(audit *own, uint64_t number, uint64_t sequence, uint32_t *kind, char *body, size_t size);

#endif
