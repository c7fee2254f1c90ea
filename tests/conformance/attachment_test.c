/* attachment_test.c: why it exists: content is stored once, under the digest of its bytes, and stays as long as anyone
 * links it and no longer. Catalogue S05, S06. */
#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "groups.h"
#include "view.h"

static pawl_status begin(struct world *world, const char *scope, const char *media_type, const char *name,
                         pawl_attachment_upload **upload)
{
    failure_reset(&world->why);
    return world->attachment->begin(world->store, text_bytes(scope), text_bytes(media_type), text_bytes(name), upload,
                                    &world->why);
}

/* Stores bytes in chunks of this size; checks the digest and the size that come back. */
static void store_bytes(struct world *world, const char *scope, const char *name, const uint8_t *data, size_t size,
                        size_t chunk, uint8_t digest[32])
{
    world_track_scope(world, scope);
    pawl_attachment_upload *upload = NULL;
    assert_int_equal(begin(world, scope, "text/plain", name, &upload), PAWL_OK);
    pawl_status status = PAWL_OK;
    for (size_t at = 0; at < size && status == PAWL_OK; at += chunk)
        status =
            world->attachment->write(upload, bytes_of(data + at, size - at < chunk ? size - at : chunk), &world->why);
    if (status != PAWL_OK)
        world->attachment->abort(upload);
    assert_int_equal(status, PAWL_OK);
    uint64_t stored = 77;
    assert_int_equal(world->attachment->commit(upload, digest, &stored, &world->why), PAWL_OK);
    assert_int_equal(stored, size);
    uint8_t expected[32];
    SHA256(data, size, expected);
    assert_memory_equal(digest, expected, 32);
    world_settle(world);
}

static void store_text(struct world *world, const char *scope, const char *name, const char *text, uint8_t digest[32])
{
    store_bytes(world, scope, name, (const uint8_t *)text, strlen(text), 3, digest);
}

static pawl_status read_range(struct world *world, const uint8_t digest[32], uint64_t offset, uint64_t size,
                              pawl_sink *out, uint64_t *total)
{
    failure_reset(&world->why);
    return world->attachment->read(world->store, digest, offset, size, out, total, &world->why);
}

static bool content_is(struct world *world, const uint8_t digest[32], const char *expected)
{
    pawl_sink sink = {0};
    uint64_t total = 0;
    pawl_status status = read_range(world, digest, 0, 1000, &sink, &total);
    bool right = expected ? status == PAWL_OK && total == strlen(expected) && sink.size == total &&
                                (total == 0 || memcmp(sink.data, expected, sink.size) == 0)
                          : status == PAWL_E_NOT_FOUND && sink.size == 0;
    sink_reset(&sink);
    return right;
}

struct seen {
    size_t count;
    uint64_t size;
    uint64_t created_unix_ns;
    char media_type[32];
    char name[32];
    uint8_t digests[4][32];
};

static int32_t see(void *context, const pawl_attachment_info *info)
{
    struct seen *seen = context;
    seen->size = info->size;
    seen->created_unix_ns = info->created_unix_ns;
    snprintf(seen->media_type, sizeof(seen->media_type), "%.*s", (int)info->media_type.size,
             (const char *)info->media_type.data);
    snprintf(seen->name, sizeof(seen->name), "%.*s", (int)info->name.size, (const char *)info->name.data);
    if (seen->count < 4)
        memcpy(seen->digests[seen->count], info->digest, 32);
    seen->count++;
    return 0;
}

static pawl_status stat_of(struct world *world, const char *scope, const uint8_t digest[32], struct seen *seen)
{
    memset(seen, 0, sizeof(*seen));
    return world->attachment->stat(world->store, text_bytes(scope), digest, see, seen, &world->why);
}

static pawl_status collect_some(struct world *world, uint64_t before_unix_ns, uint32_t limit, uint64_t *removed)
{
    pawl_attachment_collect pass = {.struct_size = sizeof(pass), .before_unix_ns = before_unix_ns, .limit = limit};
    pawl_status status = world->attachment->collect(world->store, &pass, &world->why);
    *removed = pass.removed;
    return status;
}

static pawl_status collect(struct world *world, uint64_t before_unix_ns, uint64_t *removed)
{
    return collect_some(world, before_unix_ns, 0, removed);
}

static void test_S05_content_is_addressed_by_its_bytes(void **state)
{
    struct world *world = *state;
    uint8_t first[32];
    uint8_t second[32];
    store_text(world, "session-1", "a.txt", "hello, world", first);
    assert_true(content_is(world, first, "hello, world"));
    struct seen seen;
    assert_int_equal(stat_of(world, "session-1", first, &seen), PAWL_OK);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.size, 12);
    assert_string_equal(seen.media_type, "text/plain");
    assert_string_equal(seen.name, "a.txt");
    assert_int_equal(seen.created_unix_ns, HOST_START_UNIX_NS);
    assert_int_equal(stat_of(world, "session-2", first, &seen), PAWL_E_NOT_FOUND);
    assert_int_equal(seen.count, 0);
    store_text(world, "session-1", "b.txt", "hello, world", second); /* again: only the name is new */
    assert_memory_equal(first, second, 32);
    assert_int_equal(stat_of(world, "session-1", first, &seen), PAWL_OK);
    assert_string_equal(seen.name, "b.txt");
    memset(&seen, 0, sizeof(seen));
    assert_int_equal(world->attachment->list(world->store, text_bytes("session-1"), see, &seen, &world->why), PAWL_OK);
    assert_int_equal(seen.count, 1);
}

static void test_S05_shared_bytes_outlive_one_of_their_scopes(void **state)
{
    struct world *world = *state;
    uint8_t digest[32];
    store_text(world, "one", "x", "shared bytes", digest);
    store_text(world, "two", "y", "shared bytes", digest);
    struct seen seen;
    assert_int_equal(stat_of(world, "one", digest, &seen), PAWL_OK);
    assert_string_equal(seen.name, "x");
    assert_int_equal(stat_of(world, "two", digest, &seen), PAWL_OK);
    assert_string_equal(seen.name, "y");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world->attachment->unlink(world->store, text_bytes("one"), digest, &world->why), PAWL_OK);
        world_settle(world);
    }
    uint64_t removed = 77;
    host_advance(world->host, HOST_SECOND_NS);
    assert_int_equal(collect(world, UINT64_MAX, &removed), PAWL_OK);
    assert_int_equal(removed, 0);
    world_settle(world);
    assert_int_equal(stat_of(world, "one", digest, &seen), PAWL_E_NOT_FOUND);
    assert_true(content_is(world, digest, "shared bytes"));
}

static void test_S05_sharing_with_another_scope(void **state)
{
    struct world *world = *state;
    uint8_t digest[32];
    store_text(world, "one", "x", "content", digest);
    world_track_scope(world, "process-7");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world->attachment->link(world->store, text_bytes("process-7"), digest, text_bytes("a/b"),
                                                 text_bytes("other name"), &world->why),
                         PAWL_OK);
        world_settle(world);
    }
    struct seen seen;
    assert_int_equal(stat_of(world, "process-7", digest, &seen), PAWL_OK);
    assert_string_equal(seen.media_type, "a/b");
    assert_string_equal(seen.name, "other name");
    assert_int_equal(stat_of(world, "one", digest, &seen), PAWL_OK);
    assert_string_equal(seen.name, "x");
    uint8_t unknown[32] = {1, 2, 3};
    assert_int_equal(
        world->attachment->link(world->store, text_bytes("one"), unknown, text_bytes(""), text_bytes(""), &world->why),
        PAWL_E_NOT_FOUND);
}

static void test_S05_a_scope_lists_its_own_in_order_of_digest(void **state)
{
    struct world *world = *state;
    uint8_t digests[3][32];
    store_text(world, "s", "1", "one", digests[0]);
    store_text(world, "s", "2", "two", digests[1]);
    store_text(world, "s", "3", "three", digests[2]);
    store_text(world, "s2", "4", "four", digests[0]);
    struct seen seen = {0};
    assert_int_equal(world->attachment->list(world->store, text_bytes("s"), see, &seen, &world->why), PAWL_OK);
    assert_int_equal(seen.count, 3);
    assert_true(memcmp(seen.digests[0], seen.digests[1], 32) < 0);
    assert_true(memcmp(seen.digests[1], seen.digests[2], 32) < 0);
    memset(&seen, 0, sizeof(seen));
    assert_int_equal(world->attachment->list(world->store, text_bytes("none"), see, &seen, &world->why), PAWL_OK);
    assert_int_equal(seen.count, 0);
}

static void test_S05_ranges_of_large_content(void **state)
{
    struct world *world = *state;
    size_t size = 3 * 1000 * 1000 + 17;
    uint8_t *data = malloc(size);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)((i * 2654435761u) >> 13);
    uint8_t digest[32];
    store_bytes(world, "s", "big", data, size, 65521, digest);
    static const struct {
        uint64_t offset, size;
    } ranges[] = {
        {0, 1},       {0, 3000017},          {1, 65536}, {65535, 2}, {1048575, 2}, {1048576, 1048576}, {3000000, 100},
        {3000016, 1}, {2999999, UINT64_MAX}, {0, 0}};
    bool right = true;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]) && right; i++) {
        pawl_sink sink = {0};
        uint64_t total = 0;
        pawl_status status = read_range(world, digest, ranges[i].offset, ranges[i].size, &sink, &total);
        uint64_t left = size - ranges[i].offset;
        uint64_t expected = left < ranges[i].size ? left : ranges[i].size;
        right = status == PAWL_OK && total == size && sink.size == expected &&
                (expected == 0 || memcmp(sink.data, data + ranges[i].offset, sink.size) == 0);
        sink_reset(&sink);
        if (!right)
            print_error("range %zu: status %d\n", i, status);
    }
    free(data);
    assert_true(right);
    pawl_sink sink = {0};
    uint64_t total = 0;
    pawl_status status = read_range(world, digest, size, 10, &sink, &total);
    assert_int_equal(sink.size, 0);
    assert_int_equal(status, PAWL_OK);
    assert_int_equal(total, size);
}

static void test_S05_empty_content_is_content(void **state)
{
    struct world *world = *state;
    uint8_t digest[32];
    store_text(world, "s", "empty", "", digest);
    assert_true(content_is(world, digest, ""));
    struct seen seen;
    assert_int_equal(stat_of(world, "s", digest, &seen), PAWL_OK);
    assert_int_equal(seen.size, 0);
}

static void test_S06_an_aborted_upload_leaves_nothing(void **state)
{
    struct world *world = *state;
    pawl_attachment_upload *upload = NULL;
    world_track_scope(world, "s");
    assert_int_equal(begin(world, "s", "a/b", "gone", &upload), PAWL_OK);
    assert_int_equal(world->attachment->write(upload, text_bytes("never committed"), &world->why), PAWL_OK);
    world->attachment->abort(upload);
    world->attachment->abort(NULL);
    world_settle(world);
    uint8_t digest[32];
    SHA256((const uint8_t *)"never committed", 15, digest);
    assert_true(content_is(world, digest, NULL));
    struct seen seen;
    assert_int_equal(stat_of(world, "s", digest, &seen), PAWL_E_NOT_FOUND);
}

static void test_S06_unlinked_content_is_collected_past_the_cutoff_only(void **state)
{
    struct world *world = *state;
    uint8_t loose[32];
    uint8_t kept[32];
    store_text(world, "s", "x", "to be collected", loose);
    store_text(world, "s", "y", "to be kept", kept);
    assert_int_equal(world->attachment->unlink(world->store, text_bytes("s"), loose, &world->why), PAWL_OK);
    world_settle(world);
    uint64_t removed = 77;
    assert_int_equal(collect(world, HOST_START_UNIX_NS, &removed), PAWL_OK);
    assert_int_equal(removed, 0);
    assert_true(content_is(world, loose, "to be collected"));
    host_advance(world->host, 10 * HOST_SECOND_NS);
    uint64_t cutoff = host_unix_ns(world->host);
    assert_int_equal(collect(world, cutoff, &removed), PAWL_OK);
    assert_int_equal(removed, 1);
    world_settle(world);
    assert_true(content_is(world, loose, NULL));
    assert_true(content_is(world, kept, "to be kept"));
    assert_int_equal(collect(world, cutoff, &removed), PAWL_OK);
    assert_int_equal(removed, 0);
    store_text(world, "s", "x", "to be collected", loose); /* and it can come back */
    assert_true(content_is(world, loose, "to be collected"));
}

static void test_S06_what_is_linked_again_stays(void **state)
{
    struct world *world = *state;
    uint8_t digest[32];
    uint8_t again[32];
    uint64_t removed = 77;
    store_text(world, "s", "x", "let go and linked again", digest);
    store_text(world, "s", "y", "let go and stored again", again);
    assert_int_equal(world->attachment->unlink(world->store, text_bytes("s"), digest, &world->why), PAWL_OK);
    assert_int_equal(world->attachment->unlink(world->store, text_bytes("s"), again, &world->why), PAWL_OK);
    world_settle(world);
    world_track_scope(world, "t");
    assert_int_equal(
        world->attachment->link(world->store, text_bytes("t"), digest, text_bytes(""), text_bytes("z"), &world->why),
        PAWL_OK);
    store_text(world, "s", "y", "let go and stored again", again);
    host_advance(world->host, 10 * HOST_SECOND_NS);
    assert_int_equal(collect(world, host_unix_ns(world->host), &removed), PAWL_OK);
    assert_int_equal(removed, 0);
    assert_true(content_is(world, digest, "let go and linked again"));
    assert_true(content_is(world, again, "let go and stored again"));
    /* And its time begins anew when it is let go again. */
    uint64_t cutoff = host_unix_ns(world->host);
    assert_int_equal(world->attachment->unlink(world->store, text_bytes("t"), digest, &world->why), PAWL_OK);
    world_settle(world);
    assert_int_equal(collect(world, cutoff, &removed), PAWL_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(collect(world, cutoff + 1, &removed), PAWL_OK);
    assert_int_equal(removed, 1);
}

static void test_S06_a_pass_is_bounded_and_the_next_goes_on(void **state)
{
    struct world *world = *state;
    uint8_t digests[5][32];
    char text[32];
    uint64_t removed = 77;
    for (int i = 0; i < 5; i++) {
        snprintf(text, sizeof(text), "content %d", i);
        store_text(world, "s", "x", text, digests[i]);
        assert_int_equal(world->attachment->unlink(world->store, text_bytes("s"), digests[i], &world->why), PAWL_OK);
        host_advance(world->host, HOST_SECOND_NS);
    }
    world_settle(world);
    uint64_t cutoff = host_unix_ns(world->host);
    assert_int_equal(collect_some(world, cutoff, 2, &removed), PAWL_OK);
    assert_int_equal(removed, 2);
    assert_true(content_is(world, digests[1], NULL)); /* the oldest first */
    assert_true(content_is(world, digests[2], "content 2"));
    world_settle(world);
    assert_int_equal(collect_some(world, cutoff, 2, &removed), PAWL_OK);
    assert_int_equal(removed, 2);
    assert_int_equal(collect_some(world, cutoff, 2, &removed), PAWL_OK);
    assert_int_equal(removed, 1);
    assert_true(content_is(world, digests[4], NULL));
}

static void test_S05_a_scope_takes_the_longest_id_and_a_word(void **state)
{
    struct world *world = *state;
    char scope[322];
    uint8_t digest[32];
    struct seen seen;
    memset(scope, 'i', sizeof(scope));
    scope[320] = '\0';
    pawl_attachment_upload *upload = NULL;
    assert_int_equal(begin(world, scope, "a/b", "long", &upload), PAWL_OK);
    assert_int_equal(world->attachment->commit(upload, digest, NULL, &world->why), PAWL_OK);
    assert_int_equal(stat_of(world, scope, digest, &seen), PAWL_OK);
    memset(&seen, 0, sizeof(seen));
    assert_int_equal(world->attachment->list(world->store, text_bytes(scope), see, &seen, &world->why), PAWL_OK);
    assert_int_equal(seen.count, 1);
    assert_int_equal(world->attachment->unlink(world->store, text_bytes(scope), digest, &world->why), PAWL_OK);
    scope[320] = 'i';
    scope[321] = '\0';
    assert_int_equal(begin(world, scope, "a/b", "too long", &upload), PAWL_E_LIMIT);
}

static void test_S06_collecting_does_not_touch_an_upload_under_way(void **state)
{
    struct world *world = *state;
    pawl_attachment_upload *upload = NULL;
    assert_int_equal(begin(world, "s", "a/b", "slow", &upload), PAWL_OK);
    pawl_status written = world->attachment->write(upload, text_bytes("first half, "), &world->why);
    host_advance(world->host, 1000 * HOST_SECOND_NS);
    uint64_t removed = 77;
    pawl_status collected = collect(world, HOST_START_UNIX_NS - 1, &removed);
    pawl_status again = world->attachment->write(upload, text_bytes("second half"), &world->why);
    uint8_t digest[32];
    uint64_t size = 0;
    assert_int_equal(world->attachment->commit(upload, digest, &size, &world->why), PAWL_OK);
    assert_int_equal(written, PAWL_OK);
    assert_int_equal(collected, PAWL_OK);
    assert_int_equal(again, PAWL_OK);
    assert_int_equal(removed, 0);
    assert_true(content_is(world, digest, "first half, second half"));
}

static void test_S06_what_a_killed_program_was_uploading_is_collected(void **state)
{
    struct world *world = *state;
    if (!world->provider->survives_reopen)
        skip();
    uint8_t kept[32];
    store_text(world, "s", "kept", "committed before", kept);
    world_close(world, true);
    char output[256];
    assert_int_equal(child_run(world->options, "abandon-upload", world->directory, output, sizeof(output)), 0);
    assert_int_equal(world_open(world), PAWL_OK);
    uint8_t digest[32];
    SHA256((const uint8_t *)"abandoned", 9, digest);
    assert_true(content_is(world, digest, NULL));
    uint64_t removed = 0;
    host_advance(world->host, 3600 * HOST_SECOND_NS);
    assert_int_equal(collect(world, host_unix_ns(world->host), &removed), PAWL_OK);
    assert_true(content_is(world, kept, "committed before"));
    assert_true(content_is(world, digest, NULL));
    assert_int_equal(collect(world, host_unix_ns(world->host), &removed), PAWL_OK);
    assert_int_equal(removed, 0);
}

/* ---- many who store, share and let go, and one who collects all the time ---- */

#define RACERS 4
#define ROUNDS 25

struct racer {
    struct world *world;
    unsigned index;
    unsigned failed;
    atomic_bool *stop;
};

static bool reads(struct world *world, const uint8_t digest[32], const char *expected)
{
    pawl_sink sink = {0};
    uint64_t total = 0;
    bool right = world->attachment->read(world->store, digest, 0, 1000, &sink, &total, NULL) == PAWL_OK &&
                 sink.size == strlen(expected) && memcmp(sink.data, expected, sink.size) == 0;
    sink_reset(&sink);
    return right;
}

static bool stores(struct world *world, const char *scope, const char *text, uint8_t digest[32])
{
    pawl_attachment_upload *upload = NULL;
    if (world->attachment->begin(world->store, text_bytes(scope), text_bytes(""), text_bytes(""), &upload, NULL) !=
        PAWL_OK)
        return false;
    if (world->attachment->write(upload, text_bytes(text), NULL) != PAWL_OK) {
        world->attachment->abort(upload);
        return false;
    }
    return world->attachment->commit(upload, digest, NULL, NULL) == PAWL_OK;
}

static void *store_and_let_go(void *context)
{
    struct racer *racer = context;
    struct world *world = racer->world;
    const pawl_attachment_table *table = world->attachment;
    for (unsigned round = 0; round < ROUNDS; round++) {
        char text[32];
        char own[16];
        char other[16];
        uint8_t digest[32];
        snprintf(text, sizeof(text), "content %u", round % 2); /* the same for all of them */
        snprintf(own, sizeof(own), "own-%u", racer->index);
        snprintf(other, sizeof(other), "other-%u", racer->index);
        bool right =
            stores(world, own, text, digest) && reads(world, digest, text) &&
            table->link(world->store, text_bytes(other), digest, text_bytes(""), text_bytes(""), NULL) == PAWL_OK &&
            table->unlink(world->store, text_bytes(own), digest, NULL) == PAWL_OK && reads(world, digest, text) &&
            table->unlink(world->store, text_bytes(other), digest, NULL) == PAWL_OK;
        racer->failed += !right;
    }
    return NULL;
}

static void *collect_all_the_time(void *context)
{
    struct racer *racer = context;
    uint64_t removed = 0;
    while (!atomic_load(racer->stop)) {
        pawl_attachment_collect pass = {.struct_size = sizeof(pass), .before_unix_ns = UINT64_MAX, .limit = 1};
        racer->failed += racer->world->attachment->collect(racer->world->store, &pass, NULL) != PAWL_OK;
        removed += pass.removed;
    }
    (void)removed;
    return NULL;
}

static void test_S06_collecting_races_with_those_who_store_and_share(void **state)
{
    struct world *world = *state;
    struct racer racers[RACERS + 1] = {0};
    pthread_t threads[RACERS + 1];
    atomic_bool stop = false;
    for (unsigned i = 0; i <= RACERS; i++) {
        racers[i] = (struct racer){.world = world, .index = i, .stop = &stop};
        assert_int_equal(
            pthread_create(&threads[i], NULL, i == RACERS ? collect_all_the_time : store_and_let_go, &racers[i]), 0);
    }
    for (unsigned i = 0; i <= RACERS; i++) {
        if (i == RACERS)
            atomic_store(&stop, true);
        pthread_join(threads[i], NULL);
    }
    for (unsigned i = 0; i <= RACERS; i++)
        assert_int_equal(racers[i].failed, 0);
    uint64_t removed = 0;
    uint8_t digest[32];
    assert_int_equal(collect(world, UINT64_MAX, &removed), PAWL_OK);
    SHA256((const uint8_t *)"content 0", 9, digest);
    assert_true(content_is(world, digest, NULL));
    SHA256((const uint8_t *)"content 1", 9, digest);
    assert_true(content_is(world, digest, NULL));
}

static const struct CMUnitTest attachment_tests[] = {
    CASE(test_S05_content_is_addressed_by_its_bytes),
    CASE(test_S05_shared_bytes_outlive_one_of_their_scopes),
    CASE(test_S05_sharing_with_another_scope),
    CASE(test_S05_a_scope_lists_its_own_in_order_of_digest),
    CASE(test_S05_ranges_of_large_content),
    CASE(test_S05_empty_content_is_content),
    CASE(test_S06_an_aborted_upload_leaves_nothing),
    CASE(test_S06_unlinked_content_is_collected_past_the_cutoff_only),
    CASE(test_S06_what_is_linked_again_stays),
    CASE(test_S06_collecting_races_with_those_who_store_and_share),
    CASE(test_S06_a_pass_is_bounded_and_the_next_goes_on),
    CASE(test_S05_a_scope_takes_the_longest_id_and_a_word),
    CASE(test_S06_collecting_does_not_touch_an_upload_under_way),
    CASE(test_S06_what_a_killed_program_was_uploading_is_collected),
};
const struct group attachment_group = GROUP(attachment, FACET_BIT(PAWL_FACET_ATTACHMENT));
