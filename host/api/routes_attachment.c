/* routes_attachment.c: attachments, in and out in pieces: of a body that comes in and of content that goes out no more
 * than one piece is in memory. Storing and reading is done on the pool; the HTTP thread only copies. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/api/routes.h"
#include "host/api/values.h"
#include "worker/base/error.h"

static const char *reference_of(const pawl_exchange *exchange)
{
    return exchange->uri.segments[3]; /* every path with it is /v1/attachments/{scope}/{reference}... */
}

static bool answer_text(pawl_exchange *exchange, pawl_status status, pawl_text *text, const pawl_error *error)
{
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, error);
    bool answered = pawl_exchange_text(exchange, 200, "application/json", text->data, text->size);
    pawl_text_free(text);
    return answered;
}

bool pawl_route_attachments(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    uint64_t limit = 0;
    pawl_status status = pawl_uri_number(&exchange->uri, "limit", 1, 1000, 100, &limit, &error);
    if (status == PAWL_OK)
        status = pawl_host_attachment_list(exchange->host, pawl_exchange_id(exchange),
                                           pawl_uri_query(&exchange->uri, "after"), (uint32_t)limit, &text, &error);
    return answer_text(exchange, status, &text, &error);
}

bool pawl_route_attachment_facts(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    pawl_status status =
        pawl_host_attachment_stat(exchange->host, pawl_exchange_id(exchange), reference_of(exchange), &text, &error);
    return answer_text(exchange, status, &text, &error);
}

bool pawl_route_attachment_share(pawl_exchange *exchange)
{
    static const char *const keys[] = {"to", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    const char *to = NULL;
    const char *reference = reference_of(exchange);
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "to", true, &to, &error);
    if (status == PAWL_OK)
        status = pawl_host_attachment_share(exchange->host, pawl_exchange_id(exchange), reference, to, &error);
    json_t *reply = status == PAWL_OK ? json_pack("{s:s, s:s}", "reference", reference, "scope", to) : NULL;
    json_decref(body);
    return status == PAWL_OK ? pawl_exchange_json(exchange, 200, reply) : pawl_exchange_error(exchange, &error);
}

bool pawl_route_attachment_drop(pawl_exchange *exchange)
{
    static const char *const keys[] = {NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    const char *scope = pawl_exchange_id(exchange);
    const char *reference = reference_of(exchange);
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    json_decref(body);
    if (status == PAWL_OK)
        status = pawl_host_attachment_drop(exchange->host, scope, reference, &error);
    return status == PAWL_OK
               ? pawl_exchange_json(exchange, 200, json_pack("{s:s, s:s}", "reference", reference, "scope", scope))
               : pawl_exchange_error(exchange, &error);
}

/* ---- in ---- */

static void abort_put(void *work)
{
    (void)pawl_put_abort(work);
}

static pawl_status begin_put(pawl_exchange *exchange, pawl_error *error)
{
    pawl_put *put = NULL;
    const pawl_uri *uri = &exchange->uri;
    const char *known = pawl_uri_query(uri, "known_session");
    if (known != NULL && strcmp(known, "true") != 0 && strcmp(known, "false") != 0)
        return pawl_error_set(error, PAWL_E_INVALID, "api.query", "known_session is \"%.32s\"; wanted true or false",
                              known);
    const pawl_put_options options = {.struct_size = sizeof options,
                                      .flags = known != NULL && strcmp(known, "true") == 0 ? PAWL_PUT_KNOWN_SESSION : 0,
                                      .scope = pawl_exchange_id(exchange),
                                      .media_type = pawl_uri_query(uri, "media_type"),
                                      .name = pawl_uri_query(uri, "name"),
                                      .reference = pawl_uri_query(uri, "reference")};
    pawl_status status = pawl_host_put(exchange->host, &options, &put, error);
    if (status != PAWL_OK)
        return status;
    exchange->work = put;
    exchange->work_free = abort_put; /* also when the client goes away in the middle */
    exchange->free_blocks = true;
    return PAWL_OK;
}

static pawl_status take_piece(pawl_exchange *exchange, pawl_error *error)
{
    pawl_status status = exchange->work == NULL ? begin_put(exchange, error) : PAWL_OK;
    return status == PAWL_OK ? pawl_put_write(exchange->work, exchange->body, exchange->body_size, error) : status;
}

bool pawl_route_attachment_absorb(pawl_exchange *exchange)
{
    pawl_error error = {0};
    if (take_piece(exchange, &error) == PAWL_OK)
        return pawl_exchange_more(exchange);
    return pawl_exchange_error(exchange, &error);
}

bool pawl_route_attachment_put(pawl_exchange *exchange)
{
    pawl_error error = {0};
    uint64_t size = 0;
    char reference[PAWL_REFERENCE_BYTES + 1];
    pawl_status status = take_piece(exchange, &error);
    if (status == PAWL_OK) {
        pawl_put *put = exchange->work;
        exchange->work = NULL;
        status = pawl_put_commit(put, reference, &size, &error);
    }
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    return pawl_exchange_json(exchange, 201,
                              json_pack("{s:s, s:I, s:s}", "reference", reference, "size", (json_int_t)size, "scope",
                                        pawl_exchange_id(exchange)));
}

/* ---- out ---- */

typedef struct download {
    pawl_exchange *exchange;
    uint64_t at; /* what was read from the store, up to here */
    uint64_t end;
    pawl_text piece;
    size_t given; /* of the piece */
    bool failed;
    char media_type[257];
} download;

static void download_free(void *work)
{
    download *own = work;
    pawl_text_free(&own->piece);
    free(own);
}

static pawl_status read_piece(download *own, pawl_error *error)
{
    pawl_exchange *exchange = own->exchange;
    uint64_t left = own->end - own->at;
    pawl_text_free(&own->piece);
    own->given = 0;
    if (left == 0)
        return PAWL_OK;
    pawl_status status =
        pawl_host_attachment_read(exchange->host, pawl_exchange_id(exchange), reference_of(exchange), own->at,
                                  left < PAWL_EXCHANGE_PIECE ? left : PAWL_EXCHANGE_PIECE, &own->piece, NULL, error);
    if (status == PAWL_OK && own->piece.size == 0)
        status = pawl_error_set(error, PAWL_E_CORRUPT, "attachment.short", "the attachment ends too early");
    own->at += own->piece.size;
    return status;
}

static bool refill(pawl_exchange *exchange)
{
    pawl_error error = {0};
    download *own = exchange->work;
    own->failed = read_piece(own, &error) != PAWL_OK; /* the client sees that the content ends too early */
    return true;
}

static ssize_t give_out(void *context, uint64_t position, char *to, size_t room)
{
    (void)position;
    download *own = context;
    size_t left = own->piece.size - own->given;
    if (own->failed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (left == 0 && own->at == own->end)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (left == 0)
        return pawl_exchange_refill(own->exchange, refill) ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
    size_t size = left < room ? left : room;
    memcpy(to, own->piece.data + own->given, size);
    own->given += size;
    return (ssize_t)size;
}

/* One range, of bytes; anything else is answered with the whole, as RFC 9110 wants it. False: nothing of it is there.
 */
static bool take_range(const char *header, uint64_t total, uint64_t *from, uint64_t *end, bool *partial)
{
    char *rest = NULL;
    *from = 0;
    *end = total;
    *partial = false;
    if (header == NULL || strncmp(header, "bytes=", 6) != 0 || strchr(header, ',') != NULL)
        return true;
    const char *text = header + 6;
    bool last_part = text[0] == '-'; /* so many at the end */
    if (text[last_part] < '0' || text[last_part] > '9')
        return true;
    uint64_t first = strtoull(text + last_part, &rest, 10);
    if (last_part) {
        if (*rest != '\0')
            return true;
        *from = first < total ? total - first : 0;
        *partial = true;
        return first > 0 && total > 0;
    }
    if (*rest != '-')
        return true;
    uint64_t last = rest[1] == '\0' ? UINT64_MAX : strtoull(rest + 1, &rest, 10);
    if (last != UINT64_MAX && (*rest != '\0' || last < first))
        return true;
    *partial = true;
    *from = first;
    *end = last < total ? last + 1 : total;
    return first < total;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > 126)
            return false;
    return true;
}

/* Size and media type. */
static pawl_status look(pawl_exchange *exchange, uint64_t *total, char media_type[257], pawl_error *error)
{
    pawl_text text = {0};
    pawl_status status =
        pawl_host_attachment_stat(exchange->host, pawl_exchange_id(exchange), reference_of(exchange), &text, error);
    if (status != PAWL_OK)
        return status;
    json_t *facts = json_loadb(text.data, text.size, 0, NULL);
    const char *found = json_string_value(json_object_get(facts, "media_type"));
    bool plain = found != NULL && found[0] != '\0' && strlen(found) < 257 && is_printable(found);
    *total = (uint64_t)json_integer_value(json_object_get(facts, "size"));
    snprintf(media_type, 257, "%s", plain ? found : "application/octet-stream");
    json_decref(facts);
    pawl_text_free(&text);
    return PAWL_OK;
}

bool pawl_route_attachment_get(pawl_exchange *exchange)
{
    pawl_error error = {0};
    uint64_t total = 0;
    uint64_t from = 0;
    bool partial = false;
    download *own = calloc(1, sizeof *own);
    if (own == NULL)
        return pawl_exchange_json(exchange, 503, NULL);
    own->exchange = exchange;
    exchange->work = own;
    exchange->work_free = download_free;
    if (look(exchange, &total, own->media_type, &error) != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    const char *range = MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, "Range");
    pawl_exchange_header(exchange, "Accept-Ranges", "bytes");
    if (!take_range(range, total, &from, &own->end, &partial)) {
        pawl_exchange_header(exchange, "Content-Range", "bytes */%" PRIu64, total);
        (void)pawl_error_set(&error, PAWL_E_INVALID, "attachment.range",
                             "the attachment has %" PRIu64 " bytes: nothing of the range is there", total);
        (void)pawl_exchange_error(exchange, &error);
        exchange->reply_status = 416;
        return true;
    }
    own->at = from;
    if (read_piece(own, &error) != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    pawl_exchange_header(exchange, "ETag", "\"%s\"", reference_of(exchange));
    pawl_exchange_header(exchange, "X-Content-Type-Options", "nosniff");
    if (partial)
        pawl_exchange_header(exchange, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from, own->end - 1,
                             total);
    exchange->stream = give_out;
    exchange->stream_size = own->end - from;
    exchange->reply_type = own->media_type;
    exchange->reply_status = partial ? 206 : 200;
    return true;
}
