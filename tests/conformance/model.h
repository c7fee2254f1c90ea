/* model.h: what a registry must do, said as simply as possible: an array of processes, each with its journal in memory.
 *
 * The oracle of the randomised test. It owns no provider, knows no clock but the numbers it is given, and does no I/O.
 * Each function changes the model as the contract says and returns what a provider must answer. One thread.
 */
#ifndef PAWL_CONFORMANCE_MODEL_H
#define PAWL_CONFORMANCE_MODEL_H

#include <stdbool.h>

#include "pawl_abi.h"

#define MODEL_PROCESSES 24
#define MODEL_WORKERS   3
#define MODEL_POSTS     64 /* accepted posts of one process that are remembered here */
#define MODEL_TYPES     3
#define MODEL_NOTE      7u

struct model_record {
    uint32_t kind;
    uint32_t variant; /* which of the bodies */
};

struct model_accepted {
    uint32_t kind;
    uint32_t post;
    uint32_t variant;
    uint64_t sequence;
};

struct model_process {
    uint32_t generation; /* of the id: a pruned one is not used again */
    bool exists;
    bool pruned;
    bool external;
    bool cancelled;
    uint32_t type;
    uint32_t variant; /* of the registration */
    uint32_t status;  /* READY also stands for "may be claimed" by a due time or after a lost lease */
    uint64_t number;
    uint64_t wake_unix_ns;
    uint64_t ended_unix_ns;
    uint64_t last_token; /* some token that was once good */
    uint64_t token;      /* current lease; 0: none */
    int worker;          /* which of the workers holds it */
    struct model_record *journal;
    size_t head;
    size_t capacity;
    struct model_accepted accepted[MODEL_POSTS];
    size_t accepted_count;
    uint32_t document; /* which; 0: none */
};

struct model_worker {
    uint64_t session;
    uint64_t expires_mono_ns;
    bool alive;
};

struct model {
    struct model_process processes[MODEL_PROCESSES];
    struct model_worker workers[MODEL_WORKERS];
    uint64_t last_token; /* the largest ever seen */
    uint64_t unix_ns;
    uint64_t mono_ns;
};

/* What a provider must answer. */
struct answer {
    pawl_status status;
    uint32_t flags;
    uint64_t sequence; /* 0: not checked */
};

void model_free(struct model *model);
struct answer model_register(struct model *model, int process, uint32_t type, uint32_t variant, bool external);
/* May this process be handed out now? */
bool model_claimable(const struct model *model, int process);
/* It was handed out. @return false when the token is not larger than all before */
bool model_claimed(struct model *model, int process, int worker, uint64_t token);
/* What a claim by id must say; PAWL_OK when it may be handed out, PAWL_SUSPEND when it must not, whatever is said. */
pawl_status model_claim_by_id(const struct model *model, int process);
struct answer model_append(struct model *model, int process, uint64_t token, uint32_t variant, size_t count,
                           uint32_t document);
struct answer model_suspend(struct model *model, int process, uint64_t token, uint64_t seen, uint32_t variant,
                            size_t count, uint64_t wake_unix_ns);
struct answer model_complete(struct model *model, int process, uint64_t token, uint64_t seen, uint32_t variant,
                             uint32_t status);
struct answer model_park(struct model *model, int process, uint64_t token, uint32_t variant);
struct answer model_post(struct model *model, int process, uint32_t kind, uint32_t post, uint32_t variant,
                         uint32_t status, bool force);
pawl_status model_release(struct model *model, int process, uint64_t token);
/* The clocks have moved: worker sessions may have expired. */
void model_set_clocks(struct model *model, uint64_t unix_ns, uint64_t mono_ns);
/* A worker session is gone; what it held may be claimed. */
void model_worker_gone(struct model *model, int worker);
/* @return how many are removed, at most limit: which ones is left to the provider (see model_pruned) */
size_t model_prunable(const struct model *model, uint64_t before_unix_ns);
void model_pruned(struct model *model, int process);
/* A pruned process makes place for one with an id never used before. */
void model_renew(struct model *model, int process);

#endif
