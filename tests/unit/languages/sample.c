/* sample.c: see sample.h. */
#include "sample.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

const pawl_plugin_root *sample_root(void)
{
    void *library = dlopen(SAMPLE_PLUGIN, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL)
        fail_msg("%s", dlerror());
    pawl_plugin_entry_fn entry = NULL;
    void *symbol = dlsym(library, PAWL_PLUGIN_ENTRY_SYMBOL);
    assert_non_null(symbol);
    memcpy(&entry, &symbol, sizeof entry);
    return entry();
}

const void *sample_factory(const char *id)
{
    const void *table = sample_root()->get_factory(id);
    assert_non_null(table);
    return table;
}
