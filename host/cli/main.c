/* main.c: the `pawl` program. Everything it does is in the other files of this room. */
#include "host/cli/cli.h"

int main(int argc, char **argv)
{
    return pawl_cli_main(argc, argv, stdin, stdout, stderr);
}
