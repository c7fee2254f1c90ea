/* attachment.c: attachments of the calling process's session (or of the process, when it has none), as far as
 * their content fits into a value; larger ones are for effects ("pawl.attachments/1").
 *
 *     put   input: MEDIA TYPE "\n" NAME "\n" BYTES      output: REFERENCE
 *     read  input: REFERENCE " " OFFSET " " SIZE        output: BYTES
 *     list  input: nothing                              output: of each: REFERENCE " " BYTES " " SIZE " " SIZE "\n"
 *                                                                        MEDIA TYPE NAME "\n"
 *     drop  input: REFERENCE                            output: nothing
 */
#include "host/builtin/builtin.h"

#include "worker/base/sink.h"

#include <inttypes.h>
#include <stdio.h>

static pawl_status invalid(pawl_builtin_call *own, const char *message)
{
    return pawl_builtin_fail(own, PAWL_E_INVALID, PAWL_TERMINAL, "attachment.invalid", message, NULL);
}

pawl_status pawl_builtin_attachment_put(pawl_builtin_call *own)
{
    const pawl_attachments *table = pawl_attachments_table();
    pawl_bytes content = own->call->input;
    pawl_bytes media_type, name;
    if (!pawl_builtin_line(&content, &media_type) || !pawl_builtin_line(&content, &name))
        return invalid(own, "the first two lines are the media type and the name");
    pawl_upload *upload = NULL;
    pawl_status status = table->begin(own->call->context, media_type, name, &upload, own->why);
    if (status != PAWL_OK)
        return status;
    status = table->write(upload, content, own->why);
    if (status == PAWL_OK)
        return table->commit(upload, own->out, own->why);
    table->abort(upload);
    return status;
}

pawl_status pawl_builtin_attachment_read(pawl_builtin_call *own)
{
    pawl_bytes line = own->call->input;
    pawl_bytes reference;
    uint64_t offset = 0;
    uint64_t size = 0;
    uint64_t total = 0;
    if (!pawl_builtin_word(&line, &reference) || !pawl_builtin_number(&line, &offset) ||
        !pawl_builtin_number(&line, &size) || line.size != 0)
        return invalid(own, "wanted a reference, an offset and a size");
    return pawl_attachments_table()->read(own->call->context, reference, offset, size, own->out, &total, own->why);
}

typedef struct listing {
    pawl_builtin_call *own;
    pawl_status status;
} listing;

static int32_t PAWL_CALL take_info(void *context, const pawl_attachment_info *info)
{
    listing *list = context;
    char reference[PAWL_REFERENCE_SIZE + 1];
    pawl_attachment_format(info->digest, reference);
    list->status = pawl_builtin_writef(list->own, "%s %" PRIu64 " %zu %zu\n", reference, info->size,
                                       info->media_type.size, info->name.size);
    if (list->status == PAWL_OK)
        list->status = pawl_sink_write(list->own->out, info->media_type.data, info->media_type.size);
    if (list->status == PAWL_OK)
        list->status = pawl_sink_write(list->own->out, info->name.data, info->name.size);
    if (list->status == PAWL_OK)
        list->status = pawl_sink_write(list->own->out, "\n", 1);
    return list->status != PAWL_OK;
}

pawl_status pawl_builtin_attachment_list(pawl_builtin_call *own)
{
    char room[PAWL_SCOPE_SIZE];
    listing list = {.own = own, .status = PAWL_OK};
    pawl_status status = own->facet->table->list(own->facet->store, pawl_attachments_scope(own->call->context, room),
                                                 take_info, &list, own->why);
    return status == PAWL_OK ? list.status : status;
}

pawl_status pawl_builtin_attachment_drop(pawl_builtin_call *own)
{
    char room[PAWL_SCOPE_SIZE];
    uint8_t digest[32];
    if (!pawl_attachment_parse(own->call->input, digest))
        return invalid(own, "a reference is \"sha256:\" and 64 lower-case hex digits");
    return own->facet->table->unlink(own->facet->store, pawl_attachments_scope(own->call->context, room), digest,
                                     own->why);
}
