/* fake_host_lacks.c: see fake_host_lacks.h. Each answers as a host that has nothing of the kind, or refuses. */
#include "fake_host_lacks.h"

#include "worker/base/error.h"

/* ---- sessions, attachments, handles: there are none ---- */

pawl_status pawl_host_session_list(pawl_host *host, const char *after, uint32_t limit, pawl_text *ret_json,
                                   pawl_error *error)
{
    (void)host;
    (void)after;
    (void)limit;
    (void)error;
    return fake_give(json_loads("{\"sessions\":[],\"next\":null}", 0, NULL), ret_json);
}

pawl_status pawl_host_session_show(pawl_host *host, const char *session, const char *prefix, const char *after,
                                   uint32_t limit, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)prefix;
    (void)after;
    (void)limit;
    (void)error;
    return fake_give(json_loads("{\"revision\":0,\"values\":[],\"next\":null}", 0, NULL), ret_json);
}

pawl_status pawl_host_session_get(pawl_host *host, const char *session, const char *key, pawl_text *ret_value,
                                  uint64_t *ret_revision, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)key;
    (void)ret_value;
    (void)ret_revision;
    return pawl_error_set(error, PAWL_E_NOT_FOUND, "unknown_key", "no such key");
}

pawl_status pawl_host_session_commit(pawl_host *host, const char *session, uint64_t expected_revision,
                                     const char *commit_key, const pawl_session_change *const *changes, size_t count,
                                     uint64_t *ret_revision, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)expected_revision;
    (void)commit_key;
    (void)changes;
    (void)count;
    (void)error;
    *ret_revision = 1;
    return PAWL_OK;
}

pawl_status pawl_host_session_delete(pawl_host *host, const char *session, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)error;
    return fake_give(json_object(), ret_json);
}

pawl_status pawl_host_session_release(pawl_host *host, const char *session, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)error;
    return fake_give(json_object(), ret_json);
}

pawl_status pawl_host_put(pawl_host *host, const pawl_put_options *options, pawl_put **ret, pawl_error *error)
{
    (void)host;
    (void)options;
    (void)ret;
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "fake", "not here");
}

pawl_status pawl_put_write(pawl_put *put, const void *data, size_t size, pawl_error *error)
{
    (void)put;
    (void)data;
    (void)size;
    (void)error;
    return PAWL_OK;
}

pawl_status pawl_put_commit(pawl_put *put, char reference[PAWL_REFERENCE_BYTES + 1], uint64_t *ret_size,
                            pawl_error *error)
{
    (void)put;
    (void)reference;
    (void)ret_size;
    (void)error;
    return PAWL_OK;
}

pawl_put *pawl_put_abort(pawl_put *put)
{
    (void)put;
    return NULL;
}

pawl_status pawl_host_attachment_read(pawl_host *host, const char *scope, const char *reference, uint64_t offset,
                                      uint64_t size, pawl_text *ret_bytes, uint64_t *ret_total, pawl_error *error)
{
    (void)host;
    (void)scope;
    (void)reference;
    (void)offset;
    (void)size;
    (void)ret_bytes;
    (void)ret_total;
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "fake", "not here");
}

pawl_status pawl_host_attachment_stat(pawl_host *host, const char *scope, const char *reference, pawl_text *ret_json,
                                      pawl_error *error)
{
    (void)host;
    (void)scope;
    (void)reference;
    (void)error;
    return fake_give(json_object(), ret_json);
}

pawl_status pawl_host_attachment_list(pawl_host *host, const char *scope, const char *after, uint32_t limit,
                                      pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)scope;
    (void)after;
    (void)limit;
    (void)error;
    return fake_give(json_object(), ret_json);
}

pawl_status pawl_host_attachment_share(pawl_host *host, const char *scope, const char *reference, const char *to,
                                       pawl_error *error)
{
    (void)host;
    (void)scope;
    (void)reference;
    (void)to;
    (void)error;
    return PAWL_OK;
}

pawl_status pawl_host_attachment_drop(pawl_host *host, const char *scope, const char *reference, pawl_error *error)
{
    (void)host;
    (void)scope;
    (void)reference;
    (void)error;
    return PAWL_OK;
}

pawl_status pawl_host_handle_list(pawl_host *host, const char *session, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)error;
    return fake_give(json_object(), ret_json);
}

pawl_status pawl_host_handle_grant(pawl_host *host, const char *session, const char *id, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)id;
    (void)error;
    return PAWL_OK;
}

pawl_status pawl_host_handle_revoke(pawl_host *host, const char *session, const char *id, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)id;
    (void)error;
    return PAWL_OK;
}

pawl_status pawl_host_handle_check(pawl_host *host, const char *session, const char *id, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)id;
    (void)error;
    return PAWL_OK;
}

pawl_status pawl_host_handle_transfer(pawl_host *host, const char *from, const char *to, const char *const *ids,
                                      size_t count, pawl_error *error)
{
    (void)host;
    (void)from;
    (void)to;
    (void)ids;
    (void)count;
    (void)error;
    return PAWL_OK;
}

/* ---- looking after stores: this one has none ---- */

static pawl_status not_offered(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "store.not_offered", "the store does not offer that");
}

pawl_status pawl_host_backup(pawl_host *host, const char *directory, pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)directory;
    (void)ret_json;
    return not_offered(error);
}

pawl_status pawl_care_backup(const pawl_host_options *options, const char *directory, pawl_text *ret_json,
                             pawl_error *error)
{
    (void)options;
    (void)directory;
    (void)ret_json;
    return not_offered(error);
}

pawl_status pawl_care_check(const pawl_host_options *options, uint32_t flags, pawl_on_finding found, void *context,
                            pawl_text *ret_json, pawl_error *error)
{
    (void)options;
    (void)flags;
    (void)found;
    (void)context;
    (void)ret_json;
    return not_offered(error);
}

pawl_status pawl_care_restore(const pawl_host_options *options, const char *directory, uint32_t flags,
                              pawl_on_finding found, void *context, pawl_text *ret_json, pawl_error *error)
{
    (void)options;
    (void)directory;
    (void)flags;
    (void)found;
    (void)context;
    (void)ret_json;
    return not_offered(error);
}

/* ---- events and queues: this host has none ---- */

static pawl_status no_events(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "fake.no_events", "this host has no events");
}

pawl_status pawl_host_append_event(pawl_host *host, const char *id, const pawl_event *event, pawl_event_appended *ret,
                                   pawl_error *error)
{
    (void)host;
    (void)id;
    (void)event;
    (void)ret;
    return no_events(error);
}

pawl_status pawl_host_events(pawl_host *host, const char *id, uint64_t after, const char *type, uint32_t limit,
                             pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)id;
    (void)after;
    (void)type;
    (void)limit;
    (void)ret_json;
    return no_events(error);
}

pawl_status pawl_host_wait_event_async(pawl_host *host, const char *id, const char *type, uint64_t after,
                                       pawl_on_outcome done, void *context, pawl_wait **ret, pawl_error *error)
{
    (void)host;
    (void)id;
    (void)type;
    (void)after;
    (void)done;
    (void)context;
    (void)ret;
    return no_events(error);
}

pawl_status pawl_host_queue_claim(pawl_host *host, const char *session, const pawl_queue_claim_options *options,
                                  pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)options;
    (void)ret_json;
    return no_events(error);
}

pawl_status pawl_host_queue_settle(pawl_host *host, const char *session, uint32_t action, uint64_t token,
                                   const uint64_t *items, size_t count, uint64_t delay_ns, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)action;
    (void)token;
    (void)items;
    (void)count;
    (void)delay_ns;
    return no_events(error);
}

pawl_status pawl_host_queue_list(pawl_host *host, const char *session, uint32_t dead, uint64_t after, uint32_t limit,
                                 pawl_text *ret_json, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)dead;
    (void)after;
    (void)limit;
    (void)ret_json;
    return no_events(error);
}

pawl_status pawl_host_queue_tend(pawl_host *host, const char *session, uint32_t action, const uint64_t *items,
                                 size_t count, uint64_t *ret_done, pawl_error *error)
{
    (void)host;
    (void)session;
    (void)action;
    (void)items;
    (void)count;
    (void)ret_done;
    return no_events(error);
}
