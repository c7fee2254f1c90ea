/* late_upload.c: it begins to store an attachment and forgets about it. */
#define EXECUTE forget
#include "sampled.h"

static pawl_status PAWL_CALL forget(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_attachments *attachments = call->host->get_extension(call->host, PAWL_EXT_ATTACHMENTS);
    pawl_upload *upload = NULL;
    static int once;
    if (attachments != NULL && !once++)
        attachments->begin(call->context, pawl_bytes_of_text("text/plain"), pawl_bytes_of_text("x"), &upload, why);
    return echo(call, out, why);
}
SAMPLED;
