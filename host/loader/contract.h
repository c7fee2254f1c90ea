/* contract.h: does what a plugin hands over keep to the ABI? The same checks in the probe's child process and in the
 * host. Takes copies, so that nothing is looked at twice. Internal to the loader. [loader] */
#ifndef PAWL_HOST_LOADER_CONTRACT_H
#define PAWL_HOST_LOADER_CONTRACT_H

#include "manifest.h"
#include "worker/base/error.h"

#define CONTRACT_STRUCT_BYTES_MAX 4096u /* a struct_size beyond this is not a size */

/** Copies of a plugin's tables, each zero beyond what the plugin filled. */
typedef struct contract_tables {
    uint32_t kinds; /* PAWL_KIND_* bits that were taken */
    uint32_t facets;
    pawl_effect_table effect;
    pawl_connector_table connector;
    pawl_process_table process;
    pawl_middleware_table middleware;
    pawl_observer_table observer;
    pawl_storage_table storage;
    pawl_storage_care_table care; /* optional: struct_size 0 when it is not offered */
    pawl_session_table session;
    pawl_attachment_table attachment;
    pawl_artifact_table artifact;
    pawl_registry_table registry;
} contract_tables;

/** Check and copy a root. manifest is that of the note; note holds the note's bytes, or no data for a plugin without
 *  one. Errors: loader.root, abi_major, needs_newer_minor, manifest_differs. */
pawl_status pawl_contract_take_root(const pawl_plugin_root *theirs, const pawl_manifest *manifest, pawl_bytes note,
                                    const char *subject, pawl_plugin_root *ret, pawl_error *error);

/** Before a manifest is known: is there a root, of a believable size and of this major? Same errors. */
pawl_status pawl_contract_glance_at_root(const pawl_plugin_root *theirs, const char *subject, pawl_error *error);

/** Call init. Errors: loader.init_failed, with what the plugin said. */
pawl_status pawl_contract_init(const pawl_plugin_root *root, const pawl_host_root *host, const char *config_json,
                               const char *subject, pawl_error *error);

/** Get, check and copy the tables of every kind and facet that the manifest declares; after init.
 *  Errors: loader.no_factory, table_size, table_flags, table_member, facets_differ. */
pawl_status pawl_contract_take_tables(const pawl_plugin_root *root, const pawl_manifest *manifest, const char *subject,
                                      contract_tables *ret, pawl_error *error);

/** Copy a table of `theirs_size` bytes over a zeroed one of mine_size: what the plugin does not have stays zero, what
 *  this host does not know is left. */
void pawl_contract_copy(void *mine, size_t mine_size, const void *theirs, size_t theirs_size);

#endif
