// The lab of winhttp_lab.h as a class: the world lives as long as it does. C++11.
#ifndef PORTABLE_WINHTTP_LAB_HPP
#define PORTABLE_WINHTTP_LAB_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "winhttp_lab.h"

namespace winhttp {

class Lab {
public:
    explicit Lab(const std::string &json = "{}") : lab_(WinHttpLabBegin(json.c_str())), thrown_(std::make_shared<Thrown>())
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

    void peer(const std::string &json) { checked(WinHttpLabPeer(lab_, json.c_str()) != 0, json); }
    void fault(const std::string &json) { checked(WinHttpLabFault(lab_, json.c_str()) != 0, json); }
    /// The run has failed, for this reason.
    void fail(const std::string &why) { WinHttpLabFail(lab_, why.c_str()); }
    void open_gate(const std::string &name) { WinHttpLabOpenGate(lab_, name.c_str()); }
    bool step() { return went(WinHttpLabStep(lab_) != 0); }
    bool settle() { return went(WinHttpLabSettle(lab_) != 0); }
    bool advance(std::uint64_t milliseconds) { return went(WinHttpLabAdvance(lab_, milliseconds) != 0); }
    /// False for a hang, which the report tells. What `done` throws comes out of here, and what a thread of the lab threw.
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
        return went(happened);
    }
    std::uint64_t elapsed() { return WinHttpLabElapsed(lab_); }
    /// Throws std::invalid_argument if it will not run. What `body` throws fails the run there, and comes out of what the world goes on by, or of `end`.
    void spawn(const std::string &name, std::function<void()> body)
    {
        struct Spawned {
            WinHttpLab *lab;
            std::shared_ptr<Thrown> thrown;
            std::function<void()> body;
        };
        auto run = [](void *context) {
            std::unique_ptr<Spawned> spawned(static_cast<Spawned *>(context));
            try {
                spawned->body();
            } catch (const std::exception &exception) {
                WinHttpLabFail(spawned->lab, (std::string("an exception: ") + exception.what()).c_str());
                spawned->thrown->keep(std::current_exception());
            } catch (...) {
                WinHttpLabFail(spawned->lab, "an exception");
                spawned->thrown->keep(std::current_exception());
            }
        };
        auto *spawned = new Spawned{lab_, thrown_, std::move(body)};
        bool runs = WinHttpLabSpawn(lab_, name.c_str(), run, spawned) != 0;
        if (!runs)
            delete spawned;
        checked(runs, name);
    }
    /// Throws std::invalid_argument if no server was described there.
    std::string received(const std::string &origin)
    {
        char *text = WinHttpLabReceived(lab_, origin.c_str());
        checked(text != nullptr, origin);
        return taken(text);
    }
    std::string trace() { return taken(WinHttpLabTrace(lab_)); }
    std::string trace_table() { return taken(WinHttpLabTraceTable(lab_)); }
    std::string violations() { return taken(WinHttpLabViolations(lab_)); }
    std::string choices() { return taken(WinHttpLabChoices(lab_)); }
    /// Ends the world: empty if all went as expected, else the report. What a thread of the lab threw comes out of here, if it has
    /// not come out before; its report is on standard error.
    std::string end()
    {
        char *report = nullptr;
        WinHttpLab *lab = lab_;
        lab_ = nullptr;
        bool well = WinHttpLabEnd(lab, &report) != 0;
        std::string text = taken(report);
        if (std::exception_ptr thrown = thrown_->take()) {
            std::fprintf(stderr, "%s\n", text.c_str());
            std::rethrow_exception(thrown);
        }
        return well ? std::string() : text.empty() ? std::string("it did not end well") : text;
    }

private:
    struct Question {
        const std::function<bool()> &done;
        std::exception_ptr thrown;
    };
    /// What a thread of the lab threw first, until it has come out.
    class Thrown {
    public:
        void keep(std::exception_ptr thrown)
        {
            std::lock_guard<std::mutex> guard(lock_);
            if (!first_)
                first_ = thrown;
        }
        std::exception_ptr take()
        {
            std::lock_guard<std::mutex> guard(lock_);
            std::exception_ptr taken;
            std::swap(taken, first_);
            return taken;
        }

    private:
        std::mutex lock_;
        std::exception_ptr first_;
    };
    bool went(bool well)
    {
        if (std::exception_ptr thrown = thrown_->take())
            std::rethrow_exception(thrown);
        return well;
    }
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
    static void checked(bool good, const std::string &json)
    {
        if (!good)
            throw std::invalid_argument("winhttp::Lab: " + json);
    }

    WinHttpLab *lab_;
    std::shared_ptr<Thrown> thrown_;
};

} // namespace winhttp

#endif
