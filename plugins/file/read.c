/* read.c: file read: a whole file or a part of it, inline or into an attachment. Never opens what is not a regular file
 * for reading in a way that could wait. */
#include "plugins/connector/text.h"
#include "plugins/file/connector.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const pawl_connector_field fields[] = {
    {"root", PAWL_CONNECTOR_TEXT, true, 0, 0},
    {"path", PAWL_CONNECTOR_TEXT, true, 0, 0},
    {"offset", PAWL_CONNECTOR_INTEGER, false, 0, INT64_MAX},
    {"length", PAWL_CONNECTOR_INTEGER, false, 0, INT64_MAX},
    {"as", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"media_type", PAWL_CONNECTOR_TEXT, false, 0, 0},
};

static pawl_status move(pawl_connector_call *call, int fd, uint64_t offset, uint64_t length, pawl_connector_body *body)
{
    char *chunk = malloc(PAWL_FILE_CHUNK);
    if (chunk == NULL)
        return pawl_connector_fail_memory(&call->error);
    pawl_status status = PAWL_OK;
    while (length > 0 && (status = pawl_file_go_on(call)) == PAWL_OK) {
        size_t size = length < PAWL_FILE_CHUNK ? (size_t)length : PAWL_FILE_CHUNK;
        ssize_t got = pread(fd, chunk, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = pawl_file_failed(call, errno, "read", pawl_connector_text(call->input, "path", ""));
        if (got <= 0)
            break;
        status = pawl_connector_body_write(body, chunk, (size_t)got);
        if (status != PAWL_OK)
            break;
        offset += (uint64_t)got;
        length -= (uint64_t)got;
    }
    free(chunk);
    return status;
}

static pawl_status answer(pawl_connector_call *call, const char *as, uint64_t offset, uint64_t total,
                          pawl_connector_body *body)
{
    json_t *result = json_pack("{s:I, s:I}", "offset", (json_int_t)offset, "total", (json_int_t)total);
    if (result == NULL)
        return pawl_connector_fail_memory(&call->error);
    pawl_status status = PAWL_OK;
    if (body->upload == NULL) {
        json_object_set_new(result, "size", json_integer((json_int_t)body->size));
        if (strcmp(as, "base64") == 0)
            status = pawl_connector_put_base64(call, result, "base64", body->data, body->size);
        else if (pawl_connector_is_text(body->data, body->size))
            status = pawl_connector_put_text(call, result, "text", body->data, body->size);
        else
            status = pawl_connector_call_fail(call, PAWL_TERMINAL, "not_text",
                                              "\"%s\" is not UTF-8 text there; read it as base64 or as an attachment",
                                              pawl_connector_text(call->input, "path", ""));
    }
    if (status == PAWL_OK)
        status = pawl_connector_answer(call, result, body, NULL);
    json_decref(result);
    return status;
}

/* How much to read, checked against the limit before anything is read. */
static pawl_status span_of(pawl_connector_call *call, const struct stat *facts, uint64_t limit, uint64_t *offset,
                           uint64_t *length)
{
    uint64_t total = (uint64_t)facts->st_size;
    *offset = (uint64_t)pawl_connector_integer(call->input, "offset", 0);
    uint64_t left = *offset < total ? total - *offset : 0;
    uint64_t asked = (uint64_t)pawl_connector_integer(call->input, "length", INT64_MAX);
    *length = asked < left ? asked : left;
    if (*length <= limit)
        return PAWL_OK;
    return pawl_connector_call_fail_as(
        call, PAWL_E_LIMIT, PAWL_TERMINAL, "too_large",
        "\"%s\" has %llu bytes there, %llu are allowed; read it in parts or as an attachment",
        pawl_connector_text(call->input, "path", ""), (unsigned long long)*length, (unsigned long long)limit);
}

static pawl_status read_open(const pawl_connector *connector, pawl_connector_call *call, int fd, const char *as)
{
    struct stat facts;
    const char *path = pawl_connector_text(call->input, "path", "");
    if (fstat(fd, &facts) != 0)
        return pawl_file_failed(call, errno, "look at", path);
    if (S_ISDIR(facts.st_mode))
        return pawl_file_failed(call, EISDIR, "read", path);
    if (!S_ISREG(facts.st_mode))
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "not_regular", "\"%s\" is not a regular file", path);
    bool attach = strcmp(as, "attachment") == 0;
    uint64_t limit = attach ? connector->attachment_bytes_max : connector->inline_bytes_max;
    uint64_t offset, length;
    if (span_of(call, &facts, limit, &offset, &length) != PAWL_OK)
        return call->error.status;
    pawl_connector_body body;
    pawl_connector_body_open(&body, call, length);
    const char *slash = strrchr(path, '/');
    pawl_status status = PAWL_OK;
    if (attach)
        status =
            pawl_connector_body_save(&body, pawl_connector_text(call->input, "media_type", "application/octet-stream"),
                                     slash == NULL ? path : slash + 1);
    if (status == PAWL_OK)
        status = move(call, fd, offset, length, &body);
    if (status == PAWL_OK)
        status = answer(call, as, offset, (uint64_t)facts.st_size, &body);
    pawl_connector_body_close(&body);
    return status;
}

pawl_status pawl_file_read(const pawl_connector *connector, pawl_connector_call *call)
{
    pawl_file_place place;
    if (pawl_connector_call_check(call, fields, PAWL_CONNECTOR_COUNT(fields)) != PAWL_OK ||
        pawl_file_place_of(connector, call, false, false, &place) != PAWL_OK)
        return call->error.status;
    const char *as = pawl_connector_text(call->input, "as", "text");
    if (strcmp(as, "text") != 0 && strcmp(as, "base64") != 0 && strcmp(as, "attachment") != 0)
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_input",
                                        "\"as\" is \"%s\", expected text, base64 or attachment", as);
    /* O_NONBLOCK: a pipe without a writer must not hold the thread. */
    int fd = pawl_connector_open_beneath(place.root->fd, place.path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return pawl_file_failed(call, errno, "open", place.path);
    pawl_status status = read_open(connector, call, fd, as);
    close(fd);
    return status;
}
