/* routes.c: the table of what can be asked (docs/api.md says what each takes and gives). */
#include "host/api/routes.h"

#include <stdio.h>
#include <string.h>

#include "worker/base/error.h"

static const char *const no_keys[] = {NULL};
static const char *const list_keys[] = {"status", "type",  "session",   "parent", "prefix", "limit", "after",
                                        "newest", "where", "documents", "plugin", "digest", NULL};
static const char *const count_keys[] = {"status", "type",  "session", "parent", "prefix",
                                         "where",  "limit", "plugin",  "digest", NULL};
static const char *const plugin_keys[] = {"limit", NULL};
static const char *const journal_keys[] = {"from", "limit", "whole", NULL};
static const char *const wait_keys[] = {"timeout_ms", NULL};
static const char *const ends_keys[] = {"type", "session", "prefix", "after", "heartbeat_ms", NULL};

static const char *const event_keys[] = {"after", "type", "limit", NULL};
static const char *const next_event_keys[] = {"after", "type", "timeout_ms", NULL};
static const char *const queue_keys[] = {"dead", "after", "limit", NULL};

static const char *const page_keys[] = {"after", "limit", NULL};
static const char *const put_keys[] = {"media_type", "name", "reference", "known_session", NULL};
static const char *const state_keys[] = {"prefix", "after", "limit", NULL};

static const pawl_route routes[] = {
    {"POST", "/v1/processes", pawl_route_start, no_keys, NULL},
    {"GET", "/v1/processes", pawl_route_list, list_keys, NULL},
    {"GET", "/v1/count", pawl_route_count, count_keys, NULL},
    {"GET", "/v1/processes/{id}", pawl_route_get, no_keys, NULL},
    {"GET", "/v1/processes/{id}/journal", pawl_route_journal, journal_keys, NULL},
    {"GET", "/v1/processes/{id}/wait", pawl_route_wait, wait_keys, NULL},
    {"POST", "/v1/processes/{id}/signals", pawl_route_signal, no_keys, NULL},
    {"POST", "/v1/processes/{id}/updates/{name}", pawl_route_update, no_keys, NULL},
    {"POST", "/v1/processes/{id}/cancel", pawl_route_cancel, no_keys, NULL},
    {"POST", "/v1/processes/{id}/terminate", pawl_route_terminate, no_keys, NULL},
    {"POST", "/v1/processes/{id}/resume", pawl_route_resume, no_keys, NULL},
    {"POST", "/v1/processes/{id}/pause", pawl_route_pause, no_keys, NULL},
    {"POST", "/v1/types/{id}/pause", pawl_route_pause, no_keys, NULL},
    {"POST", "/v1/types/{id}/resume", pawl_route_resume, no_keys, NULL},
    {"POST", "/v1/connectors/{id}/pause", pawl_route_pause, no_keys, NULL},
    {"POST", "/v1/connectors/{id}/resume", pawl_route_resume, no_keys, NULL},
    {"POST", "/v1/processes/{id}/restart", pawl_route_restart, no_keys, NULL},
    {"POST", "/v1/processes/{id}/complete", pawl_route_complete, no_keys, NULL},
    {"POST", "/v1/processes/{id}/events", pawl_route_append_event, no_keys, NULL},
    {"GET", "/v1/processes/{id}/events", pawl_route_events, event_keys, NULL},
    {"GET", "/v1/processes/{id}/events/next", pawl_route_next_event, next_event_keys, NULL},
    {"GET", "/v1/sessions/{id}/queue", pawl_route_queue, queue_keys, NULL},
    {"POST", "/v1/sessions/{id}/queue/claim", pawl_route_queue_claim, no_keys, NULL},
    {"POST", "/v1/sessions/{id}/queue/settle", pawl_route_queue_settle, no_keys, NULL},
    {"POST", "/v1/sessions/{id}/queue/redrive", pawl_route_queue_redrive, no_keys, NULL},
    {"POST", "/v1/sessions/{id}/queue/drop", pawl_route_queue_drop, no_keys, NULL},
    {"GET", "/v1/schedules", pawl_route_schedules, page_keys, NULL},
    {"GET", "/v1/schedules/{id}", pawl_route_schedule, no_keys, NULL},
    {"POST", "/v1/schedules/{id}", pawl_route_schedule_create, no_keys, NULL},
    {"POST", "/v1/schedules/{id}/pause", pawl_route_schedule_pause, no_keys, NULL},
    {"POST", "/v1/schedules/{id}/resume", pawl_route_schedule_resume, no_keys, NULL},
    {"POST", "/v1/schedules/{id}/trigger", pawl_route_schedule_trigger, no_keys, NULL},
    {"POST", "/v1/schedules/{id}/backfill", pawl_route_schedule_backfill, no_keys, NULL},
    {"POST", "/v1/schedules/{id}/delete", pawl_route_schedule_delete, no_keys, NULL},
    {"GET", "/v1/sessions", pawl_route_sessions, page_keys, NULL},
    {"GET", "/v1/sessions/{id}", pawl_route_session, state_keys, NULL},
    {"GET", "/v1/sessions/{id}/state/{key}", pawl_route_session_key, no_keys, NULL},
    {"POST", "/v1/sessions/{id}/commit", pawl_route_session_commit, no_keys, NULL},
    {"POST", "/v1/sessions/{id}/delete", pawl_route_session_delete, no_keys, NULL},
    {"POST", "/v1/sessions/{id}/release", pawl_route_session_release, no_keys, NULL},
    {"GET", "/v1/sessions/{id}/handles", pawl_route_handles, no_keys, NULL},
    {"POST", "/v1/sessions/{id}/handles", pawl_route_change_handles, no_keys, NULL},
    {"GET", "/v1/attachments/{scope}", pawl_route_attachments, page_keys, NULL},
    {"POST", "/v1/attachments/{scope}", pawl_route_attachment_put, put_keys, pawl_route_attachment_absorb},
    {"GET", "/v1/attachments/{scope}/{reference}", pawl_route_attachment_get, no_keys, NULL},
    {"GET", "/v1/attachments/{scope}/{reference}/facts", pawl_route_attachment_facts, no_keys, NULL},
    {"POST", "/v1/attachments/{scope}/{reference}/share", pawl_route_attachment_share, no_keys, NULL},
    {"POST", "/v1/attachments/{scope}/{reference}/drop", pawl_route_attachment_drop, no_keys, NULL},
    {"GET", "/v1/ends", pawl_route_ends, ends_keys, NULL},
    {"GET", "/v1/host", pawl_route_host, no_keys, NULL},
    {"GET", "/v1/plugins", pawl_route_plugins, plugin_keys, NULL},
    {"POST", "/v1/plugins/{id}/forget", pawl_route_forget_plugin, no_keys, NULL},
    {"GET", "/v1/health", pawl_route_health, no_keys, NULL},
    {"POST", "/v1/drain", pawl_route_drain, no_keys, NULL},
    {"POST", "/v1/prune", pawl_route_prune, no_keys, NULL},
    {"POST", "/v1/backup", pawl_route_backup, no_keys, NULL},
    {"GET", "/metrics", pawl_route_metrics, no_keys, NULL},
};

static bool path_matches(const char *pattern, const pawl_uri *uri)
{
    size_t i = 0;
    while (*pattern == '/') {
        pattern++;
        size_t size = strcspn(pattern, "/");
        if (i == uri->segment_count)
            return false;
        const char *segment = uri->segments[i++];
        bool any = pattern[0] == '{';
        if (!any && (strlen(segment) != size || memcmp(segment, pattern, size) != 0))
            return false;
        pattern += size;
    }
    return i == uri->segment_count;
}

static pawl_status check_query(const pawl_route *route, const pawl_uri *uri, pawl_error *error)
{
    for (size_t i = 0; i < uri->query_count; i++) {
        size_t k = 0;
        while (route->query_keys[k] != NULL && strcmp(route->query_keys[k], uri->query[i].key) != 0)
            k++;
        if (route->query_keys[k] != NULL)
            continue;
        char known[192] = "";
        for (k = 0; route->query_keys[k] != NULL; k++)
            snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", k > 0 ? ", " : "",
                     route->query_keys[k]);
        return pawl_error_set(error, PAWL_E_INVALID, "api.unknown_query", "%s has no query key \"%.64s\"; known: %s",
                              route->path, uri->query[i].key, known[0] == '\0' ? "none" : known);
    }
    return PAWL_OK;
}

pawl_status pawl_route_find(const char *method, const pawl_uri *uri, const pawl_route **ret, const char **allow,
                            pawl_error *error)
{
    bool get = false;
    bool post = false;
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!path_matches(routes[i].path, uri))
            continue;
        if (strcmp(method, routes[i].method) == 0) {
            *ret = &routes[i];
            return check_query(&routes[i], uri, error);
        }
        get = get || strcmp(routes[i].method, "GET") == 0;
        post = post || strcmp(routes[i].method, "POST") == 0;
    }
    if (!get && !post)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, "api.no_route", "no such path; docs/api.md lists them");
    *allow = get && post ? "GET, HEAD, POST" : get ? "GET, HEAD" : "POST";
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "api.method", "this path does not take %.16s; it takes %s", method,
                          *allow);
}
