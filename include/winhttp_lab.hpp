// The lab of winhttp_lab.h as a class: the world lives as long as it does. C++11.
#ifndef PORTABLE_WINHTTP_LAB_HPP
#define PORTABLE_WINHTTP_LAB_HPP

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

#include "winhttp_lab.h"

namespace winhttp {

class Lab {
public:
    explicit Lab(const std::string &json = "{}") : lab_(WinHttpLabBegin(json.c_str()))
    {
        if (!lab_)
            throw std::invalid_argument("winhttp::Lab: " + json);
    }
    Lab(const Lab &) = delete;
    Lab &operator=(const Lab &) = delete;
    /// What did not go as expected, and nobody asked `end` for, ends the process; its report is on standard error.
    ~Lab()
    {
        if (lab_ && !WinHttpLabEnd(lab_, nullptr) && !unwinds())
            std::abort();
    }

    void peer(const std::string &json) { checked(WinHttpLabPeer(lab_, json.c_str()), json); }
    void fault(const std::string &json) { checked(WinHttpLabFault(lab_, json.c_str()), json); }
    void open_gate(const std::string &name) { WinHttpLabOpenGate(lab_, name.c_str()); }
    bool step() { return WinHttpLabStep(lab_) != 0; }
    bool settle() { return WinHttpLabSettle(lab_) != 0; }
    bool advance(std::uint64_t milliseconds) { return WinHttpLabAdvance(lab_, milliseconds) != 0; }
    /// False for a hang, which the report tells. What `done` throws comes out of here.
    bool block_until(const std::function<bool()> &done)
    {
        Question question = {done, nullptr};
        auto ask = [](void *context) {
            auto *asked = static_cast<Question *>(context);
            try {
                return asked->done() ? 1 : 0;
            } catch (...) {
                asked->thrown = std::current_exception();
                return 1;
            }
        };
        bool happened = WinHttpLabBlockUntil(lab_, ask, &question) != 0;
        if (question.thrown)
            std::rethrow_exception(question.thrown);
        return happened;
    }
    std::uint64_t elapsed() { return WinHttpLabElapsed(lab_); }
    /// What `body` throws ends the process.
    void spawn(const std::string &name, std::function<void()> body)
    {
        auto run = [](void *context) {
            auto *held = static_cast<std::function<void()> *>(context);
            (*held)();
            delete held;
        };
        WinHttpLabSpawn(lab_, name.c_str(), run, new std::function<void()>(std::move(body)));
    }
    std::string received(const std::string &origin) { return taken(WinHttpLabReceived(lab_, origin.c_str())); }
    std::string trace() { return taken(WinHttpLabTrace(lab_)); }
    std::string trace_table() { return taken(WinHttpLabTraceTable(lab_)); }
    std::string violations() { return taken(WinHttpLabViolations(lab_)); }
    std::string choices() { return taken(WinHttpLabChoices(lab_)); }
    /// Ends the world: empty if all went as expected, else the report.
    std::string end()
    {
        char *report = nullptr;
        WinHttpLab *lab = lab_;
        lab_ = nullptr;
        bool well = WinHttpLabEnd(lab, &report) != 0;
        std::string text = taken(report);
        return well ? std::string() : text.empty() ? std::string("it did not end well") : text;
    }

private:
    struct Question {
        const std::function<bool()> &done;
        std::exception_ptr thrown;
    };
    static bool unwinds()
    {
#if __cplusplus >= 201703L
        return std::uncaught_exceptions() > 0;
#else
        return std::uncaught_exception();
#endif
    }
    static std::string taken(char *text)
    {
        std::string owned = text ? text : "";
        WinHttpLabFree(text);
        return owned;
    }
    static void checked(int good, const std::string &json)
    {
        if (!good)
            throw std::invalid_argument("winhttp::Lab: " + json);
    }

    WinHttpLab *lab_;
};

} // namespace winhttp

#endif
