/* refuse.h: the loader's refusals: one stable code each, the rule of docs/abi-rules.md it stands for, and one way to
 * word them. Internal to the loader. [any] */
#ifndef PAWL_HOST_LOADER_REFUSE_H
#define PAWL_HOST_LOADER_REFUSE_H

#include "worker/base/error.h"

/* code, rule, status. A code is never reused for something else; docs/abi-rules.md explains each rule. */
#define PAWL_LOADER_REFUSALS(X)                                                                                        \
    X("loader.request", "A-20", PAWL_E_INVALID)                                                                        \
    X("loader.unpinned", "A-21", PAWL_E_INVALID)                                                                       \
    X("loader.not_found", "A-22", PAWL_E_NOT_FOUND)                                                                    \
    X("loader.unreadable", "A-22", PAWL_E_IO)                                                                          \
    X("loader.symlink", "A-23", PAWL_E_INVALID)                                                                        \
    X("loader.not_regular", "A-24", PAWL_E_INVALID)                                                                    \
    X("loader.owner", "A-25", PAWL_E_INVALID)                                                                          \
    X("loader.writable", "A-26", PAWL_E_INVALID)                                                                       \
    X("loader.parent_owner", "A-27", PAWL_E_INVALID)                                                                   \
    X("loader.parent_writable", "A-27", PAWL_E_INVALID)                                                                \
    X("loader.too_large", "A-28", PAWL_E_LIMIT)                                                                        \
    X("loader.digest", "A-29", PAWL_E_CONFLICT)                                                                        \
    X("loader.copy", "A-30", PAWL_E_IO)                                                                                \
    X("loader.quarantined", "A-31", PAWL_E_INVALID)                                                                    \
    X("loader.not_elf", "A-32", PAWL_E_INVALID)                                                                        \
    X("loader.machine", "A-33", PAWL_E_UNSUPPORTED)                                                                    \
    X("loader.no_manifest", "A-34", PAWL_E_INVALID)                                                                    \
    X("loader.manifest_invalid", "A-35", PAWL_E_INVALID)                                                               \
    X("loader.abi_major", "A-36", PAWL_E_UNSUPPORTED)                                                                  \
    X("loader.needs_newer_minor", "A-37", PAWL_E_UNSUPPORTED)                                                          \
    X("loader.no_entry", "A-38", PAWL_E_INVALID)                                                                       \
    X("loader.extra_symbols", "A-39", PAWL_E_INVALID)                                                                  \
    X("loader.exec_stack", "A-40", PAWL_E_INVALID)                                                                     \
    X("loader.textrel", "A-41", PAWL_E_INVALID)                                                                        \
    X("loader.static_tls", "A-42", PAWL_E_INVALID)                                                                     \
    X("loader.glibc", "A-43", PAWL_E_UNSUPPORTED)                                                                      \
    X("loader.duplicate_plugin", "A-44", PAWL_E_CONFLICT)                                                              \
    X("loader.duplicate_effect", "A-45", PAWL_E_CONFLICT)                                                              \
    X("loader.duplicate_type", "A-46", PAWL_E_CONFLICT)                                                                \
    X("loader.probe_crash", "A-47", PAWL_E_FAILED)                                                                     \
    X("loader.probe_hang", "A-48", PAWL_E_DEADLINE)                                                                    \
    X("loader.probe_exit", "A-49", PAWL_E_FAILED)                                                                      \
    X("loader.probe_missing", "A-50", PAWL_E_NOT_FOUND)                                                                \
    X("loader.dlopen", "A-51", PAWL_E_INVALID)                                                                         \
    X("loader.root", "A-52", PAWL_E_INVALID)                                                                           \
    X("loader.manifest_differs", "A-53", PAWL_E_CONFLICT)                                                              \
    X("loader.init_failed", "A-54", PAWL_E_FAILED)                                                                     \
    X("loader.no_factory", "A-55", PAWL_E_INVALID)                                                                     \
    X("loader.table_size", "A-56", PAWL_E_INVALID)                                                                     \
    X("loader.table_member", "A-57", PAWL_E_INVALID)                                                                   \
    X("loader.table_flags", "A-58", PAWL_E_INVALID)                                                                    \
    X("loader.facets_differ", "A-59", PAWL_E_CONFLICT)                                                                 \
    X("loader.isolation_kind", "A-70", PAWL_E_UNSUPPORTED)

/** Fill the error with "SUBJECT: text [rule A-n]" and the code's status, which is returned. code must be one of the
 * list above. The format says what was found, what was wanted and what to do. error may be NULL. */
pawl_status pawl_loader_refuse(pawl_error *error, const char *code, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The refusal of a file that dlopen would not take; reason: what dlerror says. */
pawl_status pawl_loader_refuse_load(pawl_error *error, const char *subject, const char *reason);

#endif
