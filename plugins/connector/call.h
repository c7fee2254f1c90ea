/* call.h: what the connectors share of one call: its parsed input, content that comes in (inline or from an attachment)
 * and content that goes out (inline or to an attachment). Owns the parsed input, the memory of a content, and an upload
 * until it is committed. One call belongs to one thread. It never keeps a whole attachment in memory. */
#ifndef PAWL_CONNECTOR_CALL_H
#define PAWL_CONNECTOR_CALL_H

#include "plugins/connector/fields.h"

typedef struct pawl_connector_call {
    const pawl_core *core;
    const pawl_attachments *attachments; /* NULL: this host offers none */
    const pawl_effect_call *abi;
    pawl_sink *out;
    pawl_failure_sink *why;
    const char *family; /* "http": failure codes begin with it */
    char where[512];    /* "http connector \"crm\": post"; messages begin with it */
    json_t *input;      /* owned */
    pawl_connector_error error;
} pawl_connector_call;

/** Begin: take the host's tables, parse the input. On failure the error is set; end it all the same. */
pawl_status pawl_connector_call_begin(pawl_connector_call *call, const char *family, const char *instance,
                                      const pawl_effect_call *abi, pawl_sink *out, pawl_failure_sink *why);
/** Report the error, if there is one, free what the call owns and return the status to return. */
pawl_status pawl_connector_call_end(pawl_connector_call *call);

/** A terminal or retryable or unknown failure "family.name" with "where: " in front of the message. */
pawl_status pawl_connector_call_fail(pawl_connector_call *call, uint32_t klass, const char *name, const char *format,
                                     ...) __attribute__((format(printf, 4, 5)));
pawl_status pawl_connector_call_fail_as(pawl_connector_call *call, pawl_status status, uint32_t klass, const char *name,
                                        const char *format, ...) __attribute__((format(printf, 5, 6)));
/** Check the whole input against a table: "family.invalid_input". */
pawl_status pawl_connector_call_check(pawl_connector_call *call, const pawl_connector_field *fields, size_t count);

/* ---- content that comes in ---- */

typedef struct pawl_connector_source {
    pawl_connector_call *call;
    bool present;           /* one of the keys was there */
    const char *media_type; /* what it most likely is; NULL when absent */
    uint64_t size;
    const void *data; /* inline content */
    void *owned;
    pawl_bytes reference; /* attachment, unless data is set */
} pawl_connector_source;

/** Take the content of an object that may have one of json, text, base64, attachment (more than one is refused). */
pawl_status pawl_connector_source_open(pawl_connector_source *source, pawl_connector_call *call, const json_t *object);
/** Up to size bytes from offset; *got is less than size only at the end. */
pawl_status pawl_connector_source_read(pawl_connector_source *source, uint64_t offset, void *buffer, size_t size,
                                       size_t *got);
void pawl_connector_source_close(pawl_connector_source *source);

/* ---- content that goes out ---- */

typedef struct pawl_connector_body {
    pawl_connector_call *call;
    pawl_upload *upload; /* not NULL: it goes to an attachment */
    char *data;          /* otherwise to memory; NUL-terminated when not NULL */
    size_t size, room;
    uint64_t total, limit;
    bool over; /* more than limit was written; what is beyond was dropped */
} pawl_connector_body;

void pawl_connector_body_open(pawl_connector_body *body, pawl_connector_call *call, uint64_t limit);
/** From here on the content goes to an attachment. Nothing has been written yet. */
pawl_status pawl_connector_body_save(pawl_connector_body *body, const char *media_type, const char *name);
/** PAWL_E_LIMIT (and over) beyond the limit, without setting the call's error. */
pawl_status pawl_connector_body_write(pawl_connector_body *body, const void *data, size_t size);
void pawl_connector_body_close(pawl_connector_body *body);

/** Write the result. When body has an upload it is committed, and its reference and size stand as "attachment" and
 *  "size" in the result, or in an object under key when key is not NULL. body may be NULL. */
pawl_status pawl_connector_answer(pawl_connector_call *call, const json_t *result, pawl_connector_body *body,
                                  const char *key);

/** Add inline content under key, or under "key_base64" when it is not text. PAWL_E_NOMEM sets the error. */
pawl_status pawl_connector_put_text(pawl_connector_call *call, json_t *object, const char *key, const void *data,
                                    size_t size);
pawl_status pawl_connector_put_base64(pawl_connector_call *call, json_t *object, const char *key, const void *data,
                                      size_t size);

#endif
