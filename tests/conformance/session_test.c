/* session_test.c: why it exists: session state changes by compare-and-set or not at all, and a repeated commit is told
 * what the first one did. Catalogue S01, S02, S08. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "view.h"

static pawl_session_change change_of(uint32_t kind, const char *key, const char *value)
{
    pawl_session_change change = {
        .struct_size = sizeof(change), .kind = kind, .key = text_bytes(key), .value = text_bytes(value)};
    return change;
}

static pawl_status commit_raw(struct world *world, const char *session, uint64_t expected, const char *commit_key,
                              const pawl_session_change *const *changes, size_t count, uint64_t *revision)
{
    failure_reset(&world->why);
    return world->session->commit(world->store, text_bytes(session), expected, text_bytes(commit_key), changes, count,
                                  revision, &world->why);
}

static pawl_status put(struct world *world, const char *session, uint64_t expected, const char *commit_key,
                       const char *key, const char *value, uint64_t *revision)
{
    world_track_session(world, session);
    pawl_session_change change = change_of(PAWL_SESSION_PUT, key, value);
    const pawl_session_change *changes[1] = {&change};
    pawl_status status = commit_raw(world, session, expected, commit_key, changes, 1, revision);
    world_settle(world);
    return status;
}

static bool value_is(struct world *world, const char *session, const char *key, const char *expected,
                     uint64_t expected_revision)
{
    pawl_sink sink = {0};
    uint64_t revision = 4711;
    failure_reset(&world->why);
    pawl_status status =
        world->session->get(world->store, text_bytes(session), text_bytes(key), &sink, &revision, &world->why);
    bool right = revision == expected_revision;
    if (expected)
        right = right && status == PAWL_OK && sink.size == strlen(expected) &&
                (sink.size == 0 || memcmp(sink.data, expected, sink.size) == 0);
    else
        right = right && status == PAWL_E_NOT_FOUND && sink.size == 0;
    sink_reset(&sink);
    return right;
}

typedef struct found_sessions {
    char names[16][300];
    uint64_t revisions[16];
    size_t count;
} found_sessions;

static int32_t PAWL_CALL take_session(void *context, pawl_bytes session, uint64_t revision)
{
    found_sessions *found = context;
    assert_true(found->count < 16);
    snprintf(found->names[found->count], sizeof found->names[0], "%.*s", (int)session.size, (const char *)session.data);
    found->revisions[found->count++] = revision;
    return 0;
}

/* Page by page every session comes once, with its revision, and none that was removed. */
static void test_S01_sessions_are_listed_in_pages(void **state)
{
    struct world *world = *state;
    static const char *const names[] = {"a", "list", "listed", "list/1", "zz"};
    if (!PAWL_HAS(world->session, pawl_session_table, list) || world->session->list == NULL)
        skip();
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(put(world, names[i], PAWL_REVISION_ANY, "", "k", "v", NULL), PAWL_OK);
    assert_int_equal(put(world, "list", PAWL_REVISION_ANY, "", "another", "v", NULL), PAWL_OK);
    failure_reset(&world->why);
    assert_int_equal(world->session->remove(world->store, text_bytes("zz"), &world->why), PAWL_OK);
    found_sessions found = {.count = 0};
    size_t before;
    do {
        before = found.count;
        const char *after = before == 0 ? "" : found.names[before - 1];
        failure_reset(&world->why);
        assert_int_equal(world->session->list(world->store, text_bytes(after), 2, take_session, &found, &world->why),
                         PAWL_OK);
        assert_true(found.count - before <= 2);
    } while (found.count > before);
    assert_int_equal(found.count, 4);
    for (size_t i = 0; i < 4; i++) {
        size_t at = 0;
        while (at < found.count && strcmp(found.names[at], names[i]) != 0)
            at++;
        assert_true(at < found.count);
        assert_int_equal(found.revisions[at], i == 1 ? 2 : 1);
    }
}

static void test_S01_state_is_revisioned_from_zero(void **state)
{
    struct world *world = *state;
    assert_true(value_is(world, "s", "k", NULL, 0));
    uint64_t revision = 99;
    assert_int_equal(put(world, "s", 0, "", "k", "one", &revision), PAWL_OK);
    assert_int_equal(revision, 1);
    assert_true(value_is(world, "s", "k", "one", 1));
    assert_int_equal(put(world, "s", 1, "", "k", "two", &revision), PAWL_OK);
    assert_int_equal(revision, 2);
    assert_true(value_is(world, "s", "k", "two", 2));
    assert_true(value_is(world, "s", "other", NULL, 2));
    assert_int_equal(put(world, "s", PAWL_REVISION_ANY, "", "l", "three", &revision), PAWL_OK);
    assert_int_equal(revision, 3);
    assert_true(value_is(world, "t", "k", NULL, 0));
}

static void test_S01_a_stale_commit_changes_nothing_and_learns_the_revision(void **state)
{
    struct world *world = *state;
    uint64_t revision;
    assert_int_equal(put(world, "s", 0, "", "k", "one", &revision), PAWL_OK);
    assert_int_equal(put(world, "s", 1, "", "k", "two", &revision), PAWL_OK);
    revision = 0;
    assert_int_equal(put(world, "s", 1, "", "k", "late", &revision), PAWL_E_STALE);
    assert_int_equal(revision, 2);
    assert_int_equal(put(world, "s", 7, "", "k", "early", &revision), PAWL_E_STALE);
    assert_true(value_is(world, "s", "k", "two", 2));
    revision = 77;
    assert_int_equal(put(world, "none", 3, "", "k", "x", &revision), PAWL_E_STALE);
    assert_int_equal(revision, 0);
    assert_true(value_is(world, "none", "k", NULL, 0));
}

static void test_S02_a_repeated_commit_is_told_the_first_outcome(void **state)
{
    struct world *world = *state;
    uint64_t revision;
    assert_int_equal(put(world, "s", 0, "turn-1", "k", "one", &revision), PAWL_OK);
    assert_int_equal(put(world, "s", 1, "turn-2", "k", "two", &revision), PAWL_OK);
    revision = 0;
    assert_int_equal(put(world, "s", 0, "turn-1", "k", "one", &revision), PAWL_OK); /* the head has moved on */
    assert_int_equal(revision, 1);
    assert_true(value_is(world, "s", "k", "two", 2));
    assert_int_equal(put(world, "s", 0, "turn-1", "k", "other", &revision), PAWL_E_CONFLICT);
    assert_int_equal(put(world, "s", 2, "turn-1", "k", "other", &revision), PAWL_E_CONFLICT); /* before the revision */
    assert_true(value_is(world, "s", "k", "two", 2));
    assert_int_equal(put(world, "t", 0, "turn-1", "k", "other", &revision), PAWL_OK); /* keys are per session */
    assert_int_equal(revision, 1);
}

static void test_S01_the_checks_come_in_their_order(void **state)
{
    struct world *world = *state;
    world_track_session(world, "s");
    uint64_t revision;
    assert_int_equal(put(world, "s", 0, "first", "k", "one", &revision), PAWL_OK);
    pawl_session_change again = change_of(PAWL_SESSION_PUT_NEW, "k", "new");
    const pawl_session_change *changes[1] = {&again};
    assert_int_equal(commit_raw(world, "s", 0, "second", changes, 1, &revision), PAWL_E_STALE); /* (3) before (4) */
    assert_int_equal(commit_raw(world, "s", 1, "second", changes, 1, &revision), PAWL_E_CONFLICT);
    assert_int_equal(commit_raw(world, "s", 0, "first", changes, 1, &revision), PAWL_E_CONFLICT); /* (2) before (3) */
    world_settle(world);
    assert_true(value_is(world, "s", "k", "one", 1));
    /* A commit that was refused has not used its key. */
    assert_int_equal(put(world, "s", 1, "second", "k", "two", &revision), PAWL_OK);
    assert_int_equal(revision, 2);
}

static void test_S08_write_once_keeps_the_first_value(void **state)
{
    struct world *world = *state;
    world_track_session(world, "s");
    pawl_session_change once = change_of(PAWL_SESSION_PUT_NEW, "k", "");
    pawl_session_change beside = change_of(PAWL_SESSION_PUT, "l", "beside");
    const pawl_session_change *first[1] = {&once};
    const pawl_session_change *second[2] = {&beside, &once};
    uint64_t revision;
    assert_int_equal(commit_raw(world, "s", 0, "", first, 1, &revision), PAWL_OK);
    world_settle(world);
    assert_true(value_is(world, "s", "k", "", 1)); /* an empty value is a value */
    once.value = text_bytes("other");
    assert_int_equal(commit_raw(world, "s", 1, "", second, 2, &revision), PAWL_E_CONFLICT);
    world_settle(world);
    assert_true(value_is(world, "s", "k", "", 1));
    assert_true(value_is(world, "s", "l", NULL, 1)); /* all or nothing */
}

struct pairs {
    size_t count;
    char text[512];
};

static int32_t collect_pair(void *context, pawl_bytes key, pawl_bytes value)
{
    struct pairs *pairs = context;
    size_t used = strlen(pairs->text);
    snprintf(pairs->text + used, sizeof(pairs->text) - used, "%.*s=%.*s;", (int)key.size, (const char *)key.data,
             (int)value.size, (const char *)value.data);
    pairs->count++;
    return 0;
}

static void test_S01_scan_sees_a_prefix_in_order_from_one_revision(void **state)
{
    struct world *world = *state;
    world_track_session(world, "s");
    static const char *const keys[8] = {"b", "a/2", "a", "a/1", "ab", "a/10", "zz", "c"};
    pawl_session_change changes[8];
    const pawl_session_change *pointers[8];
    for (size_t i = 0; i < 8; i++) {
        changes[i] = change_of(PAWL_SESSION_PUT, keys[i], keys[i]);
        pointers[i] = &changes[i];
    }
    uint64_t revision;
    assert_int_equal(commit_raw(world, "s", 0, "", pointers, 8, &revision), PAWL_OK);
    assert_int_equal(revision, 1);
    assert_int_equal(put(world, "r", 0, "", "a/0", "neighbour", &revision), PAWL_OK);
    assert_int_equal(put(world, "ss", 0, "", "a/9", "neighbour", &revision), PAWL_OK);
    struct pairs pairs = {0};
    revision = 0;
    assert_int_equal(world->session->scan(world->store, text_bytes("s"), text_bytes("a/"), collect_pair, &pairs,
                                          &revision, &world->why),
                     PAWL_OK);
    assert_string_equal(pairs.text, "a/1=a/1;a/10=a/10;a/2=a/2;");
    assert_int_equal(revision, 1);
    pairs = (struct pairs){0};
    assert_int_equal(world->session->scan(world->store, text_bytes("s"), text_bytes(""), collect_pair, &pairs,
                                          &revision, &world->why),
                     PAWL_OK);
    assert_int_equal(pairs.count, 8);
    pairs = (struct pairs){0};
    assert_int_equal(world->session->scan(world->store, text_bytes("none"), text_bytes(""), collect_pair, &pairs,
                                          &revision, &world->why),
                     PAWL_OK);
    assert_int_equal(pairs.count, 0);
    assert_int_equal(revision, 0);
}

static void test_S01_one_commit_is_all_or_nothing_and_deletes(void **state)
{
    struct world *world = *state;
    world_track_session(world, "s");
    pawl_session_change a = change_of(PAWL_SESSION_PUT, "a", "1");
    pawl_session_change b = change_of(PAWL_SESSION_PUT, "b", "2");
    const pawl_session_change *both[2] = {&a, &b};
    uint64_t revision;
    assert_int_equal(commit_raw(world, "s", 0, "", both, 2, &revision), PAWL_OK);
    assert_int_equal(revision, 1);
    world_settle(world);
    a = change_of(PAWL_SESSION_DELETE, "a", NULL);
    b = change_of(PAWL_SESSION_PUT, "b", "3");
    assert_int_equal(commit_raw(world, "s", 1, "", both, 2, &revision), PAWL_OK);
    world_settle(world);
    assert_true(value_is(world, "s", "a", NULL, 2));
    assert_true(value_is(world, "s", "b", "3", 2));
    a = change_of(99, "a", "1");
    assert_int_equal(commit_raw(world, "s", 2, "", both, 2, &revision), PAWL_E_INVALID);
    assert_true(value_is(world, "s", "b", "3", 2));
}

static void test_S01_remove_forgets_state_and_keys_and_is_idempotent(void **state)
{
    struct world *world = *state;
    uint64_t revision;
    assert_int_equal(put(world, "s", 0, "turn-1", "k", "one", &revision), PAWL_OK);
    assert_int_equal(put(world, "s2", 0, "turn-1", "k", "stays", &revision), PAWL_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world->session->remove(world->store, text_bytes("s"), &world->why), PAWL_OK);
        world_settle(world);
        assert_true(value_is(world, "s", "k", NULL, 0));
    }
    assert_int_equal(world->session->remove(world->store, text_bytes("never"), &world->why), PAWL_OK);
    assert_true(value_is(world, "s2", "k", "stays", 1));
    assert_int_equal(put(world, "s", 0, "turn-1", "k", "another life", &revision), PAWL_OK);
    assert_int_equal(revision, 1);
}

static void test_S01_large_and_binary_values_are_kept(void **state)
{
    struct world *world = *state;
    world_track_session(world, "s\t");
    size_t size = 700000;
    uint8_t *value = malloc(size);
    for (size_t i = 0; i < size; i++)
        value[i] = (uint8_t)(i * 13);
    pawl_session_change change = change_of(PAWL_SESSION_PUT, NULL, NULL);
    change.key = bytes_of("k\0\xff", 3);
    change.value = bytes_of(value, size);
    const pawl_session_change *changes[1] = {&change};
    uint64_t revision;
    pawl_status status = commit_raw(world, "s\t", 0, "", changes, 1, &revision);
    uint64_t expected = bytes_hash(change.value);
    free(value);
    assert_int_equal(status, PAWL_OK);
    world_settle(world);
    pawl_sink sink = {0};
    status =
        world->session->get(world->store, text_bytes("s\t"), bytes_of("k\0\xff", 3), &sink, &revision, &world->why);
    uint64_t found = bytes_hash(bytes_of(sink.data, sink.size));
    bool same = sink.size == size && found == expected;
    sink_reset(&sink);
    assert_int_equal(status, PAWL_OK);
    assert_true(same);
    assert_true(value_is(world, "s\t", "k", NULL, 1));
}

struct writer {
    struct world *world;
    unsigned index;
    unsigned won;
    unsigned other; /* neither won nor stale */
};

static void *write_until_done(void *context)
{
    struct writer *writer = context;
    struct world *world = writer->world;
    char value[16];
    snprintf(value, sizeof(value), "%u", writer->index);
    uint64_t expected = 0;
    while (expected < 50) {
        pawl_session_change change = change_of(PAWL_SESSION_PUT, "k", value);
        const pawl_session_change *changes[1] = {&change};
        uint64_t revision = 0;
        pawl_failure_sink why = {0};
        pawl_status status = world->session->commit(world->store, text_bytes("raced"), expected, text_bytes(""),
                                                    changes, 1, &revision, &why);
        writer->won += status == PAWL_OK;
        writer->other += status != PAWL_OK && status != PAWL_E_STALE;
        if (writer->other)
            return NULL;
        expected = revision;
    }
    return NULL;
}

static void test_S01_of_many_writers_exactly_one_wins_each_revision(void **state)
{
    struct world *world = *state;
    struct writer writers[4];
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++) {
        writers[i] = (struct writer){.world = world, .index = i};
        pthread_create(&threads[i], NULL, write_until_done, &writers[i]);
    }
    unsigned won = 0;
    unsigned other = 0;
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        won += writers[i].won;
        other += writers[i].other;
    }
    assert_int_equal(other, 0);
    pawl_sink sink = {0};
    uint64_t revision = 0;
    assert_int_equal(
        world->session->get(world->store, text_bytes("raced"), text_bytes("k"), &sink, &revision, &world->why),
        PAWL_OK);
    sink_reset(&sink);
    assert_int_equal(won, revision);
    assert_true(revision >= 50);
}

static const struct CMUnitTest session_tests[] = {
    CASE(test_S01_state_is_revisioned_from_zero),
    CASE(test_S01_sessions_are_listed_in_pages),
    CASE(test_S01_a_stale_commit_changes_nothing_and_learns_the_revision),
    CASE(test_S01_the_checks_come_in_their_order),
    CASE(test_S01_scan_sees_a_prefix_in_order_from_one_revision),
    CASE(test_S01_one_commit_is_all_or_nothing_and_deletes),
    CASE(test_S01_remove_forgets_state_and_keys_and_is_idempotent),
    CASE(test_S01_large_and_binary_values_are_kept),
    CASE(test_S01_of_many_writers_exactly_one_wins_each_revision),
    CASE(test_S02_a_repeated_commit_is_told_the_first_outcome),
    CASE(test_S08_write_once_keeps_the_first_value),
};
const struct group session_group = GROUP(session, FACET_BIT(PAWL_FACET_SESSION));
