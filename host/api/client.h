/* client.h: asking a `pawl serve` over its socket. Owns one connection, kept open between calls; one thread at a time
 * per client. Knows paths and JSON, not what they mean: a command puts its question together and reads the answer. */
#ifndef PAWL_API_CLIENT_H
#define PAWL_API_CLIENT_H

#include <jansson.h>
#include <pawl/error.h>
#include <stdbool.h>

typedef struct pawl_client pawl_client;

/** A client for the server at a socket. profile: its name or path, for messages; may be NULL. Connects on first use. */
pawl_status pawl_client_open(const char *socket_path, const char *profile, pawl_client **ret, pawl_error *error);
/** NULL allowed; returns NULL. */
pawl_client *pawl_client_close(pawl_client *client);

typedef struct pawl_client_reply {
    long http_status; /* 2xx */
    char *text;       /* the body, NUL-terminated, never NULL */
    size_t size;
    json_t *json; /* the body when it is JSON, else NULL */
} pawl_client_reply;

/** Ask. body: borrowed, NULL for none. timeout_ms 0: none.
 *  Errors: client.no_server (PAWL_E_CLOSED: nobody listens, or the connection broke before an answer; the message says
 *  what to start), client.timeout (PAWL_E_DEADLINE), client.io, client.reply, or what the server answered. */
pawl_status pawl_client_call(pawl_client *client, const char *method, const char *path, const json_t *body,
                             uint64_t timeout_ms, pawl_client_reply *ret, pawl_error *error);
/** Ask for a stream of lines and give each to on_line, with a NUL for its newline, until that returns false or the
 * stream ends; both are PAWL_OK. Errors: as above. */
pawl_status pawl_client_stream(pawl_client *client, const char *path,
                               bool (*on_line)(void *context, const char *line, size_t size), void *context,
                               pawl_error *error);

#define PAWL_CLIENT_SIZE_UNKNOWN UINT64_MAX
/** POST bytes, from on_more: up to room of them into `to`, 0 at their end, less than 0 to give up (PAWL_E_CANCELLED,
 * "client.given_up"). size: of them all, or PAWL_CLIENT_SIZE_UNKNOWN. Errors otherwise: as above. */
pawl_status pawl_client_send(pawl_client *client, const char *path, uint64_t size,
                             long (*on_more)(void *context, char *to, size_t room), void *context,
                             pawl_client_reply *ret, pawl_error *error);
/** GET bytes and give them to on_bytes, which returns false to give up (as above). range: "0-99", or NULL. What the
 * server answers instead of content is not given to it. */
pawl_status pawl_client_fetch(pawl_client *client, const char *path, const char *range,
                              bool (*on_bytes)(void *context, const char *data, size_t size), void *context,
                              pawl_error *error);

/** Free what a reply holds and zero it. */
void pawl_client_reply_finish(pawl_client_reply *reply);

/** "/v1/processes/" + id, escaped, + suffix ("" or "/journal"); free() it. NULL when out of memory. */
char *pawl_client_process_path(const char *id, const char *suffix);
/** The same of something else: "/v1/types/NAME/pause". collection: "types", "connectors". */
char *pawl_client_path(const char *collection, const char *name, const char *suffix);

/** Add "?key=value" or "&key=value", escaped, to a path made by the function above or strdup; NULL value: nothing.
 *  Consumes path; NULL in or no memory: NULL out. */
char *pawl_client_query(char *path, const char *key, const char *value);

#endif
