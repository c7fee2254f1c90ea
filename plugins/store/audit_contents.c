/* audit_contents.c: sessions, attachments and artifacts. Contents are read whole and compared with their digests. What
 * leads from a digest back to a scope is derived; all else is primary. */
#include "audit.h"

#include "attachment.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGEST_BYTES  PAWL_STORE_DIGEST_BYTES
#define WINDOW_BLOBS  65536u /* upload numbers whose owners are looked for at once */
#define TAG_HEAD      0u
#define ADVICE_UPLOAD "store the content again, or restore a backup"

typedef pawl_status (*visit_row)(pawl_audit *audit, pawl_kv_cursor *cursor, void *context, pawl_fault *fault);

static pawl_status walk(pawl_audit *audit, pawl_family family, visit_row visit, void *context, pawl_fault *fault)
{
    const pawl_bytes none = {NULL, 0};
    pawl_status status = PAWL_OK;
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(audit->kv, family, none, none);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    for (pawl_kv_cursor_seek(cursor, none); status == PAWL_OK && cursor->valid && pawl_store_audit_row(audit, family);
         pawl_kv_cursor_next(cursor))
        status = visit(audit, cursor, context, fault);
    if (status == PAWL_OK && !cursor->valid)
        pawl_store_audit_walked(audit, family, cursor);
    pawl_kv_cursor_close(cursor);
    return status;
}

/* The fields of a row; false when they cannot be read, which was told, then. */
static bool open_row(pawl_audit *audit, const pawl_audit_place *place, pawl_bytes value, const char *advice,
                     pawl_reader *row)
{
    pawl_fault bad = {0};
    if (pawl_row_open(row, place->family, place->key, value, &bad) == PAWL_OK)
        return true;
    pawl_store_audit_unreadable(audit, place, &bad, advice);
    return false;
}

typedef enum is_there { THERE, MISSING, UNREADABLE } is_there;

/* A row by its key, into audit->scratch. */
static is_there look_up(pawl_audit *audit, pawl_family family, const pawl_key *key, pawl_reader *row)
{
    pawl_fault bad = {0};
    pawl_bytes bytes = pawl_key_bytes(key);
    pawl_status status = pawl_kv_get(audit->kv, family, bytes, &audit->scratch, &bad);
    if (status == PAWL_E_NOT_FOUND)
        return MISSING;
    if (status == PAWL_OK)
        status = pawl_row_open(row, family, bytes, (pawl_bytes){audit->scratch.data, audit->scratch.size}, &bad);
    return status == PAWL_OK ? THERE : UNREADABLE;
}

/* ---- sessions ---- */

typedef struct session_walk {
    pawl_key session; /* the part of the key that names it */
    uint64_t revision;
    bool known; /* its revision */
} session_walk;

/* The name in front of a session's keys, with its length. */
static bool take_name(pawl_bytes key, size_t most, pawl_bytes *session, pawl_reader *rest)
{
    *rest = pawl_reader_of(key);
    uint32_t high = pawl_reader_u8(rest);
    size_t size = (size_t)high << 8 | pawl_reader_u8(rest);
    if (key.data == NULL || rest->bad || size > most || size > (size_t)(rest->end - rest->at))
        return false;
    rest->at += size;
    *session = (pawl_bytes){key.data, size + 2};
    return true;
}

static bool take_session(pawl_bytes key, pawl_bytes *session, pawl_reader *rest)
{
    return take_name(key, PAWL_STORE_ID_BYTES_MAX, session, rest);
}

static pawl_status check_session_row(pawl_audit *audit, pawl_kv_cursor *cursor, void *context, pawl_fault *fault)
{
    (void)fault;
    session_walk *own = context;
    pawl_bytes session;
    pawl_reader rest;
    pawl_reader row = {0};
    const pawl_audit_place place = {.family = PAWL_FAMILY_SESSION, .key = cursor->key};
    bool readable = open_row(audit, &place, cursor->value, PAWL_AUDIT_RESTORE, &row);
    if (!take_session(cursor->key, &session, &rest)) {
        pawl_store_audit_primary(audit, &place, "a key that names no session", "a session and a key",
                                 PAWL_AUDIT_RESTORE);
        return PAWL_OK;
    }
    bool is_head = pawl_reader_u8(&rest) == TAG_HEAD;
    bool is_new = !pawl_bytes_equal(session, pawl_key_bytes(&own->session));
    if (is_new) {
        pawl_key_start(&own->session);
        pawl_key_append(&own->session, session);
        audit->sessions++;
        if (!is_head)
            pawl_store_audit_primary(audit, &place, "a value of a session without a revision", "the revision",
                                     PAWL_AUDIT_RESTORE);
    }
    if (is_head && readable && pawl_reader_u64(&row) == 0)
        pawl_store_audit_primary(audit, &place, "revision 0", "at least 1", PAWL_AUDIT_RESTORE);
    return PAWL_OK;
}

/* A commit key must not name a revision that the session has not reached. */
static pawl_status check_commit_key(pawl_audit *audit, pawl_kv_cursor *cursor, void *context, pawl_fault *fault)
{
    (void)fault;
    session_walk *own = context;
    char found[96];
    pawl_bytes session;
    pawl_reader rest;
    pawl_reader row = {0};
    const pawl_audit_place place = {.family = PAWL_FAMILY_COMMIT_KEY, .key = cursor->key};
    if (!open_row(audit, &place, cursor->value, "were this commit sent again, it would be refused", &row))
        return PAWL_OK;
    uint64_t revision = pawl_reader_u64(&row);
    if (!take_session(cursor->key, &session, &rest)) {
        pawl_store_audit_primary(audit, &place, "a key that names no session", "a session and a commit key",
                                 PAWL_AUDIT_RESTORE);
        return PAWL_OK;
    }
    if (!pawl_bytes_equal(session, pawl_key_bytes(&own->session))) {
        pawl_key key;
        pawl_reader head = {0};
        pawl_key_start(&own->session);
        pawl_key_append(&own->session, session);
        pawl_key_start(&key);
        pawl_key_append(&key, session);
        pawl_key_u8(&key, TAG_HEAD);
        is_there there = look_up(audit, PAWL_FAMILY_SESSION, &key, &head);
        own->known = there != UNREADABLE;
        own->revision = there == THERE ? pawl_reader_u64(&head) : 0;
    }
    if (!own->known || (revision > 0 && revision <= own->revision))
        return PAWL_OK;
    snprintf(found, sizeof found, "a commit of revision %llu; the session has %llu", (unsigned long long)revision,
             (unsigned long long)own->revision);
    pawl_store_audit_primary(audit, &place, found, "one that the session has reached", PAWL_AUDIT_RESTORE);
    return PAWL_OK;
}

pawl_status pawl_store_audit_sessions(pawl_audit *audit, pawl_fault *fault)
{
    session_walk own = {0};
    pawl_status status = walk(audit, PAWL_FAMILY_SESSION, check_session_row, &own, fault);
    own = (session_walk){0};
    if (status == PAWL_OK)
        status = walk(audit, PAWL_FAMILY_COMMIT_KEY, check_commit_key, &own, fault);
    return status;
}

/* ---- contents, chunk by chunk ---- */

typedef struct content {
    pawl_family family;
    pawl_key prefix; /* a chunk's key is this and its index */
    uint64_t size;
    uint32_t index;
    uint64_t at;
    bool broken; /* told already */
    EVP_MD_CTX *hash;
} content;

static void check_chunk(pawl_audit *audit, content *own, pawl_kv_cursor *cursor)
{
    char found[96];
    pawl_reader row = {0};
    pawl_key wanted = own->prefix;
    const pawl_audit_place place = {.family = own->family, .key = cursor->key};
    pawl_key_u32(&wanted, own->index);
    if (!pawl_bytes_equal(pawl_key_bytes(&wanted), cursor->key)) {
        own->broken = true;
        pawl_store_audit_primary(audit, &place, "another chunk", "the next one of this content", ADVICE_UPLOAD);
        return;
    }
    if (!open_row(audit, &place, cursor->value, ADVICE_UPLOAD, &row)) {
        own->broken = true;
        return;
    }
    pawl_bytes part = pawl_reader_rest(&row);
    uint64_t left = own->size - own->at;
    if (part.size != (left < PAWL_STORE_CHUNK_BYTES ? left : PAWL_STORE_CHUNK_BYTES) || part.size == 0) {
        own->broken = true;
        snprintf(found, sizeof found, "a chunk of %zu bytes, %llu before the end", part.size, (unsigned long long)left);
        pawl_store_audit_primary(audit, &place, found, "chunks that are full, but for the last", ADVICE_UPLOAD);
        return;
    }
    EVP_DigestUpdate(own->hash, part.data, part.size);
    own->at += part.size;
    own->index++;
}

/* All chunks of a content, and its digest. Whatever is wrong is told once. */
static pawl_status check_content(pawl_audit *audit, content *own, const pawl_audit_place *owner, const uint8_t *digest,
                                 pawl_fault *fault)
{
    uint8_t made[DIGEST_BYTES];
    char found[96];
    own->hash = EVP_MD_CTX_new();
    pawl_key first = own->prefix;
    pawl_key_u32(&first, 0); /* behind the facts of an artifact, which have the prefix alone as their key */
    pawl_key end = own->prefix;
    (void)pawl_key_successor(&end);
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(audit->kv, own->family, pawl_key_bytes(&first), pawl_key_bytes(&end));
    pawl_status status = PAWL_OK;
    if (cursor == NULL || own->hash == NULL || EVP_DigestInit_ex(own->hash, EVP_sha256(), NULL) != 1)
        status = pawl_fault_nomem(fault);
    if (status == PAWL_OK) {
        for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&first)); cursor->valid && !own->broken && !audit->stopped;
             pawl_kv_cursor_next(cursor))
            check_chunk(audit, own, cursor);
        if (pawl_kv_cursor_status(cursor, fault) != PAWL_OK) {
            own->broken = true;
            pawl_store_audit_primary(audit, owner, fault->message, "content that can be read", ADVICE_UPLOAD);
            *fault = (pawl_fault){0};
        }
        if (!own->broken && own->at != own->size) {
            own->broken = true;
            snprintf(found, sizeof found, "%llu bytes in chunks", (unsigned long long)own->at);
            pawl_store_audit_primary(audit, owner, found, "as many as the content has", ADVICE_UPLOAD);
        }
        if (!own->broken && !audit->stopped && EVP_DigestFinal_ex(own->hash, made, NULL) == 1 &&
            memcmp(made, digest, sizeof made) != 0)
            pawl_store_audit_primary(audit, owner, "bytes with another digest", "the bytes that were stored",
                                     ADVICE_UPLOAD);
    }
    pawl_kv_cursor_close(cursor);
    EVP_MD_CTX_free(own->hash);
    return status;
}

/* ---- attachments ---- */

/* Does any row under the digest say that somebody links it? */
static pawl_status has_links(pawl_audit *audit, const uint8_t *digest, bool *ret, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_key_start(&prefix);
    pawl_key_u8(&prefix, 'd');
    pawl_key_append(&prefix, (pawl_bytes){digest, DIGEST_BYTES});
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(audit->kv, PAWL_FAMILY_LINK, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix));
    *ret = cursor->valid || pawl_kv_cursor_status(cursor, NULL) != PAWL_OK; /* in doubt nothing is collected */
    pawl_kv_cursor_close(cursor);
    return PAWL_OK;
}

/* What no scope links is loose, by its own row and by the one that collect looks for; all else is neither. */
static pawl_status check_loose(pawl_audit *audit, const pawl_audit_place *place, const uint8_t *digest,
                               pawl_store_blob *blob, pawl_fault *fault)
{
    pawl_key key;
    pawl_reader row = {0};
    bool linked = true;
    pawl_status status = has_links(audit, digest, &linked, fault);
    if (status != PAWL_OK)
        return status;
    audit->loose_attachments += !linked;
    if (linked && blob->loose_unix_ns != 0) {
        pawl_store_blob_tighten(&audit->fix, digest, blob);
        return pawl_store_audit_derived(audit, place, "content that is linked and to be collected",
                                        "content that stays", fault);
    }
    pawl_store_key_loose(&key, blob->loose_unix_ns, digest);
    if (linked || (blob->loose_unix_ns != 0 && look_up(audit, PAWL_FAMILY_ATTACHMENT, &key, &row) == THERE))
        return PAWL_OK;
    if (blob->loose_unix_ns == 0)
        blob->loose_unix_ns = blob->created_unix_ns == 0 ? 1 : blob->created_unix_ns;
    pawl_store_blob_put(&audit->fix, digest, blob);
    return pawl_store_audit_derived(audit, place, "content that nothing refers to and nobody would collect",
                                    "the row by which it is collected", fault);
}

static pawl_status check_content_row(pawl_audit *audit, pawl_kv_cursor *cursor, const pawl_audit_place *place,
                                     pawl_fault *fault)
{
    pawl_fault bad = {0};
    pawl_store_blob blob = {0};
    const uint8_t *digest = (const uint8_t *)cursor->key.data + 1;
    if (pawl_store_blob_decode(cursor->key, cursor->value, &blob, &bad) != PAWL_OK) {
        pawl_store_audit_unreadable(audit, place, &bad, ADVICE_UPLOAD);
        return PAWL_OK;
    }
    audit->attachments++;
    content own = {.family = PAWL_FAMILY_CHUNK, .size = blob.size};
    pawl_store_audit_ticket(audit, blob.number);
    pawl_key_start(&own.prefix);
    pawl_key_u64(&own.prefix, blob.number);
    pawl_status status = check_content(audit, &own, place, digest, fault);
    return status == PAWL_OK && !audit->stopped ? check_loose(audit, place, digest, &blob, fault) : status;
}

/* A row by which content is collected leads to content of the same moment. */
static pawl_status check_loose_row(pawl_audit *audit, pawl_kv_cursor *cursor, const pawl_audit_place *place,
                                   pawl_fault *fault)
{
    pawl_key key;
    pawl_reader row = {0};
    pawl_reader own = pawl_reader_of(cursor->key);
    pawl_reader_u8(&own);
    uint64_t loose = pawl_reader_u64(&own);
    pawl_key_start(&key);
    pawl_key_u8(&key, 'd');
    pawl_key_append(&key, (pawl_bytes){own.at, DIGEST_BYTES});
    is_there there = look_up(audit, PAWL_FAMILY_ATTACHMENT, &key, &row);
    for (int i = 0; i < 3 && there == THERE; i++)
        (void)pawl_reader_u64(&row);
    if (there == UNREADABLE || (there == THERE && pawl_reader_u64(&row) == loose))
        return PAWL_OK; /* its own check tells */
    pawl_batch_delete(&audit->fix, PAWL_FAMILY_ATTACHMENT, cursor->key);
    return pawl_store_audit_derived(audit, place, "a row by which content would be collected that is not loose", "none",
                                    fault);
}

static pawl_status check_attachment(pawl_audit *audit, pawl_kv_cursor *cursor, void *context, pawl_fault *fault)
{
    (void)context;
    pawl_reader row = {0};
    const uint8_t *key = cursor->key.data;
    const pawl_audit_place place = {.family = PAWL_FAMILY_ATTACHMENT, .key = cursor->key};
    if (cursor->key.size == 1 + DIGEST_BYTES && key[0] == 'd')
        return check_content_row(audit, cursor, &place, fault);
    if (cursor->key.size == 9 + DIGEST_BYTES && key[0] == 'g')
        return check_loose_row(audit, cursor, &place, fault);
    if (cursor->key.size != 9 || key[0] != 'u') {
        pawl_store_audit_primary(audit, &place, "a key of no known kind", "a digest or an upload", PAWL_AUDIT_RESTORE);
        return PAWL_OK;
    }
    if (!open_row(audit, &place, cursor->value, ADVICE_UPLOAD, &row))
        return PAWL_OK;
    pawl_reader number = pawl_reader_of((pawl_bytes){key + 1, 8});
    pawl_store_audit_ticket(audit, pawl_reader_u64(&number));
    audit->abandoned_uploads++;
    return PAWL_OK;
}

/* 's', scope, digest: the link. 'd', digest, scope: the way back. */
static pawl_status check_link(pawl_audit *audit, pawl_kv_cursor *cursor, pawl_fault *fault)
{
    pawl_key key;
    pawl_reader row = {0};
    pawl_reader rest;
    pawl_bytes scope;
    const uint8_t *data = cursor->key.data;
    const pawl_audit_place place = {.family = PAWL_FAMILY_LINK, .key = cursor->key};
    (void)open_row(audit, &place, cursor->value, ADVICE_UPLOAD, &row);
    if (!take_name((pawl_bytes){data + 1, cursor->key.size - 1}, PAWL_STORE_SCOPE_BYTES_MAX, &scope, &rest) ||
        (size_t)(rest.end - rest.at) != DIGEST_BYTES) {
        pawl_store_audit_primary(audit, &place, "a key of no known kind", "a scope and a digest", PAWL_AUDIT_RESTORE);
        return PAWL_OK;
    }
    const uint8_t *digest = rest.at;
    pawl_key_start(&key);
    pawl_key_u8(&key, 'd');
    pawl_key_append(&key, (pawl_bytes){digest, DIGEST_BYTES});
    if (look_up(audit, PAWL_FAMILY_ATTACHMENT, &key, &row) == MISSING)
        pawl_store_audit_primary(audit, &place, "a link to content that is not there", "the content", ADVICE_UPLOAD);
    pawl_key_append(&key, (pawl_bytes){(const uint8_t *)scope.data + 2, scope.size - 2});
    is_there there = look_up(audit, PAWL_FAMILY_LINK, &key, &row);
    if (there == THERE)
        return PAWL_OK;
    pawl_batch_mark(&audit->fix, PAWL_FAMILY_LINK, pawl_key_bytes(&key));
    return pawl_store_audit_derived(audit, &(pawl_audit_place){.family = PAWL_FAMILY_LINK, .key = pawl_key_bytes(&key)},
                                    there == MISSING ? "no row" : "a row that cannot be read",
                                    "the way from the digest back to the link", fault);
}

static pawl_status check_way_back(pawl_audit *audit, pawl_kv_cursor *cursor, pawl_fault *fault)
{
    pawl_key key;
    pawl_fault bad = {0};
    pawl_reader row = {0};
    const uint8_t *data = cursor->key.data;
    size_t size = cursor->key.size;
    bool readable = pawl_row_open(&row, PAWL_FAMILY_LINK, cursor->key, cursor->value, &bad) == PAWL_OK;
    is_there link = MISSING;
    if (size > 1 + DIGEST_BYTES && size <= 1 + DIGEST_BYTES + PAWL_STORE_SCOPE_BYTES_MAX) {
        pawl_key_start(&key);
        pawl_key_u8(&key, 's');
        pawl_key_part(&key, (pawl_bytes){data + 1 + DIGEST_BYTES, size - 1 - DIGEST_BYTES});
        pawl_key_append(&key, (pawl_bytes){data + 1, DIGEST_BYTES});
        link = look_up(audit, PAWL_FAMILY_LINK, &key, &row);
    }
    if (link == UNREADABLE || (link == THERE && readable))
        return PAWL_OK;
    if (link == THERE)
        return PAWL_OK; /* the link's own check tells, and makes it anew */
    pawl_batch_delete(&audit->fix, PAWL_FAMILY_LINK, cursor->key);
    return pawl_store_audit_derived(audit, &(pawl_audit_place){.family = PAWL_FAMILY_LINK, .key = cursor->key},
                                    "a way back to a link that is not there", "none", fault);
}

static pawl_status check_link_row(pawl_audit *audit, pawl_kv_cursor *cursor, void *context, pawl_fault *fault)
{
    (void)context;
    const uint8_t *data = cursor->key.data;
    if (cursor->key.size > 0 && data[0] == 's')
        return check_link(audit, cursor, fault);
    return check_way_back(audit, cursor, fault);
}

/* ---- chunks that belong to nothing ----
 * From a chunk no row leads to its content. So the numbers of many chunks are taken at once, the contents are walked,
 * and those that none of them names are left: memory is bounded, whatever the store holds. */

typedef struct window {
    uint64_t numbers[WINDOW_BLOBS]; /* ascending */
    bool owned[WINDOW_BLOBS];
    size_t count;
} window;

static void mark_owned(window *own, uint64_t blob)
{
    size_t low = 0;
    size_t high = own->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (own->numbers[middle] < blob)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < own->count && own->numbers[low] == blob)
        own->owned[low] = true;
}

static pawl_status judge_window(pawl_audit *audit, window *own, pawl_fault *fault)
{
    const pawl_bytes none = {NULL, 0};
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(audit->kv, PAWL_FAMILY_ATTACHMENT, none, none);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    bool sure = true;
    for (pawl_kv_cursor_seek(cursor, none); cursor->valid; pawl_kv_cursor_next(cursor)) {
        pawl_fault bad = {0};
        const uint8_t *data = cursor->key.data;
        pawl_reader row = {0};
        bool is_upload = cursor->key.size == 9 && data[0] == 'u';
        if (cursor->key.size == 9 + DIGEST_BYTES && data[0] == 'g')
            continue;
        if (is_upload)
            row = pawl_reader_of((pawl_bytes){data + 1, 8});
        else if (pawl_row_open(&row, PAWL_FAMILY_ATTACHMENT, cursor->key, cursor->value, &bad) != PAWL_OK)
            sure = false; /* it may be the owner of any */
        mark_owned(own, pawl_reader_u64(&row));
    }
    sure = sure && pawl_kv_cursor_status(cursor, NULL) == PAWL_OK;
    pawl_kv_cursor_close(cursor);
    for (size_t i = 0; i < own->count && sure; i++) {
        pawl_key key;
        pawl_key_start(&key);
        pawl_key_u64(&key, own->numbers[i]);
        if (!own->owned[i])
            pawl_store_audit_primary(
                audit, &(pawl_audit_place){.family = PAWL_FAMILY_CHUNK, .key = pawl_key_bytes(&key)},
                "chunks of a content that nothing names", "the row with its digest", ADVICE_UPLOAD);
    }
    own->count = 0;
    memset(own->owned, 0, sizeof own->owned);
    return PAWL_OK;
}

static pawl_status take_chunk(pawl_audit *audit, pawl_kv_cursor *cursor, void *context, pawl_fault *fault)
{
    window *own = context;
    pawl_reader key = pawl_reader_of(cursor->key);
    uint64_t blob = pawl_reader_u64(&key);
    pawl_store_audit_ticket(audit, blob);
    if (own->count > 0 && own->numbers[own->count - 1] == blob)
        return PAWL_OK;
    pawl_status status = own->count == WINDOW_BLOBS ? judge_window(audit, own, fault) : PAWL_OK;
    own->numbers[own->count++] = blob;
    return status;
}

pawl_status pawl_store_audit_attachments(pawl_audit *audit, pawl_fault *fault)
{
    /* Links first: what they lead to is judged by the ways back, which are mended with them. */
    pawl_status status = walk(audit, PAWL_FAMILY_LINK, check_link_row, NULL, fault);
    if (status == PAWL_OK && !audit->stopped)
        status = walk(audit, PAWL_FAMILY_ATTACHMENT, check_attachment, NULL, fault);
    window *own = status == PAWL_OK && !audit->stopped ? calloc(1, sizeof *own) : NULL;
    if (own == NULL)
        return status == PAWL_OK && !audit->stopped ? pawl_fault_nomem(fault) : status;
    status = walk(audit, PAWL_FAMILY_CHUNK, take_chunk, own, fault);
    if (status == PAWL_OK && !audit->stopped)
        status = judge_window(audit, own, fault);
    free(own);
    return status;
}

/* ---- artifacts ---- */

static pawl_status check_artifact(pawl_audit *audit, pawl_kv_cursor *cursor, void *context, pawl_fault *fault)
{
    (void)context;
    pawl_key key;
    pawl_reader row = {0};
    const pawl_audit_place place = {.family = PAWL_FAMILY_ARTIFACT, .key = cursor->key};
    pawl_key_start(&key);
    if (cursor->key.size == DIGEST_BYTES + 4) { /* its facts are in front of it, or an interrupted put left it */
        pawl_key_append(&key, (pawl_bytes){cursor->key.data, DIGEST_BYTES});
        audit->leftover_chunks += look_up(audit, PAWL_FAMILY_ARTIFACT, &key, &row) == MISSING;
        return PAWL_OK;
    }
    if (cursor->key.size != DIGEST_BYTES) {
        pawl_store_audit_primary(audit, &place, "a key of no known kind", "a digest", PAWL_AUDIT_RESTORE);
        return PAWL_OK;
    }
    if (!open_row(audit, &place, cursor->value, ADVICE_UPLOAD, &row))
        return PAWL_OK;
    audit->artifacts++;
    content own = {.family = PAWL_FAMILY_ARTIFACT, .size = pawl_reader_u64(&row)};
    pawl_key_start(&own.prefix);
    pawl_key_append(&own.prefix, cursor->key);
    return check_content(audit, &own, &place, cursor->key.data, fault);
}

static pawl_status check_holder(pawl_audit *audit, pawl_kv_cursor *cursor, void *context, pawl_fault *fault)
{
    (void)context;
    (void)fault;
    pawl_key key;
    pawl_reader row = {0};
    const pawl_audit_place place = {.family = PAWL_FAMILY_HOLDER, .key = cursor->key};
    if (!open_row(audit, &place, cursor->value, ADVICE_UPLOAD, &row))
        return PAWL_OK;
    pawl_key_start(&key);
    if (cursor->key.size > DIGEST_BYTES) {
        pawl_key_append(&key, (pawl_bytes){cursor->key.data, DIGEST_BYTES});
        if (look_up(audit, PAWL_FAMILY_ARTIFACT, &key, &row) != MISSING)
            return PAWL_OK;
    }
    pawl_store_audit_primary(audit, &place, "a holder of an artifact that is not there", "the artifact", ADVICE_UPLOAD);
    return PAWL_OK;
}

pawl_status pawl_store_audit_artifacts(pawl_audit *audit, pawl_fault *fault)
{
    pawl_status status = walk(audit, PAWL_FAMILY_ARTIFACT, check_artifact, NULL, fault);
    if (status == PAWL_OK && !audit->stopped)
        status = walk(audit, PAWL_FAMILY_HOLDER, check_holder, NULL, fault);
    return status;
}
