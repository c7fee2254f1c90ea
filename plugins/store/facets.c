/* facets.c: the facet tables; see facets.h. */
#include "facets.h"

#include "artifact.h"
#include "attachment.h"
#include "registry.h"
#include "session.h"

const pawl_registry_table pawl_store_registry_table = {
    .struct_size = sizeof pawl_store_registry_table,
    .submit = store_submit,
    .unwatch = store_unwatch,
    .worker_open = store_worker_open,
    .heartbeat = store_heartbeat,
    .worker_close = store_worker_close,
    .claim = store_claim,
    .release = store_release,
    .tick = store_tick,
    .get = store_get,
    .journal = store_journal,
    .list = store_list,
    .count = store_count,
};

const pawl_session_table pawl_store_session_table = {
    .struct_size = sizeof pawl_store_session_table,
    .commit = store_session_commit,
    .get = store_session_get,
    .scan = store_session_scan,
    .remove = store_session_remove,
};

const pawl_attachment_table pawl_store_attachment_table = {
    .struct_size = sizeof pawl_store_attachment_table,
    .begin = store_upload_begin,
    .write = store_upload_write,
    .commit = store_upload_commit,
    .abort = store_upload_abort,
    .read = store_attachment_read,
    .stat = store_attachment_stat,
    .link = store_attachment_link,
    .unlink = store_attachment_unlink,
    .list = store_attachment_list,
    .collect = store_attachment_collect,
};

const pawl_artifact_table pawl_store_artifact_table = {
    .struct_size = sizeof pawl_store_artifact_table,
    .put = store_artifact_put,
    .get = store_artifact_get,
    .hold = store_artifact_hold,
    .release = store_artifact_release,
    .remove = store_artifact_remove,
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
    return NULL;
}
