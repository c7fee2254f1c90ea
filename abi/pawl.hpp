// pawl.hpp: process code, effects and connectors in C++17, over the C headers and nothing else. Header-only; it keeps
// no state, and nothing of it is ABI: what a binary contains of it is the binary's own. Must never let an exception
// leave the plugin, and never throw one through a frame of the host: every function that the host calls is noexcept.
//
//     static std::string checkout(pawl::process &p)
//     {
//         std::string_view hold = p.call("stock.reserve", p.input());
//         p.on_rollback("stock.release", hold);
//         pawl::future pay = p.start_call("bank.charge", hold);
//         pawl::future late = p.start_timer(std::chrono::seconds(30));
//         if (p.await_any({pay, late}) == 1)
//             throw pawl::failure("checkout.timeout", "the bank did not answer in 30 s");
//         return std::string(p.result(pay));
//     }
//     static constexpr pawl_process_type types[] = {{"shop.checkout", 3, pawl::program<checkout>}};
//     PAWL_PLUGIN("com.example.shop", "1.0.0", "Example", MANIFEST, pawl_plain_init, pawl_plain_deinit,
//                 pawl::factories<pawl::processes<types>>);
//
// The rules of process code (docs/process-code.md) hold in C++, too. What is different:
//  - An await that must wait leaves the program by an exception of a type that nobody can name, and the program is run
//    from the top later. Destructors run then: they may free memory, and must not call the process. A catch (...) that
//    swallows it changes nothing: every further call throws it again, and the run ends as waiting.
//  - A failed call is thrown as pawl::failure by result(), call() and child(); not caught, it is how the process fails.
//    A cancel request is thrown as pawl::cancelled by the await that is told of it; not caught, the process ends as
//    cancelled. It is no std::exception, so that nobody takes it for a failure.
//  - Awaiting inside a catch block is allowed.
//  - A std::exception that leaves a program is the failure process.exception; std::bad_alloc parks the process, for
//    memory may be there the next time.
//  - std::string_view that comes out of the process lives until the program returns.
#ifndef PAWL_HPP
#define PAWL_HPP

#include "pawl_effect.hpp"
#include "pawl_program.hpp"

#endif // PAWL_HPP
