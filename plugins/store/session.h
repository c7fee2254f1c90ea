/* session.h: the functions of the session facet; pawl_abi.h says what each does. [worker] */
#ifndef PAWL_STORE_SESSION_H
#define PAWL_STORE_SESSION_H

#include "store.h"

pawl_status pawl_store_session_commit(pawl_store *store, pawl_bytes session, uint64_t expected_revision,
                                      pawl_bytes commit_key, const pawl_session_change *const *changes, size_t count,
                                      uint64_t *revision, pawl_failure_sink *why);
pawl_status pawl_store_session_get(pawl_store *store, pawl_bytes session, pawl_bytes name, pawl_sink *value,
                                   uint64_t *revision, pawl_failure_sink *why);
pawl_status pawl_store_session_scan(pawl_store *store, pawl_bytes session, pawl_bytes prefix, pawl_session_visit visit,
                                    void *context, uint64_t *revision, pawl_failure_sink *why);
pawl_status pawl_store_session_remove(pawl_store *store, pawl_bytes session, pawl_failure_sink *why);
pawl_status pawl_store_session_list(pawl_store *store, pawl_bytes after, uint32_t limit, pawl_session_name_visit visit,
                                    void *context, pawl_failure_sink *why);

/** What guards read-check-write of a session and its queue. */
pthread_mutex_t *pawl_store_session_lock(pawl_store *store, pawl_bytes session);
/** The checks of a commit and its rows, under that lock. PAWL_SUSPEND: the commit key answers, and nothing is staged.
 */
pawl_status pawl_store_session_stage(pawl_store *store, const pawl_queue_settle *settle, pawl_batch *batch,
                                     uint64_t *revision, pawl_fault *fault);

#endif
