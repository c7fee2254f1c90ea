/* view.h: reading a store in tests: rows, journals, pages and one text of everything, and claims.
 *
 * Visitors only copy; nothing here asserts, so that it may be used from any thread. Failures of the last call made by
 * the test's own thread are in world->why (the _with forms take a sink of their own, for other threads).
 */
#ifndef PAWL_CONFORMANCE_VIEW_H
#define PAWL_CONFORMANCE_VIEW_H

#include "world.h"

/* A copy of bytes: the whole size and a hash of all, and the beginning as NUL-terminated text. */
struct text {
    size_t size;
    uint64_t hash;
    char head[260];
};

struct row {
    uint32_t status;
    uint64_t number;
    struct text id, type, plugin, digest, profile, session, parent, reason_code, reason, document, outcome, worker;
    uint32_t revision, run, external, cancelled;
    uint64_t paused_unix_ns;
    struct text paused;
    struct text parent_note, key;
    uint32_t parent_close, priority, rewinds;
    uint64_t deadline_unix_ns;
    uint64_t token, head, journal_bytes, created_unix_ns, updated_unix_ns, wake_unix_ns, lease_left_ns, claims, base;
};

struct entry {
    uint32_t kind;
    uint64_t sequence;
    uint64_t time_unix_ns;
    struct text body;
};

void text_copy(struct text *to, pawl_bytes from);
uint64_t bytes_hash(pawl_bytes bytes);
void row_copy(struct row *to, const pawl_process_row *from);

/** get(). row is zeroed when there is none. */
pawl_status row_get(struct world *world, const char *id, struct row *row);
/** get() that must succeed, for a test's thread. */
struct row row_of(struct world *world, const char *id);
/** One page of list(). @return how many rows; *next: cursor; *status may be NULL */
size_t rows_list(struct world *world, const pawl_list *list, struct row *rows, size_t capacity, uint64_t *next,
                 pawl_status *status);
/** All pages of list(), page_size rows each. @return how many there are (the first capacity are copied) */
size_t rows_all(struct world *world, pawl_list list, uint32_t page_size, struct row *rows, size_t capacity);
/** journal(). @return how many records; *status may be NULL */
size_t journal_read(struct world *world, uint64_t number, uint64_t from, uint64_t limit, struct entry *entries,
                    size_t capacity, pawl_status *status);

/** claim() by id; row->number is 0 when nothing was claimed. */
pawl_status claim_id(struct world *world, uint64_t session, const char *id, struct row *row);
/** claim() by one type. @return how many */
size_t claim_type(struct world *world, uint64_t session, const char *type, uint32_t limit, struct row *rows);
/** claim() by types with a limit for each (NULL: none), for any thread. */
size_t claim_types_within(struct world *world, uint64_t session, const pawl_bytes *types,
                          const pawl_type_limits *const *limits, size_t type_count, uint32_t limit, struct row *rows,
                          pawl_status *status, pawl_failure_sink *why);
/** claim() by types, for any thread. */
size_t claim_types_with(struct world *world, uint64_t session, const pawl_bytes *types, size_t type_count,
                        uint32_t limit, struct row *rows, pawl_status *status, pawl_failure_sink *why);

/** Everything durable as text, one line a fact. What a closed store may forget (leases, claims) is left out. Also
 *  notes a violation when count() and list() disagree. The caller frees it. */
char *view_dump(struct world *world);
void view_print_difference(const char *before, const char *after);

#endif
