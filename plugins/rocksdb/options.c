/* options.c: see options.h. Every setting that is not RocksDB's default has its reason beside it. */
#include "options.h"

#include <stdio.h>

#define SMALL_BUFFER_BYTES  (4u << 20)
#define SMALL_ARENA_BYTES   (64u << 10) /* so that eighteen quiet families cost little memory */
#define LARGE_ARENA_BYTES   (256u << 10)
#define INDEX_LEVEL_BYTES   (2u << 20)
#define INDEX_FILE_BYTES    (512u << 10)
#define HEADER_LINES_ONLY   5
#define BLOB_BYTES_MIN      (4u << 10)
#define FILTER_BITS_PER_KEY 10.0
#define FRESH_FILTER_RATIO  0.02 /* of the buffer: about 16 bits for an id of 36 bytes */

static void set_up_database(rocksdb_options_t *database, const pawl_store_config *config)
{
    rocksdb_options_set_create_if_missing(database, 1);
    rocksdb_options_set_create_missing_column_families(database, 1);
    /* Flushed one by one, only the last record can be one that a crash cut short, and log_tail.c has looked at it: what
     * is still wrong is damage, and an error. (Absolute consistency would refuse a store for a torn record, too, and a
     * device that was full leaves one in the middle of the logs.) Not flushed, a power failure may leave pages of the
     * log in any order: the history ends at the first record that is not whole, in whatever log that is. Never that
     * with flushes: it would silently forget what was acknowledged behind a damaged record. */
    rocksdb_options_set_wal_recovery_mode(database, config->sync ? rocksdb_tolerate_corrupted_tail_records_recovery
                                                                 : rocksdb_point_in_time_recovery);
    /* A reused log file has old records behind its end, which cannot be told from a torn tail. */
    rocksdb_options_set_recycle_log_file_num(database, 0);
    rocksdb_options_set_paranoid_checks(database, 1);
    /* All families together; else eighteen of them, each within its own limit, would hold many times this. */
    rocksdb_options_set_db_write_buffer_size(database, config->write_buffer_bytes);
    /* Quiet families would otherwise keep old logs alive for ever, and an opening reads them all: about a quarter of a
     * second for 16 MiB. */
    rocksdb_options_set_max_total_wal_size(database, config->write_buffer_bytes / 2 * 3);
    rocksdb_options_set_max_background_jobs(database, 2);
    rocksdb_options_set_max_open_files(database, 256);
    /* RocksDB's own log holds its settings, written when it opens, and nothing else: an idle store writes nothing, its
     * errors are reported anyway, and a RocksDB built with assertions (as Debian's is) aborts the whole program at the
     * first line after one that the device refused. */
    rocksdb_options_set_info_log_level(database, HEADER_LINES_ONLY);
    rocksdb_options_set_keep_log_file_num(database, 2);
    rocksdb_options_set_stats_dump_period_sec(database, 0);
    rocksdb_options_set_stats_persist_period_sec(database, 0);
    rocksdb_options_set_skip_stats_update_on_db_open(database, 1);
}

static bool is_large(pawl_family family)
{
    return family == PAWL_FAMILY_JOURNAL || family == PAWL_FAMILY_PROCESS || family == PAWL_FAMILY_CHUNK ||
           family == PAWL_FAMILY_ARTIFACT;
}

static bool is_queue(pawl_family family)
{
    return family == PAWL_FAMILY_READY || family == PAWL_FAMILY_WAKE || family == PAWL_FAMILY_STATUS ||
           family == PAWL_FAMILY_ENDED || family == PAWL_FAMILY_INBOX;
}

static bool is_read_by_key(pawl_family family)
{
    return family == PAWL_FAMILY_IDENT || family == PAWL_FAMILY_PROCESS || family == PAWL_FAMILY_POST ||
           family == PAWL_FAMILY_DOCUMENT || family == PAWL_FAMILY_COMMIT_KEY || family == PAWL_FAMILY_ATTACHMENT ||
           family == PAWL_FAMILY_CHUNK || family == PAWL_FAMILY_ARTIFACT || family == PAWL_FAMILY_DELIVERY;
}

/* Defaults, and what the C API can say in a string only. A RocksDB that does not know it does without. */
static rocksdb_options_t *options_from(const char *text)
{
    char *error = NULL;
    rocksdb_options_t *made = rocksdb_options_create();
    rocksdb_options_t *plain = rocksdb_options_create();
    rocksdb_get_options_from_string(plain, text, made, &error);
    rocksdb_options_destroy(plain);
    rocksdb_free(error);
    return made;
}

/* Rows of a family whose keys share so many first bytes are mostly written one behind the other; 0: they are not. */
static size_t run_prefix(pawl_family family)
{
    static const uint8_t lengths[PAWL_FAMILY_COUNT] = {
        [PAWL_FAMILY_IDENT] = 4,    /* ids that grow with time, or have a word in front */
        [PAWL_FAMILY_PROCESS] = 6,  /* processes started one after the other */
        [PAWL_FAMILY_JOURNAL] = 6,  /* their records: a place for each one would cost more than it saves */
        [PAWL_FAMILY_READY] = 4,    /* the queue of one type */
        [PAWL_FAMILY_WAKE] = 4,     /* the timers of one type */
        [PAWL_FAMILY_STATUS] = 4,   /* the processes of one status */
        [PAWL_FAMILY_RELATION] = 9, /* the processes of one session, parent or type */
        [PAWL_FAMILY_ENDED] = 1,
    };
    return lengths[family];
}

/* RocksDB remembers for each such prefix where in the memtable it last wrote, and looks there first: without it, every
 * record is searched for from the top, which was a third of all the time of a busy worker. */
static rocksdb_options_t *options_with_hints(pawl_family family)
{
    char text[96];
    size_t length = run_prefix(family);
    if (length == 0)
        return rocksdb_options_create();
    snprintf(text, sizeof text, "memtable_insert_with_hint_prefix_extractor=rocksdb.FixedPrefix.%zu", length);
    return options_from(text);
}

static void set_up_family(pawl_rocksdb_options *options, pawl_family family, const pawl_store_config *config)
{
    rocksdb_options_t *made = options_with_hints(family);
    options->family[family] = made;
    rocksdb_options_set_write_buffer_size(made, is_large(family) ? config->write_buffer_bytes : SMALL_BUFFER_BYTES);
    /* A block that is not small beside the buffer fills it at once, and RocksDB does not bear that. */
    uint64_t arena = is_large(family) ? LARGE_ARENA_BYTES : SMALL_ARENA_BYTES;
    uint64_t eighth = config->write_buffer_bytes / 8;
    rocksdb_options_set_arena_block_size(made, is_large(family) && eighth < arena ? eighth : arena);
    rocksdb_options_set_block_based_table_factory(made,
                                                  is_read_by_key(family) ? options->point_table : options->range_table);
    /* "Is this id new?" again, for what is not in a file yet. */
    if (family == PAWL_FAMILY_IDENT) {
        rocksdb_options_set_memtable_prefix_bloom_size_ratio(made, FRESH_FILTER_RATIO);
        rocksdb_options_set_memtable_whole_key_filtering(made, 1);
    }
    /* Rows of a queue are deleted soon after they are written: files that are mostly deletions are rewritten early,
     * so that a claim never wades through them. */
    if (is_queue(family))
        rocksdb_options_add_compact_on_deletion_collector_factory(made, 4096, 2048);
    /* New rows of an index lie on both sides of those of all that sleep, so that joining them to the first level
     * rewrites it: with a million asleep and that level as large as RocksDB makes it, 18 MB each time. Kept small, it
     * hands what rests down to levels where a file meets its like alone. */
    if (is_queue(family) || family == PAWL_FAMILY_RELATION) {
        rocksdb_options_set_max_bytes_for_level_base(made, INDEX_LEVEL_BYTES);
        rocksdb_options_set_target_file_size_base(made, INDEX_FILE_BYTES);
        rocksdb_options_set_target_file_size_multiplier(made, 4); /* few files, however many rows */
    }
    /* Large values stay out of the tree, so that compaction does not copy them over and over. */
    if (family == PAWL_FAMILY_CHUNK || family == PAWL_FAMILY_ARTIFACT || family == PAWL_FAMILY_DOCUMENT ||
        family == PAWL_FAMILY_JOURNAL) {
        rocksdb_options_set_enable_blob_files(made, 1);
        rocksdb_options_set_min_blob_size(made, BLOB_BYTES_MIN);
        rocksdb_options_set_enable_blob_gc(made, 1);
    }
}

void pawl_rocksdb_options_init(pawl_rocksdb_options *options, const pawl_store_config *config)
{
    options->cache = rocksdb_cache_create_lru(config->block_cache_bytes);
    options->range_table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(options->range_table, options->cache);
    options->point_table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(options->point_table, options->cache);
    /* "Is this id new?" is the common question, and the filter answers it without reading a file. */
    rocksdb_block_based_options_set_filter_policy(options->point_table,
                                                  rocksdb_filterpolicy_create_bloom_full(FILTER_BITS_PER_KEY));
    options->database = rocksdb_options_create();
    set_up_database(options->database, config);
    for (size_t i = 0; i < PAWL_FAMILY_COUNT; i++)
        set_up_family(options, (pawl_family)i, config);
}

void pawl_rocksdb_options_finish(pawl_rocksdb_options *options)
{
    for (size_t i = 0; i < PAWL_FAMILY_COUNT; i++)
        rocksdb_options_destroy(options->family[i]);
    rocksdb_options_destroy(options->database);
    rocksdb_block_based_options_destroy(options->point_table);
    rocksdb_block_based_options_destroy(options->range_table);
    rocksdb_cache_destroy(options->cache);
}
