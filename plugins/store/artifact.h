/* artifact.h: the functions of the artifact facet; pawl_abi.h says what each does. [worker] */
#ifndef PAWL_STORE_ARTIFACT_H
#define PAWL_STORE_ARTIFACT_H

#include "contents.h"

pawl_status pawl_store_artifact_put(pawl_store *store, pawl_bytes kind, pawl_bytes content, uint8_t *digest,
                                    pawl_failure_sink *why);
pawl_status pawl_store_artifact_get(pawl_store *store, const uint8_t *digest, pawl_sink *content, pawl_sink *kind,
                                    pawl_failure_sink *why);
pawl_status pawl_store_artifact_hold(pawl_store *store, const uint8_t *digest, pawl_bytes holder,
                                     pawl_failure_sink *why);
pawl_status pawl_store_artifact_release(pawl_store *store, const uint8_t *digest, pawl_bytes holder,
                                        pawl_failure_sink *why);
pawl_status pawl_store_artifact_remove(pawl_store *store, const uint8_t *digest, pawl_failure_sink *why);

#endif
