/* journal.h: what the worker writes inside journal records, and how it is read back. Owns the encoding of every record
 * body (kinds 1..63 and those of pawl_abi.h that the worker or host fill); the provider only numbers, times and stores.
 * Bodies are versioned: the first byte is PAWL_JOURNAL_VERSION; a newer one is refused, never guessed at. Pure data in,
 * data out. [any] */
#ifndef PAWL_JOURNAL_H
#define PAWL_JOURNAL_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>

#define PAWL_JOURNAL_VERSION 1u

/* Records the worker owns. `ordinal` is the place of a command in program order (1, 2, 3 ...), the `sequence` of an
 * idempotency key; it is not the record's sequence in the journal. */
enum {
    PAWL_RECORD_STEP = 1,      /* a call has ended: command and result in one */
    PAWL_RECORD_INTENT = 2,    /* a call that must not be repeated blindly is about to be attempted */
    PAWL_RECORD_ATTEMPT = 3,   /* an attempt failed and another is due */
    PAWL_RECORD_TIMER = 4,     /* a timer was set */
    PAWL_RECORD_FIRED = 5,     /* a timer fired */
    PAWL_RECORD_NOW = 6,       /* the clock was read */
    PAWL_RECORD_DEADLINE = 7,  /* a call with a deadline of its own was started: when that is */
    PAWL_RECORD_ROLLBACK = 20, /* a compensation was registered */
    PAWL_RECORD_MARKER = 21,   /* the program met a change of its code, and which version it lives by */
    PAWL_RECORD_OWNER = 31,    /* the worker session that alone may run an owner-bound process */
    PAWL_RECORD_PINNED = 40,   /* another version of its plugin has lived its journal again, and goes on with it */
    PAWL_RECORD_LIMITS = 30,   /* the program asked whether to continue as a new run: from when on it is told so */
};

/** What a child's registration holds for its parent, to be told with its end: where the parent started it. */
typedef struct pawl_child_note {
    uint32_t run;        /* of the parent */
    uint32_t generation; /* of the parent's steps, when it was restarted; 0: never */
    uint64_t ordinal;    /* of the command that started the child */
    uint32_t depth;      /* of the child in its tree; its topmost ancestor has 0 */
} pawl_child_note;
#define PAWL_CHILD_NOTE_MAX 32u /* bytes of an encoded one */

/** Encode a note; the bytes are in `to`. */
pawl_bytes pawl_child_note_encode(const pawl_child_note *note, uint8_t to[PAWL_CHILD_NOTE_MAX]);
/** Read one back. False: it is none. */
bool pawl_child_note_decode(pawl_bytes bytes, pawl_child_note *ret);

/** One decoded record. Members that a kind does not use are zero. Bytes point into the body it was decoded from. */
typedef struct pawl_entry {
    uint32_t kind;
    uint32_t attempt;      /* STEP (the last one), INTENT, ATTEMPT; DEADLINE: the one that may begin next */
    uint64_t sequence;     /* from the record */
    uint64_t time_unix_ns; /* from the record */
    uint64_t ordinal;      /* STEP, INTENT, ATTEMPT, TIMER, FIRED, NOW, DEADLINE, ROLLBACK; CHILD: as in its note;
                              REWOUND: the first that is done again */
    uint64_t of;           /* ROLLBACK: ordinal of the call that it undoes; 0: of none */
    pawl_bytes name; /* STEP, INTENT, ATTEMPT, DEADLINE, ROLLBACK: of the effect; SIGNAL: of the signal; MARKER: id of
                        the change; PINNED: of the plugin; UPDATE: of the update; REPLY: id of the update */
    uint8_t digest[16]; /* STEP, INTENT, ATTEMPT, DEADLINE, ROLLBACK: XXH3-128 of the input, canonical byte order */
    uint64_t
        due_unix_ns; /* TIMER: when it fires; DEADLINE: it; ATTEMPT: when the next attempt may begin; NOW: the value */
    uint64_t after_ns;    /* TIMER: the span asked for (checked on replay) */
    bool failed;          /* STEP, ATTEMPT and COMPENSATING (always), ENDED: failure counts, not value */
    pawl_bytes value;     /* STEP: result; STARTED, ROLLBACK: input; SIGNAL: payload; ENDED: output; CANCEL, RESUMED,
                             REWOUND: reason; PARKED: message */
    pawl_failure failure; /* when failed: klass, code, message, detail_json; PARKED: code; UPDATE: its id as code */
    /* EVENT: name is its type, value its payload, failure.code its key, status what it ends the process with, or 0 */
    uint32_t status; /* ENDED, CHILD, COMPENSATING (of the program): PAWL_COMPLETED ...; MARKER: the version; REWOUND: 1
                        when the cancel request before it still counts; PINNED: the revision, with the digest of the
                        binary as value */
    uint64_t limit_bytes, limit_records; /* LIMITS */
    pawl_child_note note;                /* CHILD: what its start said; value or failure are what it ended with */
} pawl_entry;

/** Encode an entry's body into the arena. The record's kind is entry->kind; sequence and time are the provider's.
 *  Errors: PAWL_E_NOMEM. */
pawl_status pawl_entry_encode(pawl_arena *arena, const pawl_entry *entry, pawl_bytes *ret_body);

/** Decode a record as the provider gives it. Errors: PAWL_E_CORRUPT (cut short, trailing bytes, bad lengths; the
 *  message names sequence, kind and what is wrong), PAWL_E_UNSUPPORTED (newer version or unknown kind). */
pawl_status pawl_entry_decode(const pawl_record *record, pawl_entry *ret_entry, pawl_error *error);

/** "step", "intent", "signal" ...; "unknown" for others. */
const char *pawl_record_name(uint32_t kind);

#endif
