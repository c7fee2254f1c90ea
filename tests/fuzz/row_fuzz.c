/* row_fuzz.c: rows of a store: [0 header, 1 record][key][fields]. Under a right seal the fields may be anything: what
 * is decoded, written and decoded again is the same. The same bytes without a seal are always refused as damaged. */
#include "fuzz.h"

#include "plugins/store/row.h"

static void check_damage(pawl_status status, const pawl_fault *fault)
{
    FUZZ_CHECK(status == PAWL_E_CORRUPT || status == PAWL_E_UNSUPPORTED);
    FUZZ_CHECK(fault->status == status && fault->code[0] != '\0' && fault->message[0] != '\0');
}

static pawl_batch_item only_item(const pawl_batch *batch)
{
    size_t position = 0;
    pawl_batch_item item = {0};
    FUZZ_CHECK(pawl_batch_next(batch, &position, &item));
    return item;
}

static uint64_t number_of(pawl_bytes key)
{
    pawl_reader reader = pawl_reader_of(key);
    return pawl_reader_u64(&reader);
}

static void check_header(pawl_bytes key, pawl_bytes value)
{
    pawl_fault fault = {0};
    pawl_store_header header = {0};
    pawl_store_header again = {0};
    pawl_batch batch = {0};
    pawl_status status = pawl_store_decode_header(key, value, &header, &fault);
    if (status != PAWL_OK) {
        check_damage(status, &fault);
        return;
    }
    FUZZ_CHECK(header.state.status < STORE_STATUS_COUNT);
    pawl_store_put_header(&batch, number_of(key), &header.state, header.identity.encoded, header.reason_code,
                          header.reason);
    pawl_batch_item item = only_item(&batch);
    FUZZ_CHECK(pawl_store_decode_header(item.key, item.value, &again, &fault) == PAWL_OK);
    FUZZ_CHECK(header.state.status == again.state.status && header.state.token == again.state.token);
    FUZZ_CHECK(header.state.wake_unix_ns == again.state.wake_unix_ns);
    FUZZ_CHECK(header.state.ready_sequence == again.state.ready_sequence);
    FUZZ_CHECK(pawl_bytes_equal(header.reason_code, again.reason_code));
    FUZZ_CHECK(pawl_bytes_equal(header.reason, again.reason));
    FUZZ_CHECK(pawl_bytes_equal(header.identity.encoded, again.identity.encoded));
    FUZZ_CHECK(pawl_bytes_equal(header.identity.id, again.identity.id));
    FUZZ_CHECK(pawl_bytes_equal(header.identity.fingerprint, again.identity.fingerprint));
    pawl_batch_finish(&batch);
}

static void check_record(pawl_bytes key, pawl_bytes value)
{
    pawl_fault fault = {0};
    pawl_store_record record = {0};
    pawl_batch batch = {0};
    pawl_status status = pawl_store_decode_record(key, value, &record, &fault);
    if (status != PAWL_OK) {
        check_damage(status, &fault);
        return;
    }
    pawl_store_put_record(&batch, number_of(key), &record);
    pawl_batch_item item = only_item(&batch);
    FUZZ_CHECK(pawl_bytes_equal(key, item.key));
    FUZZ_CHECK(pawl_bytes_equal(value, item.value)); /* a record has one encoding */
    pawl_batch_finish(&batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    bool is_header = data[0] % 2 == 0;
    size_t key_size = is_header ? 8 : 16;
    if (size - 1 < key_size)
        return 0;
    pawl_bytes key = {data + 1, key_size};
    pawl_bytes fields = {data + 1 + key_size, size - 1 - key_size};
    pawl_fault fault = {0};
    pawl_store_header header = {0};
    pawl_store_record record = {0};
    pawl_status status = is_header ? pawl_store_decode_header(key, fields, &header, &fault)
                                   : pawl_store_decode_record(key, fields, &record, &fault);
    FUZZ_CHECK(status != PAWL_OK); /* it has no seal, but by a chance of 2 to the power of -64 */
    check_damage(status, &fault);
    pawl_batch batch = {0};
    pawl_batch_begin(&batch, is_header ? PAWL_FAMILY_PROCESS : PAWL_FAMILY_JOURNAL, key);
    pawl_buffer_append(&batch.bytes, fields.data, fields.size);
    pawl_batch_end(&batch);
    pawl_batch_item item = only_item(&batch);
    if (is_header)
        check_header(item.key, item.value);
    else
        check_record(item.key, item.value);
    pawl_batch_finish(&batch);
    return 0;
}
