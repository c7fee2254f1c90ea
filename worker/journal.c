/* journal.c: see journal.h; docs/journal-format.md shows the bytes. One table says which fields a kind has, and one
 * order of fields serves encoding and decoding alike, so that the two cannot drift apart. The decoder must never read
 * beyond the body or trust a length, whatever the bytes are: they may come from a damaged disk. */
#include "journal.h"

#include <inttypes.h>
#include <string.h>

/* Fields, in the order in which they stand in a body after the version byte. */
enum {
    FIELD_FLAGS = 1 << 0,    /* one byte; bit 0: failed */
    FIELD_ORDINAL = 1 << 1,  /* varint */
    FIELD_ATTEMPT = 1 << 2,  /* varint */
    FIELD_STATUS = 1 << 3,   /* varint */
    FIELD_NAME = 1 << 4,     /* varint length, bytes */
    FIELD_DIGEST = 1 << 5,   /* 16 bytes */
    FIELD_AFTER = 1 << 6,    /* varint */
    FIELD_DUE = 1 << 7,      /* 8 bytes, least significant first */
    FIELD_CODE = 1 << 8,     /* varint length, bytes; into failure.code */
    FIELD_FAILURE = 1 << 9,  /* klass varint; code, message, detail as length and bytes; retry_after varint */
    FIELD_VALUE = 1 << 10,   /* varint length, bytes */
    FIELD_LIMITS = 1 << 12,  /* two varints: bytes, records */
    FIELD_OUTCOME = 1 << 11, /* a failure when the failed flag is set, else a value */
    /* First of all, because a provider puts it together: run, generation, ordinal and depth as varints, and then the
     * version byte of the child's ENDED body, whose fields follow. */
    FIELD_NOTE = 1 << 13,
    FIELD_OF = 1 << 14, /* varint; stands behind the ordinal */
};

#define FLAG_FAILED    1u
#define COMMAND_FIELDS (FIELD_ORDINAL | FIELD_ATTEMPT | FIELD_NAME | FIELD_DIGEST)

static const struct layout {
    uint32_t kind;
    uint32_t fields;
    const char *name;
} layouts[] = {
    {PAWL_RECORD_STEP, FIELD_FLAGS | COMMAND_FIELDS | FIELD_OUTCOME, "step"},
    {PAWL_RECORD_INTENT, COMMAND_FIELDS, "intent"},
    {PAWL_RECORD_ATTEMPT, COMMAND_FIELDS | FIELD_DUE | FIELD_FAILURE, "attempt"},
    {PAWL_RECORD_TIMER, FIELD_ORDINAL | FIELD_AFTER | FIELD_DUE, "timer"},
    {PAWL_RECORD_FIRED, FIELD_ORDINAL, "fired"},
    {PAWL_RECORD_NOW, FIELD_ORDINAL | FIELD_DUE, "now"},
    {PAWL_RECORD_DEADLINE, COMMAND_FIELDS | FIELD_DUE, "deadline"},
    {PAWL_RECORD_LIMITS, FIELD_LIMITS, "limits"},
    {PAWL_RECORD_ROLLBACK, FIELD_ORDINAL | FIELD_OF | FIELD_NAME | FIELD_DIGEST | FIELD_VALUE, "rollback"},
    {PAWL_RECORD_MARKER, FIELD_STATUS | FIELD_NAME, "marker"},
    {PAWL_RECORD_PINNED, FIELD_STATUS | FIELD_NAME | FIELD_VALUE, "pinned"},
    {PAWL_RECORD_OWNER, FIELD_NAME | FIELD_DUE, "owner"},
    {PAWL_RECORD_STARTED, FIELD_VALUE, "started"},
    {PAWL_RECORD_SIGNAL, FIELD_NAME | FIELD_VALUE, "signal"},
    {PAWL_RECORD_NOTICE, FIELD_NAME, "notice"},
    {PAWL_RECORD_UPDATE, FIELD_NAME | FIELD_CODE | FIELD_VALUE, "update"},
    {PAWL_RECORD_REPLY, FIELD_FLAGS | FIELD_ORDINAL | FIELD_NAME | FIELD_OUTCOME, "reply"},
    {PAWL_RECORD_CANCEL, FIELD_STATUS | FIELD_VALUE, "cancel"},
    {PAWL_RECORD_RESUMED, FIELD_VALUE, "resumed"},
    {PAWL_RECORD_PAUSED, FIELD_VALUE, "paused"},
    {PAWL_RECORD_CONTINUED, FIELD_VALUE, "continued"},
    {PAWL_RECORD_REWOUND, FIELD_ORDINAL | FIELD_STATUS | FIELD_VALUE, "rewound"},
    {PAWL_RECORD_ENDED, FIELD_FLAGS | FIELD_STATUS | FIELD_OUTCOME, "ended"},
    {PAWL_RECORD_COMPENSATING, FIELD_STATUS | FIELD_FAILURE, "compensating"},
    {PAWL_RECORD_PARKED, FIELD_CODE | FIELD_VALUE, "parked"},
    {PAWL_RECORD_EVENT, FIELD_STATUS | FIELD_NAME | FIELD_CODE | FIELD_VALUE, "event"},
    {PAWL_RECORD_CHILD, FIELD_NOTE | FIELD_FLAGS | FIELD_STATUS | FIELD_OUTCOME, "child"},
    {PAWL_RECORD_INTERRUPTED, FIELD_NAME | FIELD_VALUE, "interrupted"},
};

static const struct layout *layout_of(uint32_t kind)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (layouts[i].kind == kind)
            return &layouts[i];
    return NULL;
}

const char *pawl_record_name(uint32_t kind)
{
    const struct layout *layout = layout_of(kind);
    return layout == NULL ? "unknown" : layout->name;
}

/* ---- encoding ---- */

#define VARINT_MAX 10 /* bytes of the longest varint */

static size_t failure_size_max(const pawl_failure *failure)
{
    return 5 * VARINT_MAX + failure->code.size + failure->message.size + failure->detail_json.size;
}

/* An upper bound, so that one allocation is enough. */
static size_t body_size_max(const pawl_entry *entry)
{
    return 3 + 11 * VARINT_MAX + sizeof entry->digest + 8 + entry->name.size + entry->value.size +
           failure_size_max(&entry->failure);
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *put_fixed(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

static uint8_t *put_bytes(uint8_t *at, pawl_bytes bytes)
{
    at = put_varint(at, bytes.size);
    if (bytes.size > 0)
        memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

static uint8_t *put_failure(uint8_t *at, const pawl_failure *failure)
{
    at = put_varint(at, failure->klass);
    at = put_bytes(at, failure->code);
    at = put_bytes(at, failure->message);
    at = put_bytes(at, failure->detail_json);
    return put_varint(at, failure->retry_after_ns);
}

static uint8_t *put_note(uint8_t *at, const pawl_child_note *note)
{
    at = put_varint(at, note->run);
    at = put_varint(at, note->generation);
    at = put_varint(at, note->ordinal);
    return put_varint(at, note->depth);
}

pawl_bytes pawl_child_note_encode(const pawl_child_note *note, uint8_t to[PAWL_CHILD_NOTE_MAX])
{
    _Static_assert(PAWL_CHILD_NOTE_MAX >= 1 + 5 + 5 + VARINT_MAX + 5, "a note has room");
    to[0] = PAWL_JOURNAL_VERSION;
    return (pawl_bytes){to, (size_t)(put_note(to + 1, note) - to)};
}

/* OUTCOME is one of two plain fields; which one, the failed flag says. */
static uint32_t resolve_outcome(uint32_t fields, bool failed)
{
    if ((fields & FIELD_OUTCOME) == 0)
        return fields;
    return fields | (failed ? (uint32_t)FIELD_FAILURE : (uint32_t)FIELD_VALUE);
}

pawl_status pawl_entry_encode(pawl_arena *arena, const pawl_entry *entry, pawl_bytes *ret_body)
{
    const struct layout *layout = layout_of(entry->kind);
    if (layout == NULL)
        return PAWL_E_INVALID;
    uint8_t *body = pawl_arena_alloc(arena, body_size_max(entry));
    if (body == NULL)
        return PAWL_E_NOMEM;
    uint32_t fields = resolve_outcome(layout->fields, entry->failed);
    uint8_t *at = body;
    *at++ = PAWL_JOURNAL_VERSION;
    if (fields & FIELD_NOTE) {
        at = put_note(at, &entry->note);
        *at++ = PAWL_JOURNAL_VERSION;
    }
    if (fields & FIELD_FLAGS)
        *at++ = entry->failed ? FLAG_FAILED : 0;
    if (fields & FIELD_ORDINAL)
        at = put_varint(at, entry->ordinal);
    if (fields & FIELD_OF)
        at = put_varint(at, entry->of);
    if (fields & FIELD_ATTEMPT)
        at = put_varint(at, entry->attempt);
    if (fields & FIELD_STATUS)
        at = put_varint(at, entry->status);
    if (fields & FIELD_NAME)
        at = put_bytes(at, entry->name);
    if (fields & FIELD_DIGEST)
        at = (uint8_t *)memcpy(at, entry->digest, sizeof entry->digest) + sizeof entry->digest;
    if (fields & FIELD_AFTER)
        at = put_varint(at, entry->after_ns);
    if (fields & FIELD_DUE)
        at = put_fixed(at, entry->due_unix_ns);
    if (fields & FIELD_LIMITS)
        at = put_varint(put_varint(at, entry->limit_bytes), entry->limit_records);
    if (fields & FIELD_CODE)
        at = put_bytes(at, entry->failure.code);
    if (fields & FIELD_FAILURE)
        at = put_failure(at, &entry->failure);
    if (fields & FIELD_VALUE)
        at = put_bytes(at, entry->value);
    *ret_body = (pawl_bytes){body, (size_t)(at - body)};
    return PAWL_OK;
}

/* ---- decoding ---- */

/* What is left of a body. After the first fault nothing more is read and every get gives zero. */
struct reader {
    const uint8_t *at;
    size_t left;
    const char *fault; /* which field, and what is wrong with it; NULL: none */
};

static void reader_fail(struct reader *reader, const char *fault)
{
    if (reader->fault == NULL)
        reader->fault = fault;
    reader->left = 0;
}

static uint8_t get_byte(struct reader *reader, const char *fault)
{
    if (reader->left == 0) {
        reader_fail(reader, fault);
        return 0;
    }
    reader->left--;
    return *reader->at++;
}

/* A number of at most `max`, in its shortest form: two encodings of one value would be two truths. */
static uint64_t get_varint(struct reader *reader, uint64_t max, const char *fault)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = get_byte(reader, fault);
        if (reader->fault != NULL)
            return 0;
        uint64_t part = (uint64_t)(byte & 0x7f) << shift;
        if (part >> shift != (byte & 0x7fu))
            break;
        value |= part;
        if (byte & 0x80)
            continue;
        if (value > max || (byte == 0 && shift > 0))
            break;
        return value;
    }
    reader_fail(reader, fault);
    return 0;
}

static uint64_t get_fixed(struct reader *reader, const char *fault)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)get_byte(reader, fault) << (8 * i);
    return reader->fault == NULL ? value : 0;
}

static pawl_bytes get_raw(struct reader *reader, size_t size, const char *fault)
{
    if (size > reader->left) {
        reader_fail(reader, fault);
        return (pawl_bytes){"", 0};
    }
    pawl_bytes bytes = {reader->at, size};
    reader->at += size;
    reader->left -= size;
    return bytes;
}

static pawl_bytes get_bytes(struct reader *reader, const char *fault)
{
    uint64_t size = get_varint(reader, SIZE_MAX, fault);
    return get_raw(reader, (size_t)size, fault);
}

static void get_failure(struct reader *reader, pawl_failure *failure)
{
    failure->struct_size = sizeof *failure;
    failure->klass = (uint32_t)get_varint(reader, UINT32_MAX, "failure class");
    failure->code = get_bytes(reader, "failure code");
    failure->message = get_bytes(reader, "failure message");
    failure->detail_json = get_bytes(reader, "failure detail");
    failure->retry_after_ns = get_varint(reader, UINT64_MAX, "retry_after");
}

static void get_note(struct reader *reader, pawl_child_note *note)
{
    note->run = (uint32_t)get_varint(reader, UINT32_MAX, "run");
    note->generation = (uint32_t)get_varint(reader, UINT32_MAX, "generation");
    note->ordinal = get_varint(reader, UINT64_MAX, "ordinal");
    note->depth = (uint32_t)get_varint(reader, UINT32_MAX, "depth");
}

bool pawl_child_note_decode(pawl_bytes bytes, pawl_child_note *ret)
{
    struct reader reader = {bytes.data, bytes.size, NULL};
    uint8_t version = get_byte(&reader, "version byte");
    pawl_child_note note = {0};
    if (version != PAWL_JOURNAL_VERSION)
        return false;
    get_note(&reader, &note);
    if (reader.fault != NULL || reader.left > 0)
        return false;
    *ret = note;
    return true;
}

static void get_fields(struct reader *reader, uint32_t fields, pawl_entry *entry)
{
    if (fields & FIELD_NOTE) {
        get_note(reader, &entry->note);
        if (get_byte(reader, "inner version byte") != PAWL_JOURNAL_VERSION)
            reader_fail(reader, "inner version byte");
    }
    if (fields & FIELD_FLAGS) {
        uint8_t flags = get_byte(reader, "flags");
        if (flags & ~FLAG_FAILED)
            reader_fail(reader, "flags");
        entry->failed = (flags & FLAG_FAILED) != 0;
    }
    if (fields & FIELD_ORDINAL)
        entry->ordinal = get_varint(reader, UINT64_MAX, "ordinal");
    if (fields & FIELD_OF)
        entry->of = get_varint(reader, UINT64_MAX, "other ordinal");
    if (fields & FIELD_ATTEMPT)
        entry->attempt = (uint32_t)get_varint(reader, UINT32_MAX, "attempt");
    if (fields & FIELD_STATUS)
        entry->status = (uint32_t)get_varint(reader, UINT32_MAX, "status");
    if (fields & FIELD_NAME)
        entry->name = get_bytes(reader, "name");
    if (fields & FIELD_DIGEST) {
        pawl_bytes digest = get_raw(reader, sizeof entry->digest, "digest");
        if (digest.size == sizeof entry->digest)
            memcpy(entry->digest, digest.data, sizeof entry->digest);
    }
    if (fields & FIELD_AFTER)
        entry->after_ns = get_varint(reader, UINT64_MAX, "span");
    if (fields & FIELD_DUE)
        entry->due_unix_ns = get_fixed(reader, "time");
    if (fields & FIELD_LIMITS) {
        entry->limit_bytes = get_varint(reader, UINT64_MAX, "bytes");
        entry->limit_records = get_varint(reader, UINT64_MAX, "records");
    }
    if (fields & FIELD_CODE)
        entry->failure.code = get_bytes(reader, "code");
    fields = resolve_outcome(fields, entry->failed);
    if (fields & FIELD_FAILURE) {
        entry->failed = true;
        get_failure(reader, &entry->failure);
    }
    if (fields & FIELD_VALUE)
        entry->value = get_bytes(reader, "value");
}

pawl_status pawl_entry_decode(const pawl_record *record, pawl_entry *ret_entry, pawl_error *error)
{
    const struct layout *layout = layout_of(record->kind);
    if (layout == NULL)
        return pawl_error_set(
            error, PAWL_E_UNSUPPORTED, "journal.kind",
            "record %" PRIu64 " is of kind %" PRIu32
            ", which this version of Pawl does not know: use the version that wrote it, or a newer one",
            record->sequence, record->kind);
    struct reader reader = {record->body.data, record->body.size, NULL};
    uint8_t version = get_byte(&reader, "version byte");
    if (version > PAWL_JOURNAL_VERSION)
        return pawl_error_set(error, PAWL_E_UNSUPPORTED, "journal.version",
                              "record %" PRIu64
                              " (%s) has format version %u, this Pawl reads up to %u: use the version "
                              "that wrote it, or a newer one",
                              record->sequence, layout->name, version, PAWL_JOURNAL_VERSION);
    if (reader.fault == NULL && version == 0)
        reader_fail(&reader, "version byte");
    pawl_entry entry = {.kind = record->kind, .sequence = record->sequence, .time_unix_ns = record->time_unix_ns};
    get_fields(&reader, layout->fields, &entry);
    if (record->kind == PAWL_RECORD_CHILD)
        entry.ordinal = entry.note.ordinal;
    if (reader.fault != NULL)
        return pawl_error_set(error, PAWL_E_CORRUPT, "journal.corrupt",
                              "record %" PRIu64 " (%s, %zu bytes) is damaged: its %s is cut short or impossible",
                              record->sequence, layout->name, record->body.size, reader.fault);
    if (reader.left > 0)
        return pawl_error_set(error, PAWL_E_CORRUPT, "journal.corrupt",
                              "record %" PRIu64 " (%s, %zu bytes) is damaged: %zu bytes follow its end",
                              record->sequence, layout->name, record->body.size, reader.left);
    *ret_entry = entry;
    return PAWL_OK;
}
