/* outcome.h: how a process ended, between the registry's bytes, the struct of the API and JSON. Owns nothing.
 * [any] */
#ifndef PAWL_HOST_OUTCOME_H
#define PAWL_HOST_OUTCOME_H

#include "host/host_internal.h"

/** Read the outcome of a process whose end a watch has reported; its bytes are in the arena, id is for messages.
 *  [worker]: reads the store */
pawl_status pawl_outcome_read(pawl_host *host, const pawl_registry_op *ended, const char *id, pawl_arena *arena,
                              pawl_outcome *ret, pawl_error *error);

/** Decode the body of an ENDED record; bytes point into it. */
pawl_status pawl_outcome_decode(uint32_t status, pawl_bytes body, pawl_outcome *ret, pawl_error *error);

/** {"status", "output" | "output_base64", "code", "message", "detail"}; a new object or NULL. */
json_t *pawl_outcome_json(const pawl_outcome *outcome);

/** Read the record that a watch has reported, if it answers this update: PAWL_OK and its outcome (bytes in the arena),
 * PAWL_PENDING when it answers another one. [worker]: reads the store */
pawl_status pawl_outcome_read_reply(pawl_host *host, const pawl_registry_op *watched, const char *update_id,
                                    pawl_arena *arena, pawl_outcome *ret, pawl_error *error);

/** Read the event that a watch has reported, if it is of this type ("": any): PAWL_OK with the event as JSON for its
 * output (bytes in the arena), PAWL_PENDING when it is of another one. [worker]: reads the store */
pawl_status pawl_outcome_read_event(pawl_host *host, const pawl_registry_op *watched, const char *type,
                                    pawl_arena *arena, pawl_outcome *ret, pawl_error *error);

/** {"status": "replied" | "rejected", ...}; a new object or NULL. */
json_t *pawl_outcome_reply_json(const pawl_outcome *outcome);

#endif
