/* handles_internal.h: what handles.c and session_delete.c share: reading and changing the session in
 * which handles are kept. Used under the lock of pawl_handles alone. */
#ifndef PAWL_HOST_HANDLES_INTERNAL_H
#define PAWL_HOST_HANDLES_INTERNAL_H

#include "host/host_internal.h"

#include "seam/handle_key.h"
#include "worker/base/sink.h"

#define PAWL_HANDLES_SESSION     PAWL_HANDLE_SESSION
#define PAWL_HANDLES_KEY_ROOM    640u
#define PAWL_HANDLES_NAME_ROOM   (PAWL_ID_BYTES_MAX + 1)
#define PAWL_HANDLES_SLICE       500u
#define PAWL_HANDLES_CHANGES_MAX 4000u

/** The second names of all keys with a prefix, up to a limit. */
typedef struct pawl_handles_names {
    size_t skip;
    size_t limit;
    size_t count;
    char (*items)[PAWL_HANDLES_NAME_ROOM];
} pawl_handles_names;

/** Changes that are made together. */
typedef struct pawl_handles_changes {
    size_t count;
    pawl_session_change changes[PAWL_HANDLES_CHANGES_MAX];
    const pawl_session_change *list[PAWL_HANDLES_CHANGES_MAX];
    char keys[PAWL_HANDLES_CHANGES_MAX][PAWL_HANDLES_KEY_ROOM];
} pawl_handles_changes;

typedef struct pawl_handles_asked {
    pawl_arena arena;
    pawl_process_row row;
    pawl_handles_changes *changes;
} pawl_handles_asked;

/** The error of a call of the session facet, whose slot is finished. Returns the status. */
pawl_status pawl_handles_told(pawl_failure_slot *why, pawl_status status, pawl_error *error);
void pawl_handles_key(char key[PAWL_HANDLES_KEY_ROOM], char tag, const char *first, const char *second);
/** items is the caller's to free, NULL on failure. */
pawl_status pawl_handles_gather(pawl_host *host, const char *prefix, size_t limit, pawl_handles_names *ret,
                                pawl_error *error);
void pawl_handles_add(pawl_handles_changes *own, bool put, char tag, const char *first, const char *second);
/** Make them, all or none, and begin with none. */
pawl_status pawl_handles_commit(pawl_host *host, pawl_handles_changes *own, pawl_error *error);
bool pawl_handles_belongs(const pawl_process_row *row, const char *session);
/** Does anybody but this session hold it? What belongs to no session is the operator's. */
pawl_status pawl_handles_others_hold(pawl_host *host, const char *session, const char *id, const pawl_process_row *row,
                                     bool *ret, pawl_error *error);
void pawl_handles_add_revoke(pawl_handles_changes *own, const char *session, const char *id, bool belongs);
/** Check what a caller names, and read the process (id NULL: none). To be finished in any case. */
pawl_status pawl_handles_ask(pawl_host *host, const char *session, const char *id, pawl_handles_asked *own,
                             pawl_error *error);
void pawl_handles_asked_finish(pawl_handles_asked *own);
/** Nothing may be started in the session from here to there. */
pawl_status pawl_handles_begin_deletion(pawl_host *host, const char *session, pawl_error *error);
void pawl_handles_end_deletion(pawl_host *host, const char *session);

#endif
