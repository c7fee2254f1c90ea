/* embed.c: a host inside a program of somebody else, built against an installed libpawl: embed PROFILE TYPE ID INPUT.
 * Prints how the process ended. */
#include <pawl/pawl.h>

#include <stdio.h>
#include <string.h>

static int fail(const pawl_error *error)
{
    fprintf(stderr, "embed: %s [%s]\n", error->message, error->code);
    return 1;
}

int main(int argc, char **argv)
{
    pawl_error error = {0};
    pawl_host *host = NULL;
    pawl_started started = {0};
    pawl_text outcome = {0};
    if (argc != 5)
        return 2;
    pawl_host_options options = {.struct_size = sizeof options, .profile_path = argv[1]};
    pawl_start start = {.struct_size = sizeof start, .type = argv[2], .id = argv[3]};
    start.input = (pawl_bytes){argv[4], strlen(argv[4])};
    if (pawl_host_open(&options, &host, &error) != PAWL_OK)
        return fail(&error);
    if (pawl_host_start(host, &start, &started, &error) != PAWL_OK ||
        pawl_host_wait(host, started.id, 30000000000u, &outcome, &error) != PAWL_OK) {
        pawl_host_close(host);
        return fail(&error);
    }
    printf("%s\n", outcome.data);
    pawl_text_free(&outcome);
    pawl_host_close(host);
    return 0;
}
