/* codec_test.c: journal records: what is written is read back, byte for byte as docs/journal-format.md says; damage of
 * any kind is found or harmless, never a crash. */
#include "worker/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs setjmp, stdarg and stddef */

static const uint32_t kinds[] = {
    PAWL_RECORD_STEP,    PAWL_RECORD_INTENT,  PAWL_RECORD_ATTEMPT, PAWL_RECORD_TIMER,    PAWL_RECORD_FIRED,
    PAWL_RECORD_NOW,     PAWL_RECORD_STARTED, PAWL_RECORD_SIGNAL,  PAWL_RECORD_MARKER,   PAWL_RECORD_CANCEL,
    PAWL_RECORD_RESUMED, PAWL_RECORD_ENDED,   PAWL_RECORD_PARKED,  PAWL_RECORD_ROLLBACK, PAWL_RECORD_COMPENSATING,
    PAWL_RECORD_LIMITS,  PAWL_RECORD_UPDATE,  PAWL_RECORD_REPLY,   PAWL_RECORD_EVENT,    PAWL_RECORD_REWOUND,
    PAWL_RECORD_PINNED,  PAWL_RECORD_DEADLINE};
#define KIND_COUNT (sizeof kinds / sizeof *kinds)

static pawl_bytes text(const char *text)
{
    return (pawl_bytes){text, strlen(text)};
}

/* An entry with every member set. */
static pawl_entry full(uint32_t kind, bool failed)
{
    pawl_entry entry = {
        .kind = kind,
        .attempt = 3,
        .sequence = 9,
        .time_unix_ns = 77,
        .ordinal = 300,
        .of = 299,
        .name = text("bank.charge"),
        .due_unix_ns = 0x1122334455667788,
        .after_ns = 30000000000,
        .failed = failed,
        .value = text("{\"a\":1}"),
        .failure = {.struct_size = sizeof(pawl_failure),
                    .klass = PAWL_RETRYABLE,
                    .code = text("http.429"),
                    .message = text("slow down"),
                    .detail_json = text("{}"),
                    .retry_after_ns = 5},
        .limit_bytes = 300,
        .limit_records = 7,
        .status = failed ? PAWL_FAILED : PAWL_COMPLETED,
    };
    for (size_t i = 0; i < sizeof entry.digest; i++)
        entry.digest[i] = (uint8_t)(i + 1);
    return entry;
}

static pawl_record encode(pawl_arena *arena, const pawl_entry *entry)
{
    pawl_record record = {.struct_size = sizeof record,
                          .kind = entry->kind,
                          .sequence = entry->sequence,
                          .time_unix_ns = entry->time_unix_ns};
    assert_int_equal(pawl_entry_encode(arena, entry, &record.body), PAWL_OK);
    return record;
}

static void assert_bytes(pawl_bytes found, pawl_bytes expected)
{
    assert_int_equal(found.size, expected.size);
    assert_memory_equal(found.data, expected.data, expected.size);
}

static void assert_failure(const pawl_failure *found, const pawl_failure *expected)
{
    assert_int_equal(found->struct_size, sizeof(pawl_failure));
    assert_int_equal(found->klass, expected->klass);
    assert_bytes(found->code, expected->code);
    assert_bytes(found->message, expected->message);
    assert_bytes(found->detail_json, expected->detail_json);
    assert_int_equal(found->retry_after_ns, expected->retry_after_ns);
}

static bool has_outcome(uint32_t kind)
{
    return kind == PAWL_RECORD_STEP || kind == PAWL_RECORD_ENDED || kind == PAWL_RECORD_REPLY;
}

static void check_round_trip(uint32_t kind, bool failed)
{
    pawl_arena arena = {0};
    pawl_entry entry = full(kind, failed), found;
    pawl_record record = encode(&arena, &entry);
    pawl_error error = {0};
    assert_int_equal(pawl_entry_decode(&record, &found, &error), PAWL_OK);
    assert_int_equal(found.kind, kind);
    assert_int_equal(found.sequence, 9);
    assert_int_equal(found.time_unix_ns, 77);
    bool call = kind == PAWL_RECORD_STEP || kind == PAWL_RECORD_INTENT || kind == PAWL_RECORD_ATTEMPT ||
                kind == PAWL_RECORD_DEADLINE;
    bool rollback = kind == PAWL_RECORD_ROLLBACK;
    assert_int_equal(found.of, rollback ? 299 : 0);
    bool reply = kind == PAWL_RECORD_REPLY, update = kind == PAWL_RECORD_UPDATE;
    if (call || rollback || reply || kind == PAWL_RECORD_REWOUND ||
        (kind >= PAWL_RECORD_TIMER && kind <= PAWL_RECORD_NOW))
        assert_int_equal(found.ordinal, entry.ordinal);
    else
        assert_int_equal(found.ordinal, 0);
    if (call) {
        assert_int_equal(found.attempt, entry.attempt);
    }
    if (call || rollback) {
        assert_memory_equal(found.digest, entry.digest, sizeof entry.digest);
    }
    if (call || rollback || reply || update || kind == PAWL_RECORD_SIGNAL || kind == PAWL_RECORD_MARKER ||
        kind == PAWL_RECORD_EVENT || kind == PAWL_RECORD_PINNED)
        assert_bytes(found.name, entry.name);
    if (kind == PAWL_RECORD_LIMITS) {
        assert_int_equal(found.limit_bytes, entry.limit_bytes);
        assert_int_equal(found.limit_records, entry.limit_records);
    }
    if (kind == PAWL_RECORD_TIMER)
        assert_int_equal(found.after_ns, entry.after_ns);
    if (kind == PAWL_RECORD_TIMER || kind == PAWL_RECORD_ATTEMPT || kind == PAWL_RECORD_NOW ||
        kind == PAWL_RECORD_DEADLINE)
        assert_int_equal(found.due_unix_ns, entry.due_unix_ns);
    if (kind == PAWL_RECORD_ENDED || kind == PAWL_RECORD_MARKER || kind == PAWL_RECORD_COMPENSATING ||
        kind == PAWL_RECORD_PINNED)
        assert_int_equal(found.status, entry.status);
    if (kind == PAWL_RECORD_ATTEMPT || kind == PAWL_RECORD_COMPENSATING || (has_outcome(kind) && failed)) {
        assert_true(found.failed);
        assert_failure(&found.failure, &entry.failure);
        assert_int_equal(found.value.size, 0);
    } else if (has_outcome(kind) || rollback || kind == PAWL_RECORD_PINNED || kind >= PAWL_RECORD_STARTED) {
        assert_false(found.failed);
        assert_bytes(found.value, entry.value);
    }
    if (kind == PAWL_RECORD_PARKED || update || kind == PAWL_RECORD_EVENT)
        assert_bytes(found.failure.code, entry.failure.code);
    pawl_arena_finish(&arena);
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        check_round_trip(kinds[i], false);
        check_round_trip(kinds[i], true);
    }
}

static void test_numbers_of_every_length(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit <= 64; bit++) {
        uint64_t number = bit == 64 ? UINT64_MAX : (uint64_t)1 << bit;
        pawl_arena arena = {0};
        pawl_entry entry = {.kind = PAWL_RECORD_TIMER, .ordinal = number, .after_ns = number - 1}, found;
        pawl_record record = encode(&arena, &entry);
        assert_int_equal(pawl_entry_decode(&record, &found, NULL), PAWL_OK);
        assert_int_equal(found.ordinal, number);
        assert_int_equal(found.after_ns, number - 1);
        pawl_arena_finish(&arena);
    }
}

/* The bytes themselves: a released format cannot change by accident. */
static void test_golden_bytes(void **state)
{
    (void)state;
    static const uint8_t step[] = {1,   0,   0xac, 2,  3,  11, 'b', 'a', 'n', 'k', '.', 'c', 'h', 'a',
                                   'r', 'g', 'e',  1,  2,  3,  4,   5,   6,   7,   8,   9,   10,  11,
                                   12,  13,  14,   15, 16, 7,  '{', '"', 'a', '"', ':', '1', '}'};
    static const uint8_t failed[] = {1,   1,   17,  2,   8,   'h', 't', 't', 'p', '.', '4', '2', '9', 9,
                                     's', 'l', 'o', 'w', ' ', 'd', 'o', 'w', 'n', 2,   '{', '}', 5};
    static const uint8_t timer[] = {1,    0xac, 2,    0x80, 0xd8, 0x8e, 0xe1, 0x6f,
                                    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
    static const uint8_t signal[] = {1,   11,  'b', 'a', 'n', 'k', '.', 'c', 'h', 'a', 'r',
                                     'g', 'e', 7,   '{', '"', 'a', '"', ':', '1', '}'};
    static const uint8_t rollback[] = {1,   0xac, 2,   0xab, 2,  11, 'b', 'a', 'n', 'k', '.', 'c', 'h', 'a',
                                       'r', 'g',  'e', 1,    2,  3,  4,   5,   6,   7,   8,   9,   10,  11,
                                       12,  13,   14,  15,   16, 7,  '{', '"', 'a', '"', ':', '1', '}'};
    static const uint8_t compensating[] = {1,   17,  2,   8,   'h', 't', 't', 'p', '.', '4', '2', '9', 9,
                                           's', 'l', 'o', 'w', ' ', 'd', 'o', 'w', 'n', 2,   '{', '}', 5};
    static const struct {
        uint32_t kind;
        bool failed;
        pawl_bytes body;
    } golden[] = {
        {PAWL_RECORD_ROLLBACK, false, {rollback, sizeof rollback}},
        {PAWL_RECORD_COMPENSATING, true, {compensating, sizeof compensating}},
        {PAWL_RECORD_STEP, false, {step, sizeof step}},
        {PAWL_RECORD_ENDED, true, {failed, sizeof failed}},
        {PAWL_RECORD_TIMER, false, {timer, sizeof timer}},
        {PAWL_RECORD_SIGNAL, false, {signal, sizeof signal}},
        {PAWL_RECORD_MARKER, false, {"\1\20\13bank.charge", 14}},
        {PAWL_RECORD_FIRED, false, {"\1\xac\2", 3}},
        {PAWL_RECORD_STARTED, false, {"\1\7{\"a\":1}", 9}},
        {PAWL_RECORD_LIMITS, false, {"\1\xac\2\7", 4}},
    };
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        pawl_arena arena = {0};
        pawl_entry entry = full(golden[i].kind, golden[i].failed);
        assert_bytes(encode(&arena, &entry).body, golden[i].body);
        pawl_arena_finish(&arena);
    }
}

static void test_a_step_is_compact(void **state)
{
    (void)state;
    pawl_arena arena = {0};
    char result[100];
    memset(result, 'r', sizeof result);
    pawl_entry entry = {.kind = PAWL_RECORD_STEP,
                        .ordinal = 10000,
                        .attempt = 1,
                        .name = text("bank.charge"),
                        .value = {result, sizeof result}};
    assert_in_range(encode(&arena, &entry).body.size, 100, 140);
    pawl_arena_finish(&arena);
}

static void test_kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(pawl_record_name(PAWL_RECORD_STEP), "step");
    assert_string_equal(pawl_record_name(PAWL_RECORD_PARKED), "parked");
    assert_string_equal(pawl_record_name(63), "unknown");
    pawl_arena arena = {0};
    pawl_bytes body;
    assert_int_equal(pawl_entry_encode(&arena, &(pawl_entry){.kind = 63}, &body), PAWL_E_INVALID);
}

/* ---- damage ---- */

static void test_every_cut_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * KIND_COUNT; i++) {
        pawl_arena arena = {0};
        pawl_entry entry = full(kinds[i / 2], i % 2), found;
        pawl_record record = encode(&arena, &entry);
        for (size_t size = 0; size < record.body.size; size++) {
            /* A copy of exactly this size, so that one byte too many is caught. */
            void *cut = malloc(size == 0 ? 1 : size);
            memcpy(cut, record.body.data, size);
            pawl_record damaged = record;
            damaged.body = (pawl_bytes){size == 0 ? NULL : cut, size};
            pawl_error error = {0};
            assert_int_equal(pawl_entry_decode(&damaged, &found, &error), PAWL_E_CORRUPT);
            assert_non_null(strstr(error.message, "record 9 ("));
            assert_non_null(strstr(error.message, pawl_record_name(entry.kind)));
            free(cut);
        }
        pawl_arena_finish(&arena);
    }
}

static void test_bytes_after_the_end_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIND_COUNT; i++) {
        pawl_arena arena = {0};
        pawl_entry entry = full(kinds[i], false), found;
        pawl_record record = encode(&arena, &entry);
        char *longer = malloc(record.body.size + 2);
        memcpy(longer, record.body.data, record.body.size);
        memset(longer + record.body.size, 0, 2);
        record.body = (pawl_bytes){longer, record.body.size + 2};
        pawl_error error = {0};
        assert_int_equal(pawl_entry_decode(&record, &found, &error), PAWL_E_CORRUPT);
        assert_non_null(strstr(error.message, "2 bytes follow its end"));
        free(longer);
        pawl_arena_finish(&arena);
    }
}

static pawl_status decode_bytes(uint32_t kind, const void *data, size_t size, pawl_error *error)
{
    pawl_record record = {sizeof record, kind, 4, 0, {data, size}};
    pawl_entry found;
    return pawl_entry_decode(&record, &found, error);
}

static void test_newer_things_are_refused_and_not_guessed(void **state)
{
    (void)state;
    pawl_error error = {0};
    assert_int_equal(decode_bytes(PAWL_RECORD_FIRED, "\2\1", 2, &error), PAWL_E_UNSUPPORTED);
    assert_string_equal(error.code, "journal.version");
    assert_non_null(strstr(error.message, "record 4 (fired) has format version 2, this Pawl reads up to 1"));
    assert_int_equal(decode_bytes(63, "\1\1", 2, &error), PAWL_E_UNSUPPORTED);
    assert_string_equal(error.code, "journal.kind");
    assert_int_equal(decode_bytes(PAWL_RECORD_FIRED, "\0\1", 2, &error), PAWL_E_CORRUPT);
}

static void test_impossible_numbers_are_found(void **state)
{
    (void)state;
    pawl_error error = {0};
    static const char too_long[] = "\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
                      endless[] = "\1\x80\x80\x80\x80\x80\x80"
                                  "\x80\x80\x80\x80\x80\1",
                      not_shortest[] = "\1\x81\0", huge_size[] = "\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1x",
                      bad_flags[] = "\1\2\x11\0";
    assert_int_equal(decode_bytes(PAWL_RECORD_FIRED, too_long, sizeof too_long - 1, &error), PAWL_E_CORRUPT);
    assert_int_equal(decode_bytes(PAWL_RECORD_FIRED, endless, sizeof endless - 1, &error), PAWL_E_CORRUPT);
    assert_int_equal(decode_bytes(PAWL_RECORD_FIRED, not_shortest, sizeof not_shortest - 1, &error), PAWL_E_CORRUPT);
    assert_int_equal(decode_bytes(PAWL_RECORD_STARTED, huge_size, sizeof huge_size - 1, &error), PAWL_E_CORRUPT);
    assert_int_equal(decode_bytes(PAWL_RECORD_ENDED, bad_flags, sizeof bad_flags - 1, &error), PAWL_E_CORRUPT);
    assert_int_equal(decode_bytes(PAWL_RECORD_FIRED, "\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 11, &error), PAWL_OK);
}

/* Damaged bytes either are refused or decode to an entry that encodes to these same bytes: there is one encoding of
 * each entry, so nothing is read that was not there. */
static void check_damaged(uint32_t kind, const uint8_t *data, size_t size, size_t *accepted)
{
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    memcpy(exact, data, size);
    pawl_record record = {sizeof record, kind, 4, 0, {exact, size}};
    pawl_entry found;
    pawl_error error = {0};
    pawl_status status = pawl_entry_decode(&record, &found, &error);
    if (status == PAWL_OK) {
        pawl_arena arena = {0};
        pawl_bytes again;
        assert_int_equal(pawl_entry_encode(&arena, &found, &again), PAWL_OK);
        assert_bytes(again, record.body);
        pawl_arena_finish(&arena);
        ++*accepted;
    } else {
        assert_true(status == PAWL_E_CORRUPT || status == PAWL_E_UNSUPPORTED);
        assert_true(error.message[0] != '\0');
    }
    free(exact);
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void test_mutated_bodies_are_refused_or_mean_what_they_say(void **state)
{
    (void)state;
    uint32_t random = 2463534242u;
    size_t accepted = 0, tried = 0;
    for (size_t i = 0; i < 2 * KIND_COUNT; i++) {
        pawl_arena arena = {0};
        pawl_entry entry = full(kinds[i / 2], i % 2);
        pawl_record record = encode(&arena, &entry);
        uint8_t body[256];
        assert_in_range(record.body.size, 1, sizeof body - 8);
        for (int round = 0; round < 4000; round++, tried++) {
            size_t size = record.body.size;
            memcpy(body, record.body.data, size);
            for (uint32_t n = 1 + next_random(&random) % 3; n > 0; n--) {
                uint32_t at = next_random(&random) % (uint32_t)size;
                switch (next_random(&random) % 4) {
                case 0: /* flip a bit */
                    body[at] ^= (uint8_t)(1u << next_random(&random) % 8);
                    break;
                case 1: /* another byte */
                    body[at] = (uint8_t)next_random(&random);
                    break;
                case 2: /* insert one */
                    memmove(body + at + 1, body + at, size - at);
                    body[at] = (uint8_t)next_random(&random);
                    size++;
                    break;
                default: /* lose one */
                    memmove(body + at, body + at + 1, size - at - 1);
                    size -= size > 1;
                }
            }
            check_damaged(record.kind, body, size, &accepted);
        }
        pawl_arena_finish(&arena);
    }
    assert_in_range(accepted, 1, tried / 2); /* changed text is still text; most damage to numbers is found */
}

static void test_random_bytes_are_refused_or_mean_what_they_say(void **state)
{
    (void)state;
    uint32_t random = 88172645u;
    size_t accepted = 0;
    for (int round = 0; round < 100000; round++) {
        uint8_t body[40];
        size_t size = next_random(&random) % sizeof body;
        for (size_t i = 0; i < size; i++)
            body[i] = (uint8_t)next_random(&random);
        body[0] = round % 8 ? 1 : body[0];
        check_damaged(kinds[next_random(&random) % KIND_COUNT], body, size, &accepted);
    }
    assert_in_range(accepted, 1, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_numbers_of_every_length),
        cmocka_unit_test(test_golden_bytes),
        cmocka_unit_test(test_a_step_is_compact),
        cmocka_unit_test(test_kinds_have_names),
        cmocka_unit_test(test_every_cut_is_found),
        cmocka_unit_test(test_bytes_after_the_end_are_found),
        cmocka_unit_test(test_newer_things_are_refused_and_not_guessed),
        cmocka_unit_test(test_impossible_numbers_are_found),
        cmocka_unit_test(test_mutated_bodies_are_refused_or_mean_what_they_say),
        cmocka_unit_test(test_random_bytes_are_refused_or_mean_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
