/* wire.h: what a host and the program that runs one of its plugins say to each other: messages over a stream socket,
 * each with a length, a kind and an id. Owns the encoding; both sides are built from it. A message of the other side is
 * untrusted: every length is checked against what is there, and a limit. Never keeps a pointer into a message. Pure but
 * for the memory of a reader; one thread at a time for each reader. */
#ifndef PAWL_HOST_ISOLATE_WIRE_H
#define PAWL_HOST_ISOLATE_WIRE_H

#include "worker/base/sink.h"

#define WIRE_VERSION    1u                  /* both sides come from one build; a mixed installation is refused */
#define WIRE_CHANNEL    3                   /* the descriptor on the plugin's side */
#define WIRE_HEAD       16u                 /* bytes in front of each payload */
#define WIRE_MORE       ((size_t)256 << 10) /* what a message may have beside its value */
#define WIRE_LOG_MAX    16384u              /* of a log line's message; of its fields */
#define WIRE_CHUNK      ((size_t)256 << 10) /* of an attachment, in one message */
#define WIRE_EFFECTS    0u                  /* the instance that stands for the plugin's own effects */
#define WIRE_CONFIG_MAX ((size_t)16 << 20)

/** To the plugin's side below 32, to the host's from there on. The id of the head in brackets. */
typedef enum wire_kind {
    WIRE_HELLO = 1,    /* [0] wire_hello */
    WIRE_CREATE = 2,   /* [instance] wire_create */
    WIRE_CALL = 3,     /* [call] wire_call */
    WIRE_CANCEL = 4,   /* [call] nothing: it should stop */
    WIRE_STOP = 5,     /* [0] nothing: no more calls; destroy, deinit, end */
    WIRE_ANSWER = 6,   /* [request] wire_end: to an ASK */
    WIRE_STAGE = 32,   /* [0] text: how far it came */
    WIRE_READY = 33,   /* [0] nothing */
    WIRE_REFUSED = 34, /* [0] wire_end: it does not start */
    WIRE_CREATED = 35, /* [instance] wire_end */
    WIRE_END = 36,     /* [call] wire_end */
    WIRE_LOG = 37,     /* [0] wire_log */
    WIRE_ASK = 38      /* [request] wire_ask */
} wire_kind;

typedef struct wire_message {
    uint32_t kind;
    uint64_t id;
    pawl_bytes payload; /* borrowed from the reader until it is fed again */
} wire_message;

enum { WIRE_SECCOMP_STRICT = 0, WIRE_SECCOMP_NETWORK = 1, WIRE_SECCOMP_OFF = 2 };

/** How the plugin is to run. */
typedef struct wire_hello {
    uint32_t version;
    uint32_t threads;    /* blocking calls at once */
    uint64_t output_max; /* bytes of a result */
    uint64_t memory;     /* bytes */
    uint32_t open_files;
    uint32_t processes;   /* 0: none may be started */
    uint32_t seccomp;     /* WIRE_SECCOMP_* */
    uint32_t change_user; /* 1: become uid and gid */
    uint32_t uid, gid;
    uint32_t parent; /* process id of the host */
    pawl_bytes host_version;
    pawl_bytes subject; /* what messages call the plugin */
    pawl_bytes config;
} wire_hello;

typedef struct wire_create {
    pawl_bytes name, config;
} wire_create;

enum { WIRE_EXECUTE = 1, WIRE_START = 2, WIRE_RECONCILE = 3 };

typedef struct wire_call {
    uint32_t instance;
    uint32_t deed; /* WIRE_EXECUTE ... */
    uint32_t attempt;
    uint64_t deadline_mono_ns; /* the same clock on both sides */
    pawl_bytes operation, key, trace;
    pawl_bytes input;
} wire_call;

#define WIRE_FAILURE   1u /* klass and what follows it count */
#define WIRE_OVER      2u /* more was written than the limit */
#define WIRE_NO_MEMORY 4u

/** How something ended. */
typedef struct wire_end {
    pawl_status status;
    uint32_t flags;
    uint32_t klass;
    uint64_t retry_after_ns;
    uint64_t number; /* ANSWER: a length, or an upload */
    pawl_bytes code, message, detail;
    pawl_bytes output;
} wire_end;

typedef struct wire_log {
    uint32_t level;
    pawl_bytes message, fields;
} wire_log;

enum { WIRE_UPLOAD_BEGIN = 1, WIRE_UPLOAD_WRITE = 2, WIRE_UPLOAD_COMMIT = 3, WIRE_UPLOAD_ABORT = 4, WIRE_READ = 5 };

/** A plugin's call to pawl.attachments/1. */
typedef struct wire_ask {
    uint32_t what; /* WIRE_UPLOAD_* or WIRE_READ */
    uint64_t call;
    uint64_t upload;
    uint64_t offset, size;
    pawl_bytes first, second; /* media type and name; or the reference */
    pawl_bytes data;
} wire_ask;

/* ---- writing: into a sink, one message after the other ---- */

/** A message whose payload ends with `tail` bytes that are sent from elsewhere. A sink that ran out of memory says so.
 */
void pawl_wire_bare(pawl_sink *to, uint32_t kind, uint64_t id, pawl_bytes payload);
void pawl_wire_hello(pawl_sink *to, const wire_hello *hello);
void pawl_wire_create(pawl_sink *to, uint64_t id, const wire_create *create);
void pawl_wire_call(pawl_sink *to, uint64_t id, const wire_call *call);             /* without the bytes of input */
void pawl_wire_end(pawl_sink *to, uint32_t kind, uint64_t id, const wire_end *end); /* without the bytes of output */
void pawl_wire_log(pawl_sink *to, const wire_log *log);
void pawl_wire_ask(pawl_sink *to, uint64_t id, const wire_ask *ask); /* without the bytes of data */

/* ---- reading: false when the payload is not what it should be ---- */

bool pawl_wire_read_hello(pawl_bytes payload, wire_hello *ret);
bool pawl_wire_read_create(pawl_bytes payload, wire_create *ret);
bool pawl_wire_read_call(pawl_bytes payload, wire_call *ret);
bool pawl_wire_read_end(pawl_bytes payload, wire_end *ret);
bool pawl_wire_read_log(pawl_bytes payload, wire_log *ret);
bool pawl_wire_read_ask(pawl_bytes payload, wire_ask *ret);

/** What a plugin said to a slot, as the members of an end, and back. */
void pawl_wire_take_failure(wire_end *end, const pawl_failure_slot *why);
bool pawl_wire_failure(const wire_end *end, pawl_failure *ret); /* false: it says none */

/** Cuts a stream into messages. Zeroed, with payload_max, to begin with. */
typedef struct wire_reader {
    uint8_t *data;
    size_t at, have, room;
    size_t payload_max;
    bool from_plugin; /* which kinds may come */
} wire_reader;

typedef enum wire_result { WIRE_GOT = 0, WIRE_NEED_MORE = 1, WIRE_GARBAGE = 2, WIRE_OUT_OF_MEMORY = 3 } wire_result;

/** Where the next bytes are to be read to, and how many fit (never 0). NULL: out of memory. What was given out of
 *  the reader before is no longer valid. */
void *pawl_wire_space(wire_reader *reader, size_t *ret_size);
void pawl_wire_took(wire_reader *reader, size_t size);
/** The next whole message. GARBAGE: nothing that follows can be understood. */
wire_result pawl_wire_next(wire_reader *reader, wire_message *ret);
void pawl_wire_finish(wire_reader *reader);

#endif
