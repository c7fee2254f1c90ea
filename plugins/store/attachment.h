/* attachment.h: the functions of the attachment facet; pawl_abi.h says what each does. [worker] */
#ifndef PAWL_STORE_ATTACHMENT_H
#define PAWL_STORE_ATTACHMENT_H

#include "contents.h"

/* upload.c */
pawl_status pawl_store_upload_begin(pawl_store *store, pawl_bytes scope, pawl_bytes media_type, pawl_bytes name,
                                    pawl_attachment_upload **upload, pawl_failure_sink *why);
pawl_status pawl_store_upload_write(pawl_attachment_upload *upload, pawl_bytes chunk, pawl_failure_sink *why);
pawl_status pawl_store_upload_commit(pawl_attachment_upload *upload, uint8_t *digest, uint64_t *size,
                                     pawl_failure_sink *why);
void pawl_store_upload_abort(pawl_attachment_upload *upload);

/* attachment.c */
pawl_status pawl_store_attachment_read(pawl_store *store, const uint8_t *digest, uint64_t offset, uint64_t size,
                                       pawl_sink *out, uint64_t *total, pawl_failure_sink *why);
pawl_status pawl_store_attachment_stat(pawl_store *store, pawl_bytes scope, const uint8_t *digest,
                                       pawl_attachment_visit visit, void *context, pawl_failure_sink *why);
pawl_status pawl_store_attachment_link(pawl_store *store, pawl_bytes scope, const uint8_t *digest,
                                       pawl_bytes media_type, pawl_bytes name, pawl_failure_sink *why);
pawl_status pawl_store_attachment_unlink(pawl_store *store, pawl_bytes scope, const uint8_t *digest,
                                         pawl_failure_sink *why);
pawl_status pawl_store_attachment_list(pawl_store *store, pawl_bytes scope, pawl_attachment_visit visit, void *context,
                                       pawl_failure_sink *why);

/* collect.c */
pawl_status pawl_store_attachment_collect(pawl_store *store, pawl_attachment_collect *pass, pawl_failure_sink *why);

/* ---- between the three, and for the audit ---- */

/** What is stored of a content. */
typedef struct pawl_store_blob {
    uint64_t number; /* under which its chunks are */
    uint64_t size;
    uint64_t created_unix_ns;
    /* Since when nothing links it, as its loose row has it: the two are written together. 0: something links it. */
    uint64_t loose_unix_ns;
} pawl_store_blob;

pawl_status pawl_store_blob_read(pawl_store *store, const uint8_t *digest, pawl_store_blob *blob, pawl_fault *fault);
pawl_status pawl_store_blob_decode(pawl_bytes key, pawl_bytes value, pawl_store_blob *blob, pawl_fault *fault);
/** Its row, and its loose row if nothing links it. */
void pawl_store_blob_put(pawl_batch *batch, const uint8_t *digest, const pawl_store_blob *blob);
/** Its row and its chunks, but not its loose row. */
void pawl_store_blob_delete(pawl_batch *batch, const uint8_t *digest, const pawl_store_blob *blob);
/** Something is about to link it: it is not loose any more. Under the digest's lock. */
void pawl_store_blob_tighten(pawl_batch *batch, const uint8_t *digest, pawl_store_blob *blob);
/** The row by which collect finds what nothing links, in the order in which it was let go. */
void pawl_store_key_loose(pawl_key *key, uint64_t loose_unix_ns, const uint8_t *digest);
void pawl_store_key_chunk(pawl_key *key, uint64_t blob, uint32_t index);
void pawl_store_key_upload(pawl_key *key, uint64_t blob);
/** Delete the chunks of a blob. */
void pawl_store_chunks_delete(pawl_batch *batch, uint64_t blob);
pawl_status pawl_store_link_check(pawl_bytes scope, pawl_bytes media_type, pawl_bytes name, pawl_fault *fault);
void pawl_store_link_put(pawl_batch *batch, pawl_bytes scope, const uint8_t *digest, pawl_bytes media_type,
                         pawl_bytes name);
/** Does any scope but one (empty: none) link it? */
pawl_status pawl_store_is_linked(pawl_store *store, const uint8_t *digest, pawl_bytes but, bool *linked,
                                 pawl_fault *fault);
/** Is an upload with this blob number running? */
bool pawl_store_upload_is_running(pawl_store *store, uint64_t blob);

#endif
