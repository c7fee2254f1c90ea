/* ledger.c: an account per session. Every "ledger.book" adds its input to the balance of the session that it belongs
 * to, whoever else books at the same time, and leaves a receipt as an attachment. */
#include <pawl_plugin.h>
#include <pawl_session.h>

#include <stdlib.h>

static long long number(pawl_process *p, pawl_bytes text)
{
    char *digits = pawl_cstring(p, text);
    return digits == NULL ? 0 : strtoll(digits, NULL, 10);
}

/* Read, change, commit against the revision that was read; from the start when somebody was faster. */
static pawl_status add(pawl_process *p, long long amount, pawl_bytes *balance)
{
    for (;;) {
        pawl_bytes before = pawl_text("0");
        uint64_t revision = 0;
        pawl_status status = pawl_session_get(p, "balance", &before, &revision);
        if (status != PAWL_E_NOT_FOUND)
            PAWL_TRY(status);
        *balance = pawl_printf(p, "%lld", number(p, before) + amount);
        status = pawl_session_put(p, revision, "balance", *balance, NULL);
        if (status != PAWL_E_STALE)
            return status;
    }
}

static pawl_status book(pawl_process *p)
{
    pawl_bytes balance, receipt, reference;
    PAWL_TRY(add(p, number(p, pawl_input(p)), &balance));
    receipt = pawl_printf(p, "booked %lld, balance %.*s\n", number(p, pawl_input(p)), (int)balance.size,
                          (const char *)balance.data);
    PAWL_TRY(pawl_attach(p, receipt, "text/plain", "receipt", &reference));
    return pawl_complete(p, pawl_printf(p, "{\"balance\":%.*s,\"receipt\":\"%.*s\"}", (int)balance.size,
                                        (const char *)balance.data, (int)reference.size, (const char *)reference.data));
}

PAWL_PROCESS("ledger.book", 1, book)
PAWL_PLUGIN("com.example.ledger", "1.0.0", "Example",
            "{\"manifest_version\":1,\"id\":\"com.example.ledger\",\"version\":\"1.0.0\","
            "\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"process\"],"
            "\"processes\":[{\"name\":\"ledger.book\",\"revision\":1}]}",
            pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
