/* child.h: what process code says about a child it starts, as the input of the command that starts it. Owns that
 * encoding (which the journal knows by its digest alone), the id a child gets when none was chosen, and what its
 * registration holds for the day on which its parent ends. Pure data in, data out. [any] */
#ifndef PAWL_CHILD_H
#define PAWL_CHILD_H

#include "journal.h"

/** The names under which the starts of children stand in a journal. No effect can have them. */
#define PAWL_CHILD_CALL          "pawl.child"
#define PAWL_CHILD_DETACHED_CALL "pawl.child.detached"
/** Names of calls that begin so are Pawl's own; of these, some families are effects that process code may call. */
#define PAWL_OWN_CALLS        "pawl."
#define PAWL_SESSION_CALLS    "pawl.session."
#define PAWL_ATTACHMENT_CALLS "pawl.attachment."
#define PAWL_EVENT_CALLS      "pawl.event."
#define PAWL_QUEUE_CALLS      "pawl.queue."
#define PAWL_SCHEDULE_CALLS   "pawl.schedule." /* they act for schedules alone */

#define PAWL_CHILD_ID_BYTES_MAX      256u
#define PAWL_CHILD_SESSION_BYTES_MAX 256u
#define PAWL_CHILD_KEY_BYTES_MAX     256u
#define PAWL_CHILD_DEPTH_MAX         64u /* of a tree of processes, its topmost one not counted */

/** One start. Bytes point into what it was decoded from. */
typedef struct pawl_child_request {
    uint32_t flags;        /* PAWL_CHILD_* */
    uint32_t parent_close; /* PAWL_CLOSE_* */
    pawl_bytes id;         /* never empty */
    uint32_t priority;     /* PAWL_PRIORITY_*; 0: the parent's */
    pawl_bytes key;        /* empty: the parent's */
    pawl_bytes session;    /* that it will belong to; empty: none */
    pawl_bytes type;
    pawl_bytes input;
    uint64_t deadline_ns; /* from its start; 0: none */
} pawl_child_request;

/** Encode into the arena. Errors: PAWL_E_NOMEM. */
pawl_status pawl_child_request_encode(pawl_arena *arena, const pawl_child_request *request, pawl_bytes *ret);
/** False: these bytes are no request. */
bool pawl_child_request_decode(pawl_bytes bytes, pawl_child_request *ret);

/** The id of a child for which none was chosen: "<parent>/<run>/<ordinal>", with "~<generation>" behind the run when it
 *  is not 0; a parent's id with which that would be too long is replaced by "~" and its hash.
 *  @return its size */
size_t pawl_child_make_id(pawl_bytes parent, const pawl_child_note *note, char to[PAWL_CHILD_ID_BYTES_MAX + 1]);

/** The body of the record that closes a child whose parent has ended: of a CANCEL record, or of ENDED for a policy that
 *  ends it. Nothing for one that goes on. Errors: PAWL_E_NOMEM. */
/** What is posted to a process when its deadline passes: the body of a CANCEL record, or, of an external one, of an
 *  ENDED record. */
pawl_status pawl_deadline_body(pawl_arena *arena, bool external, pawl_bytes *ret);
pawl_status pawl_child_close_body(pawl_arena *arena, uint32_t parent_close, pawl_bytes *ret);

/** What the parent's code sees of a child that ended otherwise than completed: the child's own code; message and detail
 *  name the child and how it ended. Bytes are in the arena. Errors: PAWL_E_NOMEM. */
pawl_status pawl_child_failure(pawl_arena *arena, pawl_bytes id, uint32_t status, const pawl_failure *of_child,
                               pawl_failure *ret);

#endif
