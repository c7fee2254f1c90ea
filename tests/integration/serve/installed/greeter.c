/* greeter.c: a process type, built against an installed Pawl by CMake. It greets by an effect of another plugin. */
#include <pawl_plugin.h>
#include <pawl_process.h>

static pawl_status greet(pawl_process *p)
{
    pawl_bytes dropped;
    PAWL_TRY(pawl_call(p, "letter.drop", pawl_input(p), &dropped));
    PAWL_TRY(pawl_sleep(p, 20 * PAWL_MILLISECOND));
    return pawl_complete(p, dropped);
}

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"org.example.greeter\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"  \
    "\"kinds\":[\"process\"],\"processes\":[{\"name\":\"example.greet\",\"revision\":1,\"input_schema\":true}]}"

PAWL_PROCESS("example.greet", 1, greet)
PAWL_PLUGIN("org.example.greeter", "1.0.0", "Example", MANIFEST, pawl_plain_init, pawl_plain_deinit,
            pawl_process_factory);
