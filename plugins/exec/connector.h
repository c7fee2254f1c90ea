/* connector.h: what the parts of the exec connector share: the instance (read-only after its creation, so any number of
 * calls may use it at once) and a command that is ready to be started. */
#ifndef PAWL_EXEC_CONNECTOR_H
#define PAWL_EXEC_CONNECTOR_H

#include "plugins/connector/call.h"

#define PAWL_EXEC_ARGUMENTS_MAX 1024u        /* of one command */
#define PAWL_EXEC_KILL_AFTER_NS 500000000ull /* from the request to end to the kill */

struct pawl_connector {
    const pawl_core *core;
    char *name;
    json_t *config;        /* owned; the texts below point into it */
    const json_t *allow;   /* program paths and names */
    const char *path;      /* where names are searched */
    const json_t *roots;   /* directories a command may work in; may be NULL */
    const json_t *env_set; /* names the input may set; NULL: any but those that change how programs are loaded */
    char **environment;    /* "NAME=value" of what is passed through, NULL-terminated */
    bool shell;
    uint64_t output_bytes_max;
    uint64_t attachment_bytes_max;
};

/** Read the configuration, and the host's environment as it is now. [loader] */
pawl_status pawl_exec_configure(pawl_connector *connector, pawl_bytes config, pawl_connector_error *error);

/** A command: everything the new program gets, made before the fork. */
typedef struct pawl_exec_command {
    char *program;      /* absolute path; owned */
    const char **argv;  /* owned array of borrowed texts, NULL-terminated */
    char **environment; /* owned array and texts, NULL-terminated */
    int directory;      /* descriptor of the working directory */
} pawl_exec_command;

/** Make the command from a checked input, or fail because it is not allowed. Close it in either case. */
pawl_status pawl_exec_command_open(const pawl_connector *connector, pawl_connector_call *call,
                                   pawl_exec_command *command);
void pawl_exec_command_close(pawl_exec_command *command);

/** Both operations. repeatable: the author promised that running it twice does no harm. */
pawl_status pawl_exec_run(const pawl_connector *connector, pawl_connector_call *call, bool repeatable);

#endif
