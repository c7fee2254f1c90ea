/* undefined_symbol.c: calls a function that no library has. */
#include "base.h"

void pawl_nobody_has_this(void);

__attribute__((used)) static void call(void)
{
    pawl_nobody_has_this();
}
HOSTILE;
