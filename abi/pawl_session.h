/* pawl_session.h: the state and the attachments of a process's session, for process code. Inline functions over calls
 * of the host's own operations ("pawl.session.get" and so on): each is a call like any other, recorded in the journal
 * and answered from it when the code is run again. Nothing of it is ABI and it keeps no state. C99 and later, C++11 and
 * later. docs/process-code.md has the rules.
 *
 *     pawl_bytes count;
 *     uint64_t revision;
 *     pawl_status status = pawl_session_get(p, "count", &count, &revision);
 *     if (status != PAWL_E_NOT_FOUND)
 *         PAWL_TRY(status);
 *     status = pawl_session_put(p, revision, "count", more, &revision);
 *     if (status == PAWL_E_STALE) ... somebody else was faster, and the session now has that revision ...
 *
 * Every function is [instance], inside activate. Bytes that come out live until activate returns. */
#ifndef PAWL_SESSION_H
#define PAWL_SESSION_H

#include "pawl_process.h"

/* ---- reading the texts of the operations ------------------------------------------------------------------------- */

/* A decimal number from the front of text, which loses it. */
PAWL_INLINE_ uint64_t pawl_session_number_(pawl_bytes *text)
{
    const char *data = (const char *)text->data;
    uint64_t number = 0;
    size_t used = 0;
    for (; used < text->size && data[used] >= '0' && data[used] <= '9'; used++)
        number = number * 10 + (uint64_t)(data[used] - '0');
    text->data = used == 0 ? text->data : data + used;
    text->size -= used;
    return number;
}

/* size bytes from the front of text, which loses them; fewer when there are no more. */
PAWL_INLINE_ pawl_bytes pawl_session_take_(pawl_bytes *text, uint64_t size)
{
    size_t taken = size < text->size ? (size_t)size : text->size;
    pawl_bytes bytes = pawl_bytes_of(text->data, taken);
    if (taken > 0)
        text->data = (const char *)text->data + taken;
    text->size -= taken;
    return bytes;
}

/* ---- state ------------------------------------------------------------------------------------------------------- */
/* All fail with "session.none" (PAWL_E_FAILED) in a process that belongs to no session. */

PAWL_INLINE_ pawl_future pawl_start_session_get(pawl_process *p, const char *key)
{
    return pawl_start_call(p, "pawl.session.get", pawl_bytes_of_text(key));
}

/* Of a future that has come. PAWL_E_NOT_FOUND: the key is not there. *revision: of the session at that moment, 0 when
 * nothing was ever committed. Either may be NULL. */
PAWL_INLINE_ pawl_status pawl_session_got(pawl_process *p, pawl_future future, pawl_bytes *value, uint64_t *revision)
{
    pawl_bytes text;
    uint64_t found;
    pawl_status status = pawl_result(p, future, &text);
    if (status != PAWL_OK)
        return status;
    found = pawl_session_number_(&text);
    if (revision != NULL)
        *revision = found;
    if (text.size == 0)
        return PAWL_E_NOT_FOUND;
    (void)pawl_session_take_(&text, 1);
    if (value != NULL)
        *value = text;
    return PAWL_OK;
}

/* The value of a key. */
PAWL_INLINE_ pawl_status pawl_session_get(pawl_process *p, const char *key, pawl_bytes *value, uint64_t *revision)
{
    pawl_future future = pawl_start_session_get(p, key);
    pawl_status status = pawl_await(p, future);
    return status == PAWL_OK ? pawl_session_got(p, future, value, revision) : status;
}

/* The keys with a prefix, in order, and their values, all of one revision:
 *
 *     pawl_bytes rows, key, value;
 *     PAWL_TRY(pawl_session_scan(p, "order/", &rows, &revision));
 *     while (pawl_session_next(&rows, &key, &value)) ...
 *
 * They must fit into one value together, else it fails with "session.too_large". */
PAWL_INLINE_ pawl_status pawl_session_scan(pawl_process *p, const char *prefix, pawl_bytes *rows, uint64_t *revision)
{
    uint64_t found;
    PAWL_TRY(pawl_call(p, "pawl.session.scan", pawl_bytes_of_text(prefix), rows));
    found = pawl_session_number_(rows);
    (void)pawl_session_take_(rows, 1);
    if (revision != NULL)
        *revision = found;
    return PAWL_OK;
}

/* Take the first of the rows of a scan. 0: there is none left. */
PAWL_INLINE_ int pawl_session_next(pawl_bytes *rows, pawl_bytes *key, pawl_bytes *value)
{
    uint64_t key_size, value_size;
    if (rows->size == 0)
        return 0;
    key_size = pawl_session_number_(rows);
    (void)pawl_session_take_(rows, 1);
    value_size = pawl_session_number_(rows);
    (void)pawl_session_take_(rows, 1);
    *key = pawl_session_take_(rows, key_size);
    *value = pawl_session_take_(rows, value_size);
    (void)pawl_session_take_(rows, 1);
    return 1;
}

PAWL_INLINE_ pawl_session_change pawl_session_change_(uint32_t kind, pawl_bytes key, pawl_bytes value)
{
    pawl_session_change change;
    change.struct_size = sizeof change;
    change.kind = kind;
    change.key = key;
    change.value = value;
    return change;
}

/* Changes for a commit: set a key; set it only if it is not there (else the commit fails with "session.exists"); remove
 * it. */
PAWL_INLINE_ pawl_session_change pawl_change_put(const char *key, pawl_bytes value)
{
    return pawl_session_change_(PAWL_SESSION_PUT, pawl_bytes_of_text(key), value);
}

PAWL_INLINE_ pawl_session_change pawl_change_put_new(const char *key, pawl_bytes value)
{
    return pawl_session_change_(PAWL_SESSION_PUT_NEW, pawl_bytes_of_text(key), value);
}

PAWL_INLINE_ pawl_session_change pawl_change_delete(const char *key)
{
    return pawl_session_change_(PAWL_SESSION_DELETE, pawl_bytes_of_text(key), pawl_bytes_of("", 0));
}

PAWL_INLINE_ const char *pawl_session_word_(uint32_t kind)
{
    return kind == PAWL_SESSION_PUT ? "put" : kind == PAWL_SESSION_DELETE ? "delete" : "new";
}

/* What a commit says, behind a head; its data is NULL when there is no memory. */
PAWL_INLINE_ pawl_bytes pawl_session_commit_text_(pawl_process *p, pawl_bytes head, uint64_t expected_revision,
                                                  const pawl_session_change *changes, size_t count)
{
    size_t room = 32 + head.size, used = head.size, i;
    char *text;
    for (i = 0; i < count; i++)
        room += 64 + changes[i].key.size + changes[i].value.size;
    text = (char *)pawl_alloc(p, room);
    if (text == NULL)
        return pawl_bytes_of(NULL, 0);
    if (head.size > 0)
        memcpy(text, head.data, head.size);
    if (expected_revision == PAWL_REVISION_ANY)
        used += (size_t)snprintf(text + used, room - used, "any\n");
    else
        used += (size_t)snprintf(text + used, room - used, "%llu\n", (unsigned long long)expected_revision);
    for (i = 0; i < count; i++) {
        const pawl_session_change *change = &changes[i];
        used += (size_t)snprintf(text + used, room - used, "%s %llu %llu\n", pawl_session_word_(change->kind),
                                 (unsigned long long)change->key.size, (unsigned long long)change->value.size);
        if (change->key.size > 0)
            memcpy(text + used, change->key.data, change->key.size);
        used += change->key.size;
        if (change->value.size > 0)
            memcpy(text + used, change->value.data, change->value.size);
        used += change->value.size;
        text[used++] = '\n';
    }
    return pawl_bytes_of(text, used);
}

/* Start to commit changes, all or none of them. The key of the call makes a repeated attempt a no-op. */
PAWL_INLINE_ pawl_future pawl_start_session_commit(pawl_process *p, uint64_t expected_revision,
                                                   const pawl_session_change *changes, size_t count)
{
    pawl_bytes text = pawl_session_commit_text_(p, pawl_bytes_of("", 0), expected_revision, changes, count);
    return text.data == NULL ? 0 : pawl_start_call(p, "pawl.session.commit", text);
}

/* Of a future that has come. PAWL_OK: *revision is that of this commit. PAWL_E_STALE: nothing was changed, and
 * *revision is the one that the session has. PAWL_E_FAILED: nothing was changed; pawl_result_failure says why. */
PAWL_INLINE_ pawl_status pawl_session_committed(pawl_process *p, pawl_future future, uint64_t *revision)
{
    pawl_bytes text;
    pawl_failure failure;
    pawl_status status = pawl_result(p, future, &text);
    if (status == PAWL_E_FAILED && pawl_result_failure(p, future, &failure) == PAWL_OK &&
        pawl_is(failure.code, "session.stale")) {
        const char *colon = (const char *)memchr(failure.detail_json.data, ':', failure.detail_json.size);
        text = failure.detail_json;
        if (colon != NULL)
            (void)pawl_session_take_(&text, (uint64_t)(colon - (const char *)text.data) + 1);
        while (text.size > 0 && *(const char *)text.data == ' ')
            (void)pawl_session_take_(&text, 1);
        status = PAWL_E_STALE;
    }
    if (revision != NULL && (status == PAWL_OK || status == PAWL_E_STALE))
        *revision = pawl_session_number_(&text);
    return status;
}

/* Commit changes to the session's state if it still has this revision (PAWL_REVISION_ANY: whichever it has). */
PAWL_INLINE_ pawl_status pawl_session_commit(pawl_process *p, uint64_t expected_revision,
                                             const pawl_session_change *changes, size_t count, uint64_t *revision)
{
    pawl_future future = pawl_start_session_commit(p, expected_revision, changes, count);
    pawl_status status = pawl_await(p, future);
    return status == PAWL_OK ? pawl_session_committed(p, future, revision) : status;
}

/* One key. */
PAWL_INLINE_ pawl_status pawl_session_put(pawl_process *p, uint64_t expected_revision, const char *key,
                                          pawl_bytes value, uint64_t *revision)
{
    pawl_session_change change = pawl_change_put(key, value);
    return pawl_session_commit(p, expected_revision, &change, 1, revision);
}

/* ---- attachments ------------------------------------------------------------------------------------------------- */
/* Of the session, or of the process alone when it has none. Content that is larger than a value is put and read by
 * effects, through pawl.attachments/1; its reference is a value like any other. */

/* Store content; *reference is "sha256:" and 64 hex digits, the same for the same content. media_type and name are for
 * people, without newlines; either may be "". */
PAWL_INLINE_ pawl_status pawl_attach(pawl_process *p, pawl_bytes content, const char *media_type, const char *name,
                                     pawl_bytes *reference)
{
    size_t type_size = strlen(media_type), name_size = strlen(name);
    char *text = (char *)pawl_alloc(p, type_size + name_size + 2 + content.size);
    if (text == NULL)
        return PAWL_E_NOMEM;
    if (strchr(media_type, '\n') != NULL || strchr(name, '\n') != NULL)
        return PAWL_E_INVALID;
    memcpy(text, media_type, type_size);
    text[type_size] = '\n';
    memcpy(text + type_size + 1, name, name_size);
    text[type_size + 1 + name_size] = '\n';
    if (content.size > 0)
        memcpy(text + type_size + name_size + 2, content.data, content.size);
    return pawl_call(p, "pawl.attachment.put", pawl_bytes_of(text, type_size + name_size + 2 + content.size),
                     reference);
}

/* Up to size bytes from offset; fewer only at the end of the content. Fails with "attachment.not_found" when the
 * session does not hold it. */
PAWL_INLINE_ pawl_status pawl_attachment_read(pawl_process *p, pawl_bytes reference, uint64_t offset, uint64_t size,
                                              pawl_bytes *content)
{
    pawl_bytes input = pawl_printf(p, "%.*s %llu %llu", (int)reference.size, (const char *)reference.data,
                                   (unsigned long long)offset, (unsigned long long)size);
    return pawl_call(p, "pawl.attachment.read", input, content);
}

/* One attachment of a list. */
typedef struct pawl_attached {
    pawl_bytes reference;
    pawl_bytes media_type;
    pawl_bytes name;
    uint64_t size;
} pawl_attached;

/* All of them, by reference; pawl_attachment_next takes one after the other. */
PAWL_INLINE_ pawl_status pawl_attachment_list(pawl_process *p, pawl_bytes *rows)
{
    return pawl_call(p, "pawl.attachment.list", pawl_bytes_of("", 0), rows);
}

/* 0: there is none left. */
PAWL_INLINE_ int pawl_attachment_next(pawl_bytes *rows, pawl_attached *attached)
{
    uint64_t type_size, name_size;
    if (rows->size == 0)
        return 0;
    attached->reference = pawl_session_take_(rows, 71);
    (void)pawl_session_take_(rows, 1);
    attached->size = pawl_session_number_(rows);
    (void)pawl_session_take_(rows, 1);
    type_size = pawl_session_number_(rows);
    (void)pawl_session_take_(rows, 1);
    name_size = pawl_session_number_(rows);
    (void)pawl_session_take_(rows, 1);
    attached->media_type = pawl_session_take_(rows, type_size);
    attached->name = pawl_session_take_(rows, name_size);
    (void)pawl_session_take_(rows, 1);
    return 1;
}

/* Let it go. The content goes when nobody else holds it. Dropping what is not held is no failure. */
PAWL_INLINE_ pawl_status pawl_attachment_drop(pawl_process *p, pawl_bytes reference)
{
    return pawl_call(p, "pawl.attachment.drop", reference, NULL);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* Append an event of a type that this process's type declares. key: it stands once under it; NULL: one is made, so that
 * the event stands once for this place of the program. payload: JSON. *sequence (may be NULL): its place in the
 * journal. PAWL_E_FAILED when it is refused: "event.payload" and so on (docs/events.md). */
PAWL_INLINE_ pawl_status pawl_emit(pawl_process *p, const char *type, const char *key, pawl_bytes payload,
                                   uint64_t *sequence)
{
    size_t type_size = strlen(type), key_size = key == NULL ? 0 : strlen(key), used;
    size_t room = 48 + type_size + key_size + payload.size;
    char *text = (char *)pawl_alloc(p, room);
    pawl_bytes output;
    if (text == NULL)
        return PAWL_E_NOMEM;
    used = (size_t)snprintf(text, room, "%llu %llu\n%s%s", (unsigned long long)type_size, (unsigned long long)key_size,
                            type, key == NULL ? "" : key);
    if (payload.size > 0)
        memcpy(text + used, payload.data, payload.size);
    PAWL_TRY(pawl_call(p, "pawl.event.append", pawl_bytes_of(text, used + payload.size), &output));
    if (sequence != NULL)
        *sequence = pawl_session_number_(&output);
    return PAWL_OK;
}

#endif /* PAWL_SESSION_H */
