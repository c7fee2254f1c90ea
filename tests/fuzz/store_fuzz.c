/* store_fuzz.c: a store whose rows are all well sealed and make no sense together: repeated [family][key size][fields
 * size, two bytes, least first][key][fields], written behind its back beside one good process. Everything that can be
 * asked of a registry is asked then. Each answer is a status, every operation completes, and what cannot be believed is
 * told as damage; nothing is asserted, hung or read beyond. Nothing new is registered: numbers that were given out are
 * not looked for again, which is the business of `pawl check`. */
#include "fuzz.h"

#include "tests/unit/store/fixture.h"

#include "plugins/store/facets.h"

#define LOOKS 6u /* process numbers that are looked at */

static const pawl_registry_table *const table = &pawl_store_registry_table;

static void plant(pawl_kv *kv, const uint8_t *data, size_t size)
{
    pawl_fault fault = {0};
    pawl_batch batch = {0};
    while (size >= 4) {
        size_t key = data[1];
        size_t fields = (size_t)data[2] | (size_t)data[3] << 8;
        key = key == 0 ? 1 : key;
        if (key > size - 4)
            break;
        if (fields > size - 4 - key)
            fields = size - 4 - key;
        pawl_batch_begin(&batch, (pawl_family)(data[0] % PAWL_FAMILY_COUNT), (pawl_bytes){data + 4, key});
        pawl_buffer_append(&batch.bytes, data + 4 + key, fields);
        pawl_batch_end(&batch);
        data += 4 + key + fields;
        size -= 4 + key + fields;
    }
    FUZZ_CHECK(pawl_kv_write(kv, &batch, false, &fault) == PAWL_OK);
    pawl_batch_finish(&batch);
}

static void known(pawl_status status)
{
    FUZZ_CHECK(status <= PAWL_OK && status > -1000);
}

typedef struct leases {
    row rows[4];
    size_t count;
} leases;

static int32_t take_lease(void *context, const pawl_process_row *from)
{
    leases *all = context;
    FUZZ_CHECK(from->id.size == 0 || from->id.data != NULL);
    if (all->count < sizeof all->rows / sizeof *all->rows)
        all->rows[all->count++] = (row){.number = from->number, .token = from->token, .head = from->head};
    return 0;
}

static int32_t see_row(void *context, const pawl_process_row *from)
{
    size_t *count = context;
    *count += from->id.size + from->type.size + from->reason.size + from->outcome.size + from->document.size;
    return 0;
}

static int32_t see_record(void *context, const pawl_record *record)
{
    uint64_t *last = context;
    FUZZ_CHECK(record->sequence > *last); /* whatever the store holds, a journal is given in order */
    *last = record->sequence;
    FUZZ_CHECK(record->body.size == 0 || record->body.data != NULL);
    return 0;
}

static void look(fixture *f)
{
    uint64_t counts[32];
    size_t seen = 0;
    known(table->count(f->store, counts, 32, NULL));
    known(table->get(f->store, pawl_bytes_of("a"), see_row, &seen, NULL));
    known(table->get(f->store, pawl_bytes_of("real"), see_row, &seen, NULL));
    for (uint64_t number = 0; number < LOOKS; number++) {
        uint64_t last = 0;
        known(table->journal(f->store, number, 1, 0, see_record, &last, NULL));
    }
    pawl_list lists[] = {{.limit = 10},
                         {.limit = 10, .status_mask = 1u << PAWL_READY | 1u << PAWL_STUCK},
                         {.limit = 10, .descending = 1, .type = pawl_bytes_of("t")},
                         {.limit = 10, .session = pawl_bytes_of("s")},
                         {.limit = 10, .parent = pawl_bytes_of("p")}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        uint64_t next = 0;
        lists[i].struct_size = sizeof lists[i];
        known(table->list(f->store, &lists[i], see_row, &seen, &next, NULL));
    }
}

static void work(fixture *f)
{
    leases all = {.count = 0};
    pawl_bytes type = pawl_bytes_of("t");
    uint64_t session = do_worker(f, "w", UINT64_C(1000000000), NULL);
    pawl_claim claim = {.struct_size = sizeof claim,
                        .limit = 4,
                        .session = session,
                        .types = &type,
                        .type_count = 1,
                        .type_size = sizeof type};
    known(table->claim(f->store, &claim, take_lease, &all, NULL));
    for (size_t i = 0; i < all.count; i++) {
        uint64_t sequence = 0;
        uint32_t flags = 0;
        known(do_append(f, &all.rows[i], "x", &sequence));
        known(i % 2 == 0 ? do_suspend(f, &all.rows[i], sequence, 5, &flags)
                         : do_complete(f, &all.rows[i], sequence, PAWL_COMPLETED, &flags));
    }
    known(do_post(f, "a", PAWL_RECORD_CANCEL, "c1", NULL, NULL));
    known(do_post(f, "real", PAWL_RECORD_SIGNAL, "s1", NULL, NULL));
    known(do_end(f, "a", "e1", PAWL_TERMINATED, 1));
    pawl_prune prune = {.struct_size = sizeof prune, .limit = 10, .ended_before_unix_ns = UINT64_MAX};
    pawl_registry_op op = {.kind = PAWL_OP_PRUNE, .request = &prune};
    known(fixture_run(f, &op));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fixture *f = fixture_open(false, NULL);
    FUZZ_CHECK(do_register(f, "real", "t", NULL) == PAWL_OK);
    plant(f->kv->real, data, size);
    look(f);
    work(f);
    look(f);
    fixture_close(f);
    return 0;
}
