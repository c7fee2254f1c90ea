/* child.h: one child process in a session and process group of its own, with pipes to its standard streams. Owns the
 * pipes and the child until it is closed, and leaves no zombie, no descriptor and no member of the group behind. Safe
 * in a program with threads: between fork and exec only calls that may stand in a signal handler are made. */
#ifndef PAWL_EXEC_CHILD_H
#define PAWL_EXEC_CHILD_H

#include "plugins/exec/connector.h"

#include <sys/types.h>

typedef struct pawl_exec_child {
    pid_t pid;  /* 0: none; also the id of its group */
    int exited; /* pidfd, readable once it has ended; -1 where the kernel has none */
    int input;  /* -1 when closed */
    int output, errors;
    bool killed; /* the group was told to go, by us */
} pawl_exec_child;

/** Start it. with_input: standard input is a pipe, else /dev/null. 0, or the errno of what kept the
 *  program from starting; then there is nothing to close. */
int pawl_exec_child_open(pawl_exec_child *child, const pawl_exec_command *command, bool with_input);

/** True once the child has ended; it stays a zombie (and so its group id stays its own) until close. */
bool pawl_exec_child_has_ended(const pawl_exec_child *child);

/** Send a signal to the whole group. */
void pawl_exec_child_signal(pawl_exec_child *child, int number);

/** Kill what is left of the group, wait for the child and close everything. Returns the wait status, or -1 when it is
 *  not known (someone else took it). */
int pawl_exec_child_close(pawl_exec_child *child);

#endif
