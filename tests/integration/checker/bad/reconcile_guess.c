/* reconcile_guess.c: it says of everything that it happened. */
#define EXECUTE   echo
#define RECONCILE echo
#define OUTCOME   "reconcile"
#include "sampled.h"
SAMPLED;
