/* text_relocation.c: has an absolute address in its code. */
#include "base.h"

HOSTILE;
__asm__(".text\n.p2align 3\n.8byte pawl_plugin_entry_v1\n");
