/* strict_plugin.h: a plugin with one process type that asks for a higher tier than a profile may give. */
#ifndef PAWL_TESTS_HOST_STRICT_PLUGIN_H
#define PAWL_TESTS_HOST_STRICT_PLUGIN_H

#include <pawl_abi.h>

const pawl_plugin_root *strict_plugin(void);

#endif
