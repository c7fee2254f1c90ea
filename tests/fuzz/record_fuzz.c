/* record_fuzz.c: the body of one journal record, as a damaged or hostile store may give it: [kind][body]. What is
 * decoded and encoded again is the same bytes, for one value has one encoding; a refusal names the record; and whatever
 * was decoded can be shown as JSON. */
#include "fuzz.h"

#include "worker/journal.h"
#include "worker/journal_json.h"

#include <string.h>

static void check_json(const pawl_entry *entry, bool with_values)
{
    json_t *shown = NULL;
    FUZZ_CHECK(pawl_entry_to_json(entry, with_values, &shown) == PAWL_OK);
    char *text = json_dumps(shown, JSON_COMPACT);
    FUZZ_CHECK(text != NULL);
    free(text);
    json_decref(shown);
}

static void check_again(const pawl_record *record, const pawl_entry *entry)
{
    pawl_arena arena = {0};
    pawl_bytes body = {0};
    FUZZ_CHECK(pawl_entry_encode(&arena, entry, &body) == PAWL_OK);
    FUZZ_CHECK(body.size == record->body.size && memcmp(body.data, record->body.data, body.size) == 0);
    pawl_arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    pawl_error error = {0};
    pawl_entry entry = {0};
    pawl_record record = {.struct_size = sizeof record,
                          .kind = data[0],
                          .sequence = 4711,
                          .time_unix_ns = UINT64_C(1700000000123456789),
                          .body = {data + 1, size - 1}};
    pawl_status status = pawl_entry_decode(&record, &entry, &error);
    if (status != PAWL_OK) {
        FUZZ_CHECK(status == PAWL_E_CORRUPT || status == PAWL_E_UNSUPPORTED);
        FUZZ_CHECK(error.status == status && strncmp(error.code, "journal.", 8) == 0);
        FUZZ_CHECK(strstr(error.message, "record 4711") != NULL);
        return 0;
    }
    FUZZ_CHECK(entry.kind == record.kind && entry.sequence == record.sequence);
    check_again(&record, &entry);
    check_json(&entry, false);
    check_json(&entry, true);
    return 0;
}
