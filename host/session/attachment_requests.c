/* attachment_requests.c: attachments as seen from outside. Content goes through in pieces, whatever its size; what a
 * put leaves before its commit is nothing. Never stores for a process that may be forgotten meanwhile, nor in a session
 * that is being deleted: what was let go there would stay for ever. */
#include "host/host_internal.h"

#include "host/view/view.h"
#include "worker/base/sink.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX         (16u << 20)
#define PAGE_DEFAULT     100u
#define PAGE_MAX         1000u
#define MEDIA_TYPE_MAX   256u
#define NAME_MAX_BYTES   1024u
#define REFERENCE_PREFIX "sha256:"

_Static_assert(PAWL_REFERENCE_BYTES == PAWL_REFERENCE_SIZE, "the public and the inner size of a reference");

/* Whose links are meant. */
typedef struct scope {
    char name[PAWL_SCOPE_SIZE];
    bool own; /* of a process without a session */
} scope;

static pawl_bytes bytes_of(const scope *own)
{
    return pawl_bytes_text(own->name);
}

/* A call of the facet that has failed, in words. Finishes the slot. */
static pawl_status told(pawl_failure_slot *why, pawl_status status, pawl_error *error)
{
    if (status != PAWL_OK)
        status = pawl_failure_error(why, status < 0 ? status : PAWL_E_FAILED, error);
    pawl_failure_finish(why);
    return status;
}

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for an attachment");
}

/* ---- what callers name ---- */

/* wants_live: something is to be added to what a process has, which must not be on its way out, then. */
static pawl_status process_scope(pawl_host *host, const char *id, bool wants_live, scope *ret, pawl_error *error)
{
    pawl_arena arena = {0};
    pawl_process_row row;
    pawl_status status = pawl_check_id(id, error);
    if (status == PAWL_OK)
        status = pawl_host_row(host, id, &arena, &row, error);
    if (status == PAWL_OK) {
        ret->own = row.session.size == 0;
        if (ret->own)
            snprintf(ret->name, sizeof ret->name, PAWL_PROCESS_SCOPE "%s", id);
        else
            snprintf(ret->name, sizeof ret->name, "%.*s", (int)row.session.size, (const char *)row.session.data);
        if (ret->own && wants_live && PAWL_IS_TERMINAL(row.status))
            status = pawl_error_set(error, PAWL_E_TERMINAL, "already_terminal",
                                    "process \"%s\" has ended: nothing can be added to what it keeps", id);
    }
    pawl_arena_finish(&arena);
    return status;
}

static pawl_status find_scope(pawl_host *host, const char *given, bool wants_live, scope *ret, pawl_error *error)
{
    const size_t word = sizeof PAWL_PROCESS_SCOPE - 1;
    pawl_status status = pawl_host_usable(host, error);
    *ret = (scope){.own = false};
    if (status == PAWL_OK && given == NULL)
        status = pawl_error_set(error, PAWL_E_INVALID, "missing_scope",
                                "a scope is wanted: the name of a session, or \"" PAWL_PROCESS_SCOPE "ID\"");
    if (status != PAWL_OK)
        return status;
    if (strncmp(given, PAWL_PROCESS_SCOPE, word) == 0)
        return process_scope(host, given + word, wants_live, ret, error);
    status = pawl_check_session(given, error);
    if (status == PAWL_OK)
        snprintf(ret->name, sizeof ret->name, "%s", given);
    return status;
}

static pawl_status read_reference(const char *reference, uint8_t digest[32], pawl_error *error)
{
    if (reference != NULL && pawl_attachment_parse(pawl_bytes_text(reference), digest))
        return PAWL_OK;
    return pawl_error_set(error, PAWL_E_INVALID, "attachment.reference",
                          "the reference is \"%.80s\"; wanted \"" REFERENCE_PREFIX "\" and 64 lower-case hex digits",
                          reference == NULL ? "" : reference);
}

/* What is listed and sent as a header: no control characters. */
static pawl_status check_word(const char *what, const char *text, size_t bytes_max, pawl_error *error)
{
    size_t size = text == NULL ? 0 : strlen(text);
    if (size > bytes_max)
        return pawl_error_set(error, PAWL_E_LIMIT, "attachment.limit", "the %s has %zu bytes; at most %zu", what, size,
                              bytes_max);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            return pawl_error_set(error, PAWL_E_INVALID, "attachment.invalid",
                                  "the %s has a control character (0x%02x)", what, (unsigned char)text[i]);
    return PAWL_OK;
}

/* Between these two the store of attachments may be used. */
static pawl_status enter(pawl_host *host, pawl_error *error)
{
    if (host->attachments.table != NULL && pawl_attachments_enter(&host->attachments))
        return PAWL_OK;
    return pawl_error_set(error, PAWL_E_CLOSED, "closed", "the host is closing");
}

static void leave(pawl_host *host)
{
    pawl_attachments_leave(&host->attachments);
}

/* ---- put ---- */

struct pawl_put {
    pawl_host *host;
    scope scope;
    pawl_attachment_upload *upload;
    EVP_MD_CTX *hash; /* NULL: any content is right */
    uint8_t wanted[32];
    uint64_t size;
    char given[PAWL_SCOPE_SIZE]; /* the scope as it was named */
};

static pawl_status begin_hash(pawl_put *put, const char *reference, pawl_error *error)
{
    if (reference == NULL)
        return PAWL_OK;
    pawl_status status = read_reference(reference, put->wanted, error);
    if (status != PAWL_OK)
        return status;
    put->hash = EVP_MD_CTX_new();
    return put->hash != NULL && EVP_DigestInit_ex(put->hash, EVP_sha256(), NULL) == 1 ? PAWL_OK : no_memory(error);
}

static pawl_status check_put(pawl_host *host, const pawl_put_options *options, scope *ret, pawl_error *error)
{
    if ((options->flags & ~PAWL_PUT_KNOWN_SESSION) != 0)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "unknown flags 0x%x", options->flags);
    pawl_status status = find_scope(host, options->scope, true, ret, error);
    if (status == PAWL_OK)
        status = check_word("media type", options->media_type, MEDIA_TYPE_MAX, error);
    if (status == PAWL_OK)
        status = check_word("name", options->name, NAME_MAX_BYTES, error);
    if (status == PAWL_OK && !ret->own)
        status = pawl_handles_may_start(host, ret->name, error);
    bool known = (options->flags & PAWL_PUT_KNOWN_SESSION) != 0 || host->profile->sessions.known;
    if (status == PAWL_OK && !ret->own && known)
        status = pawl_check_known_session(host, ret->name, error);
    return status;
}

static pawl_status begin_upload(pawl_put *put, const pawl_put_options *options, pawl_error *error)
{
    pawl_attachment_facet *facet = &put->host->attachments;
    pawl_status status = enter(put->host, error);
    if (status != PAWL_OK)
        return status;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    status = facet->table->begin(facet->store, bytes_of(&put->scope), pawl_bytes_text(options->media_type),
                                 pawl_bytes_text(options->name), &put->upload, &why);
    leave(put->host);
    return told(&why, status, error);
}

pawl_status pawl_host_put(pawl_host *host, const pawl_put_options *given, pawl_put **ret, pawl_error *error)
{
    pawl_put_options options;
    scope found;
    if (!pawl_take_struct(&options, sizeof options, given))
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "options.struct_size is not set");
    pawl_status status = check_put(host, &options, &found, error);
    if (status != PAWL_OK)
        return status;
    pawl_put *put = calloc(1, sizeof *put);
    if (put == NULL)
        return no_memory(error);
    put->host = host;
    put->scope = found;
    snprintf(put->given, sizeof put->given, "%s", options.scope);
    status = begin_hash(put, options.reference, error);
    if (status == PAWL_OK)
        status = begin_upload(put, &options, error);
    if (status == PAWL_OK)
        *ret = put;
    else
        pawl_put_abort(put);
    return status;
}

pawl_status pawl_put_write(pawl_put *put, const void *data, size_t size, pawl_error *error)
{
    uint64_t most = put->host->profile->limits.attachment_bytes;
    if (size > most - put->size)
        return pawl_error_set(error, PAWL_E_LIMIT, "attachment.too_large",
                              "the attachment has more than %llu bytes, which is what the profile allows "
                              "(limits.attachment)",
                              (unsigned long long)most);
    pawl_status status = enter(put->host, error);
    if (status != PAWL_OK)
        return status;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    status = put->host->attachments.table->write(put->upload, (pawl_bytes){data, size}, &why);
    leave(put->host);
    if (status == PAWL_OK) {
        put->size += size;
        if (put->hash != NULL && size > 0)
            EVP_DigestUpdate(put->hash, data, size);
    }
    return told(&why, status, error);
}

static pawl_status check_digest(pawl_put *put, pawl_error *error)
{
    uint8_t made[32];
    char wanted[PAWL_REFERENCE_SIZE + 1];
    char found[PAWL_REFERENCE_SIZE + 1];
    if (put->hash == NULL)
        return PAWL_OK;
    if (EVP_DigestFinal_ex(put->hash, made, NULL) != 1)
        return no_memory(error);
    if (memcmp(made, put->wanted, sizeof made) == 0)
        return PAWL_OK;
    pawl_attachment_format(put->wanted, wanted);
    pawl_attachment_format(made, found);
    return pawl_error_set(error, PAWL_E_CONFLICT, "attachment.digest",
                          "what arrived has the digest %s; %s was announced. Nothing of it is kept", found, wanted);
}

/* A process that has ended meanwhile may be forgotten at this moment, with what it kept before. */
static pawl_status check_owner(pawl_host *host, const scope *own, const uint8_t digest[32], pawl_error *error)
{
    scope again;
    if (!own->own)
        return PAWL_OK;
    pawl_status status = find_scope(host, own->name, true, &again, error);
    if (status == PAWL_OK || enter(host, NULL) != PAWL_OK)
        return status;
    (void)host->attachments.table->unlink(host->attachments.store, bytes_of(own), digest, NULL);
    leave(host);
    return status;
}

static pawl_status commit_upload(pawl_put *put, uint8_t digest[32], pawl_error *error)
{
    pawl_session_use use;
    const pawl_attachment_table *table = put->host->attachments.table;
    pawl_bytes session = put->scope.own ? (pawl_bytes){NULL, 0} : bytes_of(&put->scope);
    pawl_status status = pawl_handles_use(put->host, session, &use, error);
    if (status != PAWL_OK)
        return status;
    status = enter(put->host, error);
    if (status == PAWL_OK) {
        pawl_failure_slot why;
        pawl_failure_init(&why);
        status = table->commit(put->upload, digest, NULL, &why);
        put->upload = NULL;
        leave(put->host);
        status = told(&why, status, error);
    }
    pawl_handles_unuse(put->host, &use);
    return status;
}

pawl_status pawl_put_commit(pawl_put *put, char reference[PAWL_REFERENCE_BYTES + 1], uint64_t *ret_size,
                            pawl_error *error)
{
    uint8_t digest[32];
    scope now;
    pawl_status status = check_digest(put, error);
    if (status == PAWL_OK)
        status = find_scope(put->host, put->given, true, &now, error);
    if (status == PAWL_OK)
        status = commit_upload(put, digest, error);
    if (status == PAWL_OK)
        status = check_owner(put->host, &put->scope, digest, error);
    if (status == PAWL_OK) {
        pawl_attachment_format(digest, reference);
        if (ret_size != NULL)
            *ret_size = put->size;
    }
    pawl_put_abort(put);
    return status;
}

pawl_put *pawl_put_abort(pawl_put *put)
{
    if (put == NULL)
        return NULL;
    if (put->upload != NULL &&
        enter(put->host, NULL) == PAWL_OK) { /* else the store is closed, and collects it later */
        put->host->attachments.table->abort(put->upload);
        leave(put->host);
    }
    EVP_MD_CTX_free(put->hash);
    free(put);
    return NULL;
}

/* ---- looking ---- */

static json_t *view_info(const pawl_attachment_info *info)
{
    char reference[PAWL_REFERENCE_SIZE + 1];
    pawl_attachment_format(info->digest, reference);
    return json_pack("{s:s, s:I, s:I, s:o, s:o}", "reference", reference, "size", (json_int_t)info->size,
                     "created_unix_ns", (json_int_t)info->created_unix_ns, "media_type",
                     pawl_view_text(info->media_type), "name", pawl_view_text(info->name));
}

typedef struct listing {
    json_t *list;
    uint8_t after[32];
    bool behind; /* only what is behind `after` */
    uint32_t limit;
    bool more;
    bool no_memory;
} listing;

static int32_t PAWL_CALL take_info(void *context, const pawl_attachment_info *info)
{
    listing *own = context;
    if (own->behind && memcmp(info->digest, own->after, sizeof own->after) <= 0)
        return 0;
    own->more = json_array_size(own->list) == own->limit;
    if (own->more)
        return 1;
    own->no_memory = json_array_append_new(own->list, view_info(info)) != 0;
    return own->no_memory;
}

pawl_status pawl_host_attachment_list(pawl_host *host, const char *given, const char *after, uint32_t limit,
                                      pawl_text *ret_json, pawl_error *error)
{
    scope found;
    listing own = {.limit = limit == 0 ? PAGE_DEFAULT : limit, .behind = after != NULL};
    pawl_status status = find_scope(host, given, false, &found, error);
    if (status == PAWL_OK && limit > PAGE_MAX)
        status = pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the limit is %u; wanted 1 to %u", limit,
                                PAGE_MAX);
    if (status == PAWL_OK && after != NULL)
        status = read_reference(after, own.after, error);
    if (status == PAWL_OK)
        status = enter(host, error);
    if (status != PAWL_OK)
        return status;
    own.list = json_array();
    pawl_failure_slot why;
    pawl_failure_init(&why);
    status = host->attachments.table->list(host->attachments.store, bytes_of(&found), take_info, &own, &why);
    leave(host);
    status = told(&why, status, error);
    if (status == PAWL_OK && (own.list == NULL || own.no_memory))
        status = no_memory(error);
    if (status != PAWL_OK) {
        json_decref(own.list);
        return status;
    }
    const json_t *last = json_array_get(own.list, json_array_size(own.list) - 1);
    json_t *next = own.more ? json_incref(json_object_get(last, "reference")) : json_null();
    return pawl_view_give(json_pack("{s:o, s:o}", "attachments", own.list, "next", next), ret_json, error);
}

/* The one that the scope refers to, for what follows; visit may be NULL. Inside the door. */
static pawl_status stat_inside(pawl_host *host, const scope *own, const char *reference, const uint8_t digest[32],
                               pawl_attachment_visit visit, void *context, pawl_error *error)
{
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_status status =
        host->attachments.table->stat(host->attachments.store, bytes_of(own), digest, visit, context, &why);
    if (status != PAWL_E_NOT_FOUND)
        return told(&why, status, error);
    pawl_failure_finish(&why);
    return pawl_error_set(error, status, "attachment.not_found", "scope \"%s\" refers to no attachment %s", own->name,
                          reference);
}

static int32_t PAWL_CALL keep_view(void *context, const pawl_attachment_info *info)
{
    *(json_t **)context = view_info(info);
    return 0;
}

/* Scope and reference of a caller, and the door: on PAWL_OK it is to be left. */
static pawl_status ask(pawl_host *host, const char *given, const char *reference, scope *found, uint8_t digest[32],
                       pawl_error *error)
{
    pawl_status status = find_scope(host, given, false, found, error);
    if (status == PAWL_OK)
        status = read_reference(reference, digest, error);
    return status == PAWL_OK ? enter(host, error) : status;
}

pawl_status pawl_host_attachment_stat(pawl_host *host, const char *given, const char *reference, pawl_text *ret_json,
                                      pawl_error *error)
{
    scope found;
    uint8_t digest[32];
    json_t *view = NULL;
    pawl_status status = ask(host, given, reference, &found, digest, error);
    if (status != PAWL_OK)
        return status;
    status = stat_inside(host, &found, reference, digest, keep_view, &view, error);
    leave(host);
    return status == PAWL_OK ? pawl_view_give(view, ret_json, error) : status;
}

static int32_t PAWL_CALL pass_by(void *context, const pawl_attachment_info *info)
{
    (void)context;
    (void)info;
    return 0;
}

static pawl_status give_bytes(pawl_sink *sink, pawl_text *ret, pawl_error *error)
{
    const char *text = pawl_sink_text(sink);
    size_t size = pawl_sink_bytes(sink).size;
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return no_memory(error);
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    *ret = (pawl_text){copy, size};
    return PAWL_OK;
}

pawl_status pawl_host_attachment_read(pawl_host *host, const char *given, const char *reference, uint64_t offset,
                                      uint64_t size, pawl_text *ret_bytes, uint64_t *ret_total, pawl_error *error)
{
    scope found;
    uint8_t digest[32];
    uint64_t total = 0;
    pawl_status status = ask(host, given, reference, &found, digest, error);
    if (status != PAWL_OK)
        return status;
    status = stat_inside(host, &found, reference, digest, pass_by, NULL, error);
    pawl_sink sink;
    pawl_sink_init(&sink, READ_MAX);
    if (status == PAWL_OK) {
        pawl_failure_slot why;
        pawl_failure_init(&why);
        status = host->attachments.table->read(host->attachments.store, digest, offset,
                                               size < READ_MAX ? size : READ_MAX, &sink, &total, &why);
        status = told(&why, status, error);
    }
    leave(host);
    if (status == PAWL_OK)
        status = give_bytes(&sink, ret_bytes, error);
    if (status == PAWL_OK && ret_total != NULL)
        *ret_total = total;
    pawl_sink_finish(&sink);
    return status;
}

/* ---- sharing and letting go ---- */

typedef struct words {
    size_t media_type_size;
    size_t name_size;
    char media_type[MEDIA_TYPE_MAX];
    char name[NAME_MAX_BYTES];
} words;

static int32_t PAWL_CALL keep_words(void *context, const pawl_attachment_info *info)
{
    words *own = context;
    own->media_type_size = info->media_type.size < MEDIA_TYPE_MAX ? info->media_type.size : MEDIA_TYPE_MAX;
    own->name_size = info->name.size < NAME_MAX_BYTES ? info->name.size : NAME_MAX_BYTES;
    if (own->media_type_size > 0)
        memcpy(own->media_type, info->media_type.data, own->media_type_size);
    if (own->name_size > 0)
        memcpy(own->name, info->name.data, own->name_size);
    return 0;
}

static pawl_status share_inside(pawl_host *host, const scope *from, const char *reference, const uint8_t digest[32],
                                const scope *to, pawl_error *error)
{
    words kept = {0};
    pawl_attachment_facet *facet = &host->attachments;
    pawl_status status = stat_inside(host, from, reference, digest, keep_words, &kept, error);
    if (status != PAWL_OK)
        return status;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    status = facet->table->link(facet->store, bytes_of(to), digest, (pawl_bytes){kept.media_type, kept.media_type_size},
                                (pawl_bytes){kept.name, kept.name_size}, &why);
    return told(&why, status, error);
}

pawl_status pawl_host_attachment_share(pawl_host *host, const char *given, const char *reference, const char *to,
                                       pawl_error *error)
{
    scope from, target;
    uint8_t digest[32];
    pawl_session_use use;
    pawl_status status = find_scope(host, to, true, &target, error);
    if (status == PAWL_OK && !target.own && host->profile->sessions.known)
        status = pawl_check_known_session(host, target.name, error);
    if (status == PAWL_OK)
        status = pawl_handles_use(host, target.own ? (pawl_bytes){NULL, 0} : bytes_of(&target), &use, error);
    if (status != PAWL_OK)
        return status;
    status = ask(host, given, reference, &from, digest, error);
    if (status == PAWL_OK) {
        status = share_inside(host, &from, reference, digest, &target, error);
        leave(host);
    }
    pawl_handles_unuse(host, &use);
    return status == PAWL_OK ? check_owner(host, &target, digest, error) : status;
}

pawl_status pawl_host_attachment_drop(pawl_host *host, const char *given, const char *reference, pawl_error *error)
{
    scope found;
    uint8_t digest[32];
    pawl_status status = ask(host, given, reference, &found, digest, error);
    if (status != PAWL_OK)
        return status;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    status = host->attachments.table->unlink(host->attachments.store, bytes_of(&found), digest, &why);
    leave(host);
    return told(&why, status, error);
}
