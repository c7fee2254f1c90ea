/* connector.h: what the parts of the file connector share: the instance with its open roots, and one file operation's
 * way to say what went wrong. The instance is read-only after its creation: any number of calls may use it at once. */
#ifndef PAWL_FILE_CONNECTOR_H
#define PAWL_FILE_CONNECTOR_H

#include "plugins/connector/beneath.h"
#include "plugins/connector/call.h"

#include <sys/stat.h>

#define PAWL_FILE_CHUNK      ((size_t)64 * 1024) /* bytes moved at once; cancel and deadline are looked at in between */
#define PAWL_FILE_PATH_MAX   4095
#define PAWL_FILE_PAGE_MAX   10000 /* entries of one list */
#define PAWL_FILE_TEMP_BYTES 22    /* ".pawl-" and 16 hexadecimal digits */

typedef struct pawl_file_root {
    char *name;
    int fd; /* the directory */
    bool write;
} pawl_file_root;

struct pawl_connector {
    const pawl_core *core;
    char *name;
    pawl_file_root *roots;
    size_t root_count;
    uint64_t inline_bytes_max;     /* of a result that is not an attachment */
    uint64_t attachment_bytes_max; /* of a result that is one */
};

/** Read the configuration and open the roots. [loader] */
pawl_status pawl_file_configure(pawl_connector *connector, pawl_bytes config, pawl_connector_error *error);

/** Where an operation works: checked root and path of its input. */
typedef struct pawl_file_place {
    const pawl_file_root *root;
    const char *path;
} pawl_file_place;
pawl_status pawl_file_place_of(const pawl_connector *connector, pawl_connector_call *call, bool write, bool may_be_root,
                               pawl_file_place *place);

/** Turn errno into a failure of this operation. doing: "open", "write", ... */
pawl_status pawl_file_failed(pawl_connector_call *call, int problem, const char *doing, const char *path);

/** PAWL_OK, or the failure when the call is to stop or is out of time. Nothing has been changed then. */
pawl_status pawl_file_go_on(pawl_connector_call *call);

/** Open the directory that holds the last component of the path, which *name points to. -1: the error is set; *absent
 *  (may be NULL) is set, and no error, when the directory does not exist. */
int pawl_file_open_parent(pawl_connector_call *call, const pawl_file_place *place, const char **name, bool *absent);

/** True for the name of a temporary file of a write. */
bool pawl_file_is_temporary(const char *name);

pawl_status pawl_file_read(const pawl_connector *connector, pawl_connector_call *call);
pawl_status pawl_file_write(const pawl_connector *connector, pawl_connector_call *call);
pawl_status pawl_file_list(const pawl_connector *connector, pawl_connector_call *call);
pawl_status pawl_file_stat(const pawl_connector *connector, pawl_connector_call *call);
pawl_status pawl_file_remove(const pawl_connector *connector, pawl_connector_call *call);

/** "file", "directory", "link" or "other". */
const char *pawl_file_type_name(mode_t mode);
/** Nanoseconds since 1970 of a file's last change of content. */
json_int_t pawl_file_modified(const struct stat *facts);

#endif
