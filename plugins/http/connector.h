/* connector.h: an instance of the HTTP connector: its checked configuration (read-only after its creation) and its
 * lanes. A lane is one transfer's worth of libcurl with the connections it keeps alive; a call takes one and gives it
 * back. Any number of calls may use an instance at once. Secrets stay inside: see pawl_http_redact. */
#ifndef PAWL_HTTP_CONNECTOR_H
#define PAWL_HTTP_CONNECTOR_H

#include "plugins/connector/call.h"

#include <curl/curl.h>
#include <pthread.h>

#define PAWL_HTTP_IDLE_LANES_MAX 64u
#define PAWL_HTTP_RANGES_MAX     32u

typedef struct pawl_http_lane {
    struct pawl_http_lane *next;
    CURLM *multi; /* owns the kept connections */
    CURL *easy;
} pawl_http_lane;

typedef struct pawl_http_range {
    long first, last;
} pawl_http_range;

struct pawl_connector {
    const pawl_core *core;
    char *name;
    json_t *config;        /* owned; texts below point into it */
    CURLU *base;           /* NULL: none, every input gives a url */
    const json_t *headers; /* may be NULL */
    char *authorization;   /* value of the header; NULL: none */
    const char *ca_file, *cert_file, *key_file;
    bool verify;
    const char *key_header; /* "" : no idempotency key is sent */
    const char *unix_socket;
    const char *proxy;
    bool allow_other_hosts;
    int redirects;
    long connect_timeout_ms;
    uint64_t timeout_ns; /* of a whole call; 0: only its deadline */
    uint64_t body_bytes_max;
    uint64_t saved_bytes_max;
    pawl_http_range success[PAWL_HTTP_RANGES_MAX];
    size_t success_count;
    json_t *secrets;      /* owned array of texts that must not be shown */
    pthread_mutex_t lock; /* guards idle and idle_count */
    pawl_http_lane *idle;
    size_t idle_count;
};

/** Read the configuration. [loader] */
pawl_status pawl_http_configure(pawl_connector *connector, pawl_bytes config, pawl_connector_error *error);
bool pawl_http_is_success(const pawl_connector *connector, long status);

/** A new text with every secret of the instance replaced; NULL: out of memory. */
char *pawl_http_redact(const pawl_connector *connector, const char *text);

/** Take an idle lane or make one; NULL: out of memory. */
pawl_http_lane *pawl_http_lane_take(pawl_connector *connector);
void pawl_http_lane_give(pawl_connector *connector, pawl_http_lane *lane);
/** Close what is idle; no call is running. [loader] */
void pawl_http_lanes_close(pawl_connector *connector);

#endif
