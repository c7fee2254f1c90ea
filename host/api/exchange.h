/* exchange.h: one request and its reply, inside the server. An exchange belongs to one thread at a time: the HTTP
 * thread while it is received and sent, and in between the pool thread that runs its step or the host callback that
 * ends what the step began. Whoever hands it on must not touch it afterwards. */
#ifndef PAWL_API_EXCHANGE_H
#define PAWL_API_EXCHANGE_H

#include <jansson.h>
#include <microhttpd.h>
#include <pawl/pawl.h>
#include <stdbool.h>

#include "host/api/server.h"
#include "host/api/uri.h"

typedef struct pawl_exchange pawl_exchange;

/** One piece of the work on a request, on a pool thread, where it may block. True: the reply is set. False: it was
 *  handed on, and pawl_exchange_continue will be called once from somewhere. */
typedef bool (*pawl_exchange_step)(pawl_exchange *exchange);

typedef struct pawl_route {
    const char *method;
    const char *path; /* "{id}" stands for any one segment */
    pawl_exchange_step step;
    const char *const *query_keys; /* NULL-terminated; others are refused */
} pawl_route;

typedef enum pawl_exchange_stage {
    PAWL_EXCHANGE_NEW,
    PAWL_EXCHANGE_RECEIVING,
    PAWL_EXCHANGE_WORKING,
    PAWL_EXCHANGE_ANSWERED
} pawl_exchange_stage;

struct pawl_exchange {
    pawl_api_server *server;
    pawl_host *host;
    struct MHD_Connection *connection;
    pawl_exchange_stage stage;
    char *raw_uri;
    pawl_uri uri;
    const pawl_route *route;
    bool counted;         /* among the running requests */
    bool counted_waiting; /* among the waits */
    bool counted_drain;   /* among the drains */
    char *body;
    size_t body_size;
    size_t body_capacity;
    unsigned reply_status; /* 0: no reply yet */
    char *reply;           /* free()d with the exchange */
    size_t reply_size;
    const char *reply_type;
    const char *allow;                /* of a 405 */
    MHD_ContentReaderCallback stream; /* instead of `reply`: reads from `work` */
    pawl_exchange_step next;
    pawl_exchange *queued; /* the pool's */
    void *work;            /* of the steps */
    void (*work_free)(void *work);
};

/** The "{id}" of the path. */
const char *pawl_exchange_id(const pawl_exchange *exchange);

/** The body as a JSON object with keys out of `keys`; an empty body is an empty object. A new reference in *ret. */
pawl_status pawl_exchange_body(pawl_exchange *exchange, const char *const *keys, json_t **ret, pawl_error *error);

/** Set the reply; each returns true, so that a step can end with it. The json is taken over; NULL means that memory ran
 *  out. The text of pawl_exchange_text is copied. */
bool pawl_exchange_json(pawl_exchange *exchange, unsigned http_status, json_t *json);
bool pawl_exchange_text(pawl_exchange *exchange, unsigned http_status, const char *type, const char *text, size_t size);
bool pawl_exchange_empty(pawl_exchange *exchange, unsigned http_status);
bool pawl_exchange_error(pawl_exchange *exchange, const pawl_error *error);

/** Run another step of it on the pool. [any] */
void pawl_exchange_continue(pawl_exchange *exchange, pawl_exchange_step step);

/** What a server is doing, for metrics. */
typedef struct pawl_api_numbers {
    uint64_t requests;
    uint64_t refused;
    uint64_t running;
    uint64_t waiting;
    uint64_t draining;
    uint64_t replies[6]; /* by hundreds of the HTTP status; [0] unused */
} pawl_api_numbers;
void pawl_api_server_numbers(pawl_api_server *server, pawl_api_numbers *ret);

/** Stop counting it as a running request and count it as a wait: PAWL_E_CLOSED or PAWL_E_BUSY when it may not be. */
pawl_status pawl_exchange_becomes_wait(pawl_exchange *exchange, pawl_error *error);

/** A drain holds a thread of the pool for long, so that only a few may run: PAWL_E_BUSY when it may not. */
pawl_status pawl_exchange_becomes_drain(pawl_exchange *exchange, pawl_error *error);

#endif
