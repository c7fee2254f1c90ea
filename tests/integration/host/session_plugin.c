/* session_plugin.c: see session_plugin.h. */
#include "session_plugin.h"

#include <inttypes.h>
#include <pawl_session.h>

/* Adds its input to "count", however many do the same at once. */
static pawl_status bump(pawl_process *p)
{
    for (;;) {
        pawl_bytes before = pawl_text("0");
        uint64_t revision = 77;
        pawl_status status = pawl_session_get(p, "count", &before, &revision);
        if (status != PAWL_E_NOT_FOUND)
            PAWL_TRY(status);
        long long sum = strtoll(pawl_cstring(p, before), NULL, 10) + strtoll(pawl_cstring(p, pawl_input(p)), NULL, 10);
        pawl_bytes after = pawl_printf(p, "%lld", sum);
        status = pawl_session_put(p, revision, "count", after, NULL);
        if (status == PAWL_E_STALE)
            continue;
        PAWL_TRY(status);
        return pawl_complete(p, after);
    }
}

/* Commits against a revision that is not there, and says what it learned. */
static pawl_status stale(pawl_process *p)
{
    uint64_t revision = 0;
    pawl_status status = pawl_session_put(p, 999, "count", pawl_text("lost"), &revision);
    if (status == PAWL_OK || status == PAWL_SUSPEND)
        return status;
    return pawl_complete(p, pawl_printf(p, "[%d,%" PRIu64 "]", (int)status, revision));
}

/* Three keys, one of them binary, one removed again; then all with a prefix. */
static pawl_status scan(pawl_process *p)
{
    static const char binary[] = {0, '\n', ' ', (char)0xff};
    uint64_t first = 0, second = 0, seen = 0;
    pawl_session_change changes[4];
    pawl_bytes rows, key, value;
    changes[0] = pawl_change_put("a/1", pawl_bytes_of(binary, sizeof binary));
    changes[1] = pawl_change_put("a/2", pawl_text("2"));
    changes[2] = pawl_change_put("a/3", pawl_text(""));
    changes[3] = pawl_change_put("b", pawl_text("no"));
    PAWL_TRY(pawl_session_commit(p, PAWL_REVISION_ANY, changes, 4, &first));
    changes[0] = pawl_change_delete("a/2");
    PAWL_TRY(pawl_session_commit(p, first, changes, 1, &second));
    PAWL_TRY(pawl_session_scan(p, "a/", &rows, &seen));
    if (second != first + 1 || seen != second || !pawl_session_next(&rows, &key, &value) || !pawl_is(key, "a/1") ||
        !pawl_bytes_equal(value, pawl_bytes_of(binary, sizeof binary)) || !pawl_session_next(&rows, &key, &value) ||
        !pawl_is(key, "a/3") || value.size != 0 || pawl_session_next(&rows, &key, &value))
        return pawl_fail(p, "test.scan", "the scan is not what was committed");
    return pawl_complete(p, pawl_text("\"scanned\""));
}

/* Writes "once" and returns how that went. */
static pawl_status once(pawl_process *p)
{
    pawl_session_change change = pawl_change_put_new("once", pawl_input(p));
    PAWL_TRY(pawl_session_commit(p, PAWL_REVISION_ANY, &change, 1, NULL));
    return pawl_complete(p, pawl_text("true"));
}

static pawl_status attach(pawl_process *p)
{
    pawl_bytes first, again, part, rows, gone;
    pawl_attached found;
    PAWL_TRY(pawl_attach(p, pawl_text("some content"), "text/plain", "a note", &first));
    PAWL_TRY(pawl_attach(p, pawl_text("some content"), "text/plain", "the note", &again));
    PAWL_TRY(pawl_attachment_read(p, first, 5, 100, &part));
    PAWL_TRY(pawl_attachment_list(p, &rows));
    if (!pawl_bytes_equal(first, again) || !pawl_is(part, "content") || !pawl_attachment_next(&rows, &found) ||
        !pawl_bytes_equal(found.reference, first) || !pawl_is(found.media_type, "text/plain") ||
        !pawl_is(found.name, "the note") || found.size != 12 || pawl_attachment_next(&rows, &found))
        return pawl_fail(p, "test.attach", "the attachment is not what was put");
    if (pawl_is(pawl_input(p), "\"keep\""))
        return pawl_complete(p, pawl_text("\"kept\""));
    PAWL_TRY(pawl_attachment_drop(p, first));
    PAWL_TRY(pawl_attachment_drop(p, first));
    return pawl_attachment_read(p, first, 0, 1, &gone); /* fails: it is not there any more */
}

PAWL_PROCESSES(PAWL_TYPE("state.bump", 1, bump), PAWL_TYPE("state.stale", 1, stale), PAWL_TYPE("state.scan", 1, scan),
               PAWL_TYPE("state.once", 1, once), PAWL_TYPE("state.attach", 1, attach))

#define PROCESS(name) "{\"name\":\"state." name "\",\"revision\":1}"
#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"test.session\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"         \
    "\"kinds\":[\"process\"],\"processes\":[" PROCESS("bump") "," PROCESS("stale") "," PROCESS("scan") "," PROCESS(    \
        "once") "," PROCESS("attach") "]}"
PAWL_LINKED_PLUGIN(session_plugin, "test.session", "1.0.0", "Pawl tests", MANIFEST, pawl_plain_init, pawl_plain_deinit,
                   pawl_process_factory);
