/* facets.c: the facet tables; see facets.h. */
#include "facets.h"

#include "artifact.h"
#include "attachment.h"
#include "inbox.h"
#include "registry.h"
#include "session.h"

const pawl_registry_table pawl_store_registry_table = {
    .struct_size = sizeof pawl_store_registry_table,
    .features = PAWL_REGISTRY_ATTRIBUTES | PAWL_REGISTRY_ENDED | PAWL_REGISTRY_FORGETS | PAWL_REGISTRY_QUEUE_WAITS |
                PAWL_REGISTRY_POST_ALL,
    .ended = pawl_store_ended,
    .submit = pawl_store_submit,
    .unwatch = pawl_store_unwatch,
    .worker_open = pawl_store_worker_open,
    .heartbeat = pawl_store_heartbeat,
    .worker_close = pawl_store_worker_close,
    .claim = pawl_store_claim,
    .release = pawl_store_release,
    .tick = pawl_store_tick,
    .get = pawl_store_get,
    .journal = pawl_store_journal,
    .list = pawl_store_list,
    .count = pawl_store_count,
};

static const pawl_queue_table queue_table = {
    .struct_size = sizeof queue_table,
    .claim = pawl_store_inbox_claim,
    .settle = pawl_store_inbox_settle,
    .list = pawl_store_inbox_list,
    .tend = pawl_store_inbox_tend,
};

const pawl_session_table pawl_store_session_table = {
    .struct_size = sizeof pawl_store_session_table,
    .commit = pawl_store_session_commit,
    .get = pawl_store_session_get,
    .scan = pawl_store_session_scan,
    .remove = pawl_store_session_remove,
    .list = pawl_store_session_list,
};

const pawl_attachment_table pawl_store_attachment_table = {
    .struct_size = sizeof pawl_store_attachment_table,
    .begin = pawl_store_upload_begin,
    .write = pawl_store_upload_write,
    .commit = pawl_store_upload_commit,
    .abort = pawl_store_upload_abort,
    .read = pawl_store_attachment_read,
    .stat = pawl_store_attachment_stat,
    .link = pawl_store_attachment_link,
    .unlink = pawl_store_attachment_unlink,
    .list = pawl_store_attachment_list,
    .collect = pawl_store_attachment_collect,
};

const pawl_artifact_table pawl_store_artifact_table = {
    .struct_size = sizeof pawl_store_artifact_table,
    .put = pawl_store_artifact_put,
    .get = pawl_store_artifact_get,
    .hold = pawl_store_artifact_hold,
    .release = pawl_store_artifact_release,
    .remove = pawl_store_artifact_remove,
};

const void *pawl_store_facet(const char *factory_id)
{
    if (strcmp(factory_id, PAWL_FACTORY_REGISTRY) == 0)
        return &pawl_store_registry_table;
    if (strcmp(factory_id, PAWL_FACTORY_SESSION) == 0)
        return &pawl_store_session_table;
    if (strcmp(factory_id, PAWL_FACTORY_ATTACHMENT) == 0)
        return &pawl_store_attachment_table;
    if (strcmp(factory_id, PAWL_FACTORY_ARTIFACT) == 0)
        return &pawl_store_artifact_table;
    if (strcmp(factory_id, PAWL_FACTORY_QUEUE) == 0)
        return &queue_table;
    return NULL;
}
