/* limits.h: every limit of a store, in one place. Reaching one is PAWL_E_LIMIT (or PAWL_E_INVALID for a value that
 * could never be right) with a message that names what was found and what is allowed. */
#ifndef PAWL_STORE_LIMITS_H
#define PAWL_STORE_LIMITS_H

#define PAWL_STORE_ID_BYTES_MAX 256u /* process ids, session names, holders, plugin and profile names */
#define PAWL_STORE_SCOPE_BYTES_MAX                                                                                     \
    320u /* who links attachments: an id of the largest size, and what is put in front                                 \
          */
#define PAWL_STORE_TYPE_BYTES_MAX         256u /* process type names */
#define PAWL_STORE_POST_ID_BYTES_MAX      256u /* idempotency ids: posts, session commits */
#define PAWL_STORE_DELIVERY_KEY_BYTES_MAX 256u /* what tells deliveries apart, or joins them */
#define PAWL_STORE_SESSION_KEY_BYTES_MAX  1024u
#define PAWL_STORE_SESSION_CHANGES_MAX    4096u /* of one session commit */
#define PAWL_STORE_MEDIA_TYPE_BYTES_MAX   256u
#define PAWL_STORE_NAME_BYTES_MAX         1024u /* of an attachment */
#define PAWL_STORE_WORKER_NAME_BYTES_MAX  256u
#define PAWL_STORE_REASON_CODE_BYTES_MAX  128u
#define PAWL_STORE_REASON_BYTES_MAX       65536u
#define PAWL_STORE_FINGERPRINT_BYTES_MIN  16u
#define PAWL_STORE_FINGERPRINT_BYTES_MAX  32u
#define PAWL_STORE_DIGEST_BYTES           32u

#define PAWL_STORE_ATTRIBUTES_MAX            64u /* search attributes of one process */
#define PAWL_STORE_ATTRIBUTE_NAME_BYTES_MAX  64u
#define PAWL_STORE_ATTRIBUTE_VALUE_BYTES_MAX 256u         /* of a string */
#define PAWL_STORE_ATTRIBUTES_BYTES_MAX      (128u << 10) /* of them all, as JSON */
#define PAWL_STORE_CONDITIONS_MAX            64u          /* of one list */
#define PAWL_STORE_CONDITION_VALUES_MAX      32u          /* of one IN */
#define PAWL_STORE_LIST_RARE_MAX             256u    /* of a type: then it is listed by type, whatever else is asked */
#define PAWL_STORE_LIST_LOOKS_MAX            20000u  /* rows that a page with conditions looks at */
#define PAWL_STORE_LIST_COLLECT_MAX          100000u /* numbers of an index range that are sorted in memory */

#define PAWL_STORE_VALUE_BYTES_DEFAULT   (4u << 20) /* config "value_bytes_max": a record body, a session value */
#define PAWL_STORE_VALUE_BYTES_CEILING   (256u << 20)
#define PAWL_STORE_JOURNAL_BYTES_DEFAULT (64ull << 20) /* config "journal_bytes_max": the bodies of one journal */
#define PAWL_STORE_JOURNAL_RECORDS_MAX   (1ull << 24)
#define PAWL_STORE_COMMIT_RECORDS_MAX    65536u /* of one operation */
#define PAWL_STORE_TYPES_MAX             65536u
#define PAWL_STORE_WORKERS_MAX           4096u /* open worker sessions */
#define PAWL_STORE_LIST_PAGE_MAX         1000u
#define PAWL_STORE_QUEUE_WAITS_MAX       256u   /* processes that wait for one queue */
#define PAWL_STORE_QUEUE_WAIT_BYTES_MAX  256u   /* what such a one is told */
#define PAWL_STORE_CLAIM_MAX             1000u  /* processes of one claim; a larger limit is cut to this */
#define PAWL_STORE_PRUNE_MAX             10000u /* processes of one prune; a larger limit is cut to this */
#define PAWL_STORE_POSTS_MAX             1000u  /* of one batch together with a commit of a session */
#define PAWL_STORE_ARTIFACT_BYTES_MAX    (256ull << 20)
#define PAWL_STORE_ATTACHMENT_BYTES_MAX  (1ull << 40)
#define PAWL_STORE_CHUNK_BYTES           (256u << 10) /* how attachments and artifacts are cut */

#define PAWL_STORE_ROUND_OPS_MAX    4096u       /* operations of one group commit */
#define PAWL_STORE_ROUND_BYTES_MAX  (32u << 20) /* a round takes no further operation beyond this */
#define PAWL_STORE_IDLE_ENTRIES_MAX 4096u       /* unleased processes kept in memory, as a cache */

#define PAWL_STORE_AHEAD_MAX        1000u /* counted of those in front of a ready process, for whoever asks */
#define PAWL_STORE_LANES_MAX        16384u /* keys with ready processes kept in memory; the others are looked up in turn */
#define PAWL_STORE_ACCOUNTS_MAX     65536u /* keys whose rate is remembered after their last process has left */
#define PAWL_STORE_HELD_ENTRIES_MAX 4096u  /* due processes of a type whose key is at its limit, kept in memory */

#endif
