/* care.h: what every engine's plugin offers as "pawl.storage-care/1": checking, copying and restoring a store. See
 * pawl_abi.h for what each promises. An engine's plugin wraps these with its own description. */
#ifndef PAWL_STORE_CARE_H
#define PAWL_STORE_CARE_H

#include "provider.h"

/** [loader] */
pawl_status pawl_store_care_check(const pawl_store_engine *engine, const pawl_host_root *host, pawl_bytes config_json,
                                  uint32_t flags, pawl_care_visit visit, void *context, pawl_sink *facts_json,
                                  pawl_failure_sink *why);
/** [worker] */
pawl_status pawl_store_care_backup(pawl_store *store, pawl_bytes directory, pawl_sink *facts_json,
                                   pawl_failure_sink *why);
/** [loader] */
pawl_status pawl_store_care_restore(const pawl_store_engine *engine, const pawl_host_root *host, pawl_bytes config_json,
                                    pawl_bytes directory, uint32_t flags, pawl_care_visit visit, void *context,
                                    pawl_sink *facts_json, pawl_failure_sink *why);

#endif
