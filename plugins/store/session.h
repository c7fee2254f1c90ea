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

#endif
