/* session.c: the state of the calling process's session. The key of a commit is the key of the call, so an
 * attempt that is repeated, by whichever worker, is answered with what the first one did.
 *
 *     get     input: KEY                          output: REVISION, then, when the key is there, "\n" VALUE
 *     scan    input: PREFIX                       output: REVISION "\n", then of each: SIZE " " SIZE "\n" KEY VALUE
 * "\n" commit  input: REVISION or "any" "\n", then of each change: ("put", "new" or "delete") " " SIZE " " SIZE "\n"
 *             KEY VALUE "\n"                      output: REVISION
 */
#include "host/builtin/builtin.h"

#include "worker/base/sink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX 4096u

pawl_status pawl_builtin_no_session(pawl_builtin_call *own)
{
    return pawl_builtin_fail(own, PAWL_E_NOT_FOUND, PAWL_TERMINAL, "session.none",
                             "the process belongs to no session, so it has no session state; start it with one", NULL);
}

static pawl_status invalid(pawl_builtin_call *own, const char *message)
{
    return pawl_builtin_fail(own, PAWL_E_INVALID, PAWL_TERMINAL, "session.invalid", message, NULL);
}

pawl_status pawl_builtin_session_get(pawl_builtin_call *own)
{
    uint64_t revision = 0;
    pawl_bytes session = own->call->context->session;
    if (session.size == 0)
        return pawl_builtin_no_session(own);
    pawl_sink value;
    pawl_failure_slot unsaid; /* an absent key is no failure */
    pawl_failure_init(&unsaid);
    pawl_sink_init(&value, SIZE_MAX);
    pawl_status status = own->facet->session_table->get(own->facet->session_store, session, own->call->input, &value,
                                                        &revision, &unsaid);
    bool there = status == PAWL_OK;
    if (status == PAWL_E_NOT_FOUND)
        status = PAWL_OK;
    else if (status != PAWL_OK && unsaid.set)
        pawl_failure_tell(own->why, &unsaid.failure);
    if (status == PAWL_OK)
        status = pawl_builtin_writef(own, "%" PRIu64 "%s", revision, there ? "\n" : "");
    if (status == PAWL_OK && there) {
        pawl_bytes bytes = pawl_sink_bytes(&value);
        status = pawl_sink_write(own->out, bytes.data, bytes.size);
    }
    pawl_sink_finish(&value);
    pawl_failure_finish(&unsaid);
    return status;
}

/* The rows are gathered first: the revision comes in front, and is known last. */
typedef struct scanning {
    pawl_sink rows;
    pawl_status status;
} scanning;

static int32_t PAWL_CALL take_value(void *context, pawl_bytes key, pawl_bytes value)
{
    scanning *scan = context;
    char sizes[64];
    int size = snprintf(sizes, sizeof sizes, "%zu %zu\n", key.size, value.size);
    scan->status = pawl_sink_write(&scan->rows, sizes, (size_t)size);
    if (scan->status == PAWL_OK)
        scan->status = pawl_sink_write(&scan->rows, key.data, key.size);
    if (scan->status == PAWL_OK)
        scan->status = pawl_sink_write(&scan->rows, value.data, value.size);
    if (scan->status == PAWL_OK)
        scan->status = pawl_sink_write(&scan->rows, "\n", 1);
    return scan->status != PAWL_OK;
}

pawl_status pawl_builtin_session_scan(pawl_builtin_call *own)
{
    uint64_t revision = 0;
    pawl_bytes session = own->call->context->session;
    if (session.size == 0)
        return pawl_builtin_no_session(own);
    scanning scan = {.status = PAWL_OK};
    pawl_sink_init(&scan.rows, own->out->limit);
    pawl_status status = own->facet->session_table->scan(own->facet->session_store, session, own->call->input,
                                                         take_value, &scan, &revision, own->why);
    if (status == PAWL_OK)
        status = scan.status;
    if (status == PAWL_OK)
        status = pawl_builtin_writef(own, "%" PRIu64 "\n", revision);
    pawl_bytes rows = pawl_sink_bytes(&scan.rows);
    if (status == PAWL_OK)
        status = pawl_sink_write(own->out, rows.data, rows.size);
    pawl_sink_finish(&scan.rows);
    if (status == PAWL_E_LIMIT)
        return pawl_builtin_fail(own, status, PAWL_TERMINAL, "session.too_large",
                                 "what has this prefix is larger than a value may be; scan with a longer prefix", NULL);
    return status;
}

static bool kind_of(pawl_bytes word, uint32_t *kind)
{
    static const struct {
        const char *word;
        uint32_t kind;
    } kinds[] = {{"put", PAWL_SESSION_PUT}, {"new", PAWL_SESSION_PUT_NEW}, {"delete", PAWL_SESSION_DELETE}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (word.size != strlen(kinds[i].word) || memcmp(word.data, kinds[i].word, word.size) != 0)
            continue;
        *kind = kinds[i].kind;
        return true;
    }
    return false;
}

static bool read_change(pawl_bytes *input, pawl_session_change *change)
{
    pawl_bytes line, word, newline;
    uint64_t key = 0;
    uint64_t value = 0;
    *change = (pawl_session_change){.struct_size = sizeof *change};
    return pawl_builtin_line(input, &line) && pawl_builtin_word(&line, &word) && kind_of(word, &change->kind) &&
           pawl_builtin_number(&line, &key) && pawl_builtin_number(&line, &value) && line.size == 0 &&
           pawl_builtin_take(input, key, &change->key) && pawl_builtin_take(input, value, &change->value) &&
           pawl_builtin_take(input, 1, &newline) && *(const char *)newline.data == '\n';
}

static bool read_expected(pawl_bytes *input, uint64_t *expected)
{
    pawl_bytes line;
    *expected = PAWL_REVISION_ANY;
    if (!pawl_builtin_line(input, &line))
        return false;
    return (line.size == 3 && memcmp(line.data, "any", 3) == 0) ||
           (pawl_builtin_number(&line, expected) && line.size == 0);
}

pawl_status pawl_builtin_stale(pawl_builtin_call *own, uint64_t revision, uint64_t expected)
{
    char text[64];
    char message[128];
    snprintf(text, sizeof text, "{\"revision\":%" PRIu64 "}", revision);
    snprintf(message, sizeof message, "the session has revision %" PRIu64 ", not the expected %" PRIu64, revision,
             expected);
    return pawl_builtin_fail(own, PAWL_E_STALE, PAWL_TERMINAL, "session.stale", message, text);
}

static pawl_status commit(pawl_builtin_call *own, uint64_t expected, const pawl_session_change *const *changes,
                          size_t count)
{
    char key[PAWL_BUILTIN_KEY_MAX + 1];
    uint64_t revision = 0;
    pawl_status status = pawl_builtin_key(own, key);
    if (status != PAWL_OK)
        return status;
    pawl_failure_slot unsaid; /* a provider does not say the revision in a way that a program could read */
    pawl_failure_init(&unsaid);
    status = own->facet->session_table->commit(own->facet->session_store, own->call->context->session, expected,
                                               pawl_bytes_text(key), changes, count, &revision, &unsaid);
    if (status == PAWL_OK) {
        status = pawl_builtin_writef(own, "%" PRIu64, revision);
    } else if (status == PAWL_E_STALE) {
        (void)pawl_builtin_stale(own, revision, expected);
    } else if (unsaid.set) {
        pawl_failure_tell(own->why, &unsaid.failure);
    }
    pawl_failure_finish(&unsaid);
    return status;
}

pawl_status pawl_builtin_commit_read(pawl_builtin_call *own, pawl_bytes input, pawl_builtin_commit *ret)
{
    *ret = (pawl_builtin_commit){0};
    if (!read_expected(&input, &ret->expected))
        return invalid(own, "the first line of a commit is the expected revision, or \"any\"");
    ret->changes = calloc(CHANGES_MAX, sizeof *ret->changes);
    ret->list = calloc(CHANGES_MAX, sizeof *ret->list);
    if (ret->changes == NULL || ret->list == NULL)
        return PAWL_E_NOMEM;
    for (; input.size > 0; ret->count++) {
        if (ret->count == CHANGES_MAX)
            return pawl_builtin_fail(own, PAWL_E_LIMIT, PAWL_TERMINAL, "session.limit",
                                     "a session commit has at most 4096 changes", NULL);
        if (!read_change(&input, &ret->changes[ret->count]))
            return invalid(own, "a change of a commit is \"put|new|delete SIZE SIZE\\n\", the key, the value, \"\\n\"");
        ret->list[ret->count] = &ret->changes[ret->count];
    }
    return PAWL_OK;
}

void pawl_builtin_commit_finish(pawl_builtin_commit *commit)
{
    free(commit->list);
    free(commit->changes);
}

pawl_status pawl_builtin_session_commit(pawl_builtin_call *own)
{
    pawl_builtin_commit wanted;
    if (own->call->context->session.size == 0)
        return pawl_builtin_no_session(own);
    pawl_status status = pawl_builtin_commit_read(own, own->call->input, &wanted);
    if (status == PAWL_OK)
        status = commit(own, wanted.expected, wanted.list, wanted.count);
    pawl_builtin_commit_finish(&wanted);
    return status;
}
