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
    /* Not NULL: the body is not kept. This is run for every PAWL_EXCHANGE_PIECE of it, and takes what is in `body`; it
     * ends with pawl_exchange_more, or like any step when it refuses. What is left then is there for `step`. */
    pawl_exchange_step absorb;
} pawl_route;

#define PAWL_EXCHANGE_PIECE   ((size_t)256 * 1024)
#define PAWL_EXCHANGE_HEADERS 5u

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
    bool handed;          /* to the pool; guarded by the server's hand_lock */
    char *body;
    size_t body_size;
    size_t body_capacity;
    uint64_t read_past;    /* of a body that was refused */
    unsigned reply_status; /* 0: no reply yet */
    char *reply;           /* free()d with the exchange */
    size_t reply_size;
    const char *reply_type;
    const char *allow;                /* of a 405 */
    MHD_ContentReaderCallback stream; /* instead of `reply`: reads from `work` */
    uint64_t stream_size;             /* of it; MHD_SIZE_UNKNOWN, which is for setting, too: until the client goes */
    struct {
        const char *name;
        char value[128];
    } headers[PAWL_EXCHANGE_HEADERS]; /* of the reply, beside those of every reply */
    size_t header_count;
    pawl_exchange_step next;
    pawl_exchange *queued; /* the pool's */
    void *work;            /* of the steps */
    void (*work_free)(void *work);
    bool free_blocks; /* work_free does, and is for the pool */
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

/** A header of the reply; the name is static. */
void pawl_exchange_header(pawl_exchange *exchange, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The piece of the body has been absorbed: receive more. Ends an absorbing step, as its value. [worker] */
bool pawl_exchange_more(pawl_exchange *exchange);
/** From inside `stream`: run a step on the pool and then read on; false: the server is stopping. The step returns true.
 */
bool pawl_exchange_refill(pawl_exchange *exchange, pawl_exchange_step step);

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
