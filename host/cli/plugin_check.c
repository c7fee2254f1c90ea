/* plugin_check.c: `pawl plugin check`: hands its command line over to pawl-plugin-check, the program that runs the
 * cases in child processes of its own. Never loads a plugin into this process: with --in-process it becomes the other
 * program, for a debugger to follow. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/cli/cli.h"

extern char **environ;

/* What an argument list is made of: the program, two words for each option, the file, the ends. */
#define WORDS_MAX (2 * PAWL_CLI_OPTIONS_MAX + 8)

typedef struct words {
    char *list[WORDS_MAX];
    size_t count;
} words;

static bool add_word(words *w, const char *format, const char *text)
{
    char *word = NULL;
    if (w->count + 1 == WORDS_MAX || asprintf(&word, format, text) < 0)
        return false;
    w->list[w->count++] = word;
    return true;
}

static void free_words(words *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->list[i]);
}

/* The program that came with this one: beside it as installed, in the build tree, or where it was meant to be. */
static const char *find_program(char program[PATH_MAX])
{
    char own[PATH_MAX];
    char path[2 * PATH_MAX];
    if (realpath("/proc/self/exe", own) != NULL) {
        *strrchr(own, '/') = '\0';
        snprintf(path, sizeof path, "%s/%s", own, PAWL_CHECKER_FROM_PROGRAM);
        if (realpath(path, program) != NULL && access(program, X_OK) == 0)
            return program;
    }
    snprintf(program, PATH_MAX, "%s", PAWL_CHECKER_BUILD_PATH);
    if (access(program, X_OK) != 0)
        snprintf(program, PATH_MAX, "%s", PAWL_CHECKER_INSTALL_PATH);
    return access(program, X_OK) == 0 ? program : NULL;
}

static bool is_common(const char *name)
{
    for (const pawl_cli_option *option = pawl_cli_common_options; option->name != NULL; option++)
        if (strcmp(option->name, name) == 0)
            return true;
    return false;
}

/* The file first, so that a command which repeats one case reads well. */
static bool make_words(const pawl_cli *cli, const char *program, words *w)
{
    bool good = add_word(w, "%s", program);
    if (cli->argument_count > 0)
        good = good && add_word(w, "%s", cli->arguments[0]);
    for (size_t i = 0; i < cli->given_count; i++) {
        const char *name = cli->given[i].name;
        if (is_common(name))
            continue;
        good = good && add_word(w, "--%s", name);
        for (const pawl_cli_option *option = cli->command->options; option->name != NULL; option++)
            if (strcmp(option->name, name) == 0 && option->value != NULL)
                good = good && add_word(w, "%s", cli->given[i].value);
    }
    if (cli->json)
        good = good && add_word(w, "%s", "--json");
    if (cli->color)
        good = good && add_word(w, "%s", "--color");
    return good;
}

/* Its output goes where that of this program goes. */
static int start(pawl_cli *cli, const char *program, char **list, pid_t *ret)
{
    posix_spawn_file_actions_t actions;
    const struct {
        FILE *stream;
        int fd;
    } streams[] = {{cli->out, STDOUT_FILENO}, {cli->err, STDERR_FILENO}};
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0)
        return failed;
    for (size_t i = 0; i < 2 && failed == 0; i++) {
        fflush(streams[i].stream);
        int fd = fileno(streams[i].stream);
        failed = fd < 0 ? posix_spawn_file_actions_addopen(&actions, streams[i].fd, "/dev/null", O_WRONLY, 0)
                        : posix_spawn_file_actions_adddup2(&actions, fd, streams[i].fd);
    }
    if (failed == 0)
        failed = posix_spawn(ret, program, &actions, NULL, list, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int run(pawl_cli *cli, const char *program, char **list)
{
    pid_t pid = 0;
    int end = 0;
    if (pawl_cli_flag(cli, "in-process")) {
        fflush(cli->out);
        execv(program, list);
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "check.program", "%s cannot be started: %s", program,
                             strerror(errno));
    }
    int failed = start(cli, program, list, &pid);
    if (failed != 0)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "check.program", "%s cannot be started: %s", program,
                             strerror(failed));
    while (waitpid(pid, &end, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(end))
        return WEXITSTATUS(end);
    return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "check.program", "%s was ended by signal %d", program, WTERMSIG(end));
}

int pawl_cli_plugin_check(pawl_cli *cli)
{
    char program[PATH_MAX];
    words w = {.count = 0};
    if (cli->argument_count == 0 && !pawl_cli_flag(cli, "list"))
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "which plugin? Give its file, or --list");
    if (find_program(program) == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "check.program",
                             "the program %s is not there; it is installed with this one", PAWL_CHECKER_INSTALL_PATH);
    int status = make_words(cli, program, &w) ? run(cli, program, w.list)
                                              : pawl_cli_fail(cli, PAWL_EXIT_FAILED, "nomem", "out of memory");
    free_words(&w);
    return status;
}
