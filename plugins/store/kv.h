/* kv.h: the seam between what a store means and where its rows are: a small ordered key-value engine. An engine keeps
 * rows; it knows nothing of processes, sessions or blobs, and never interprets a key or a value.
 *
 * Rows that are to survive are sealed: [format u8][fields][XXH3 of them, seeded by family and key, u64]. Sealing and
 * checking happen on this side of the seam, so that no engine and no device is trusted with it.
 *
 * Threads: an engine's functions may be called from any thread at once; a cursor and a batch belong to one thread. */
#ifndef PAWL_STORE_KV_H
#define PAWL_STORE_KV_H

#include "bytes.h"
#include "fault.h"

#include <jansson.h>

/** Each family is a key space of its own. The numbers are stored nowhere; the names (pawl_family_name) are. */
typedef enum pawl_family {
    PAWL_FAMILY_META,       /* "format", "epoch", "counters", "type" and number -> name */
    PAWL_FAMILY_IDENT,      /* process id -> number, or tombstone of a pruned one */
    PAWL_FAMILY_PROCESS,    /* number -> header */
    PAWL_FAMILY_JOURNAL,    /* number, sequence -> record */
    PAWL_FAMILY_READY,      /* type, priority, key's hash, ready sequence -> number: "ready, or leased in memory" */
    PAWL_FAMILY_WAKE,       /* type, due, number -> nothing */
    PAWL_FAMILY_POST,       /* number, kind, post id -> sequence, fingerprint */
    PAWL_FAMILY_STATUS,     /* status, number -> nothing */
    PAWL_FAMILY_RELATION,   /* 's'|'p'|'t'|'o'|'d', hash of session, hash of parent, type, 0 or deadline, number;
                               'a', name of a search attribute, kind, value, number -> nothing;
                               'z', end of a pruned process, its number -> its id */
    PAWL_FAMILY_ENDED,      /* end time, number -> nothing */
    PAWL_FAMILY_DOCUMENT,   /* number -> status document; number, 'a' -> search attributes */
    PAWL_FAMILY_SESSION,    /* session, 0 -> revision; session, 1, key -> value */
    PAWL_FAMILY_COMMIT_KEY, /* session, commit key -> revision, fingerprint */
    PAWL_FAMILY_ATTACHMENT, /* 'd', digest -> blob; 'u', blob -> when the upload began;
                               'g', since when, digest -> nothing: no scope links it */
    PAWL_FAMILY_LINK,       /* 's', scope, digest -> media type, name; 'd', digest, scope -> nothing */
    PAWL_FAMILY_CHUNK,      /* blob, index -> bytes */
    PAWL_FAMILY_ARTIFACT,   /* digest -> facts; digest, index -> bytes */
    PAWL_FAMILY_HOLDER,     /* digest, holder -> nothing */
    PAWL_FAMILY_INBOX,      /* 'i', session, item -> what an event delivered; 'c', likewise -> who has it; 'x': dead */
    PAWL_FAMILY_DELIVERY,   /* number, session, event type, key -> item: delivered once */
    PAWL_FAMILY_TURN,       /* hash of session -> number whose turn it is; hash, number -> nothing: it waits */
    PAWL_FAMILY_COUNT
} pawl_family;

const char *pawl_family_name(pawl_family family);

/* ---- batches: what one write does, in order, all or nothing ---- */

#define PAWL_BATCH_PUT          1u
#define PAWL_BATCH_DELETE       2u
#define PAWL_BATCH_DELETE_RANGE 3u /* value is the first key not deleted */

typedef struct pawl_batch {
    pawl_buffer bytes;
    size_t count;
    size_t open; /* where the unfinished put starts */
} pawl_batch;

typedef struct pawl_batch_item {
    pawl_family family;
    uint32_t kind;
    pawl_bytes key;
    pawl_bytes value;
} pawl_batch_item;

/** Begin a sealed row: append its fields to batch->bytes, then end it. */
void pawl_batch_begin(pawl_batch *batch, pawl_family family, pawl_bytes key);
void pawl_batch_end(pawl_batch *batch);
/** A sealed row without fields. */
void pawl_batch_mark(pawl_batch *batch, pawl_family family, pawl_bytes key);
void pawl_batch_delete(pawl_batch *batch, pawl_family family, pawl_bytes key);
void pawl_batch_delete_range(pawl_batch *batch, pawl_family family, pawl_bytes from, pawl_bytes to);
/** Walk the batch; *position starts at 0. @return false at the end */
bool pawl_batch_next(const pawl_batch *batch, size_t *position, pawl_batch_item *item);
void pawl_batch_clear(pawl_batch *batch);
void pawl_batch_finish(pawl_batch *batch);

/** Check the seal of a stored row and read its fields. PAWL_E_CORRUPT names family and key. */
pawl_status pawl_row_open(pawl_reader *reader, pawl_family family, pawl_bytes key, pawl_bytes value, pawl_fault *fault);
/** What to say of a row whose seal is right and whose fields are not. */
pawl_status pawl_row_bad(pawl_family family, pawl_bytes key, const char *what, pawl_fault *fault);

/* ---- the engine ---- */

typedef struct pawl_kv pawl_kv;

/** A position in one family, over a snapshot of it taken when the cursor was opened. Engines put it first in their
 *  own struct. key and value are valid until the next move. */
typedef struct pawl_kv_cursor {
    const struct pawl_kv_table *table;
    bool valid;
    pawl_bytes key;
    pawl_bytes value;
} pawl_kv_cursor;

typedef struct pawl_kv_table {
    /** The value of a key, appended to a cleared buffer. PAWL_E_NOT_FOUND leaves the fault empty. */
    pawl_status (*get)(pawl_kv *kv, pawl_family family, pawl_bytes key, pawl_buffer *value, pawl_fault *fault);
    /** A cursor over [lower, upper); an empty upper has no end. The bounds are copied. NULL: out of memory. */
    pawl_kv_cursor *(*cursor_open)(pawl_kv *kv, pawl_family family, pawl_bytes lower, pawl_bytes upper);
    /** Moves make the cursor invalid at the end, or when reading failed: cursor_status tells which. */
    void (*cursor_seek)(pawl_kv_cursor *cursor, pawl_bytes key); /**< the first at or behind key */
    void (*cursor_last)(pawl_kv_cursor *cursor);
    void (*cursor_before)(pawl_kv_cursor *cursor, pawl_bytes key); /**< the last in front of key */
    void (*cursor_next)(pawl_kv_cursor *cursor);
    void (*cursor_previous)(pawl_kv_cursor *cursor);
    pawl_status (*cursor_status)(pawl_kv_cursor *cursor, pawl_fault *fault);
    void (*cursor_close)(pawl_kv_cursor *cursor);
    /** All of the batch or nothing. sync: on the device (as the engine's configuration has it) before it returns; every
     *  write of a store wants that, for of several that were not flushed a power failure may keep the later ones alone.
     *  PAWL_E_FULL when there is no space, PAWL_E_IO otherwise; the engine can be written to again afterwards. */
    pawl_status (*write)(pawl_kv *kv, const pawl_batch *batch, bool sync, pawl_fault *fault);
    /** Copy every row written so far into a directory that is not there yet, while writing goes on; NULL: an engine
     *  without files. */
    pawl_status (*checkpoint)(pawl_kv *kv, const char *directory, pawl_fault *fault);
    /** Facts for an operator, added to an object. */
    void (*describe)(pawl_kv *kv, json_t *facts);
    void (*close)(pawl_kv *kv);
} pawl_kv_table;

struct pawl_kv {
    const pawl_kv_table *table;
    char notice[512]; /**< what opening found and mended that somebody should hear of; "" when nothing */
};

static inline pawl_status pawl_kv_get(pawl_kv *kv, pawl_family family, pawl_bytes key, pawl_buffer *value,
                                      pawl_fault *fault)
{
    return kv->table->get(kv, family, key, value, fault);
}

static inline pawl_kv_cursor *pawl_kv_cursor_open(pawl_kv *kv, pawl_family family, pawl_bytes lower, pawl_bytes upper)
{
    return kv->table->cursor_open(kv, family, lower, upper);
}

/** A cursor over every key that starts with this prefix. */
pawl_kv_cursor *pawl_kv_cursor_prefix(pawl_kv *kv, pawl_family family, const pawl_key *prefix);

static inline void pawl_kv_cursor_seek(pawl_kv_cursor *cursor, pawl_bytes key)
{
    cursor->table->cursor_seek(cursor, key);
}

static inline void pawl_kv_cursor_last(pawl_kv_cursor *cursor)
{
    cursor->table->cursor_last(cursor);
}

static inline void pawl_kv_cursor_before(pawl_kv_cursor *cursor, pawl_bytes key)
{
    cursor->table->cursor_before(cursor, key);
}

static inline void pawl_kv_cursor_next(pawl_kv_cursor *cursor)
{
    cursor->table->cursor_next(cursor);
}

static inline void pawl_kv_cursor_previous(pawl_kv_cursor *cursor)
{
    cursor->table->cursor_previous(cursor);
}

static inline pawl_status pawl_kv_cursor_status(pawl_kv_cursor *cursor, pawl_fault *fault)
{
    return cursor->table->cursor_status(cursor, fault);
}

/** NULL is allowed. */
static inline void pawl_kv_cursor_close(pawl_kv_cursor *cursor)
{
    if (cursor != NULL)
        cursor->table->cursor_close(cursor);
}

static inline pawl_status pawl_kv_write(pawl_kv *kv, const pawl_batch *batch, bool sync, pawl_fault *fault)
{
    return kv->table->write(kv, batch, sync, fault);
}

#endif
