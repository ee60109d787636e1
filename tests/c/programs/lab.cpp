// The lab from C++: a hang is told, not waited for; the planted bug is a completion that nobody waits for.
#include "client.h"

#include <memory>
#include <string>

#include <winhttp_lab.hpp>

int main()
{
    {
        winhttp::Lab lab;
        lab.peer(R"({"origin": "http://api.test", "rules": [{"replies": [{"body": "hello"}]}]})");
        Client client;
        lab.spawn("client", [&] { client_start(&client, L"api.test", 80, L"GET", L"/", "", 0); });
        client.done = 0;
        CHECK(lab.block_until([&] { return client.done == 1; }));
        client_finish(&client);
        CHECK(std::string(client.text) == "hello");
        CHECK(lab.trace_table().find("HEADERS_AVAILABLE") != std::string::npos);
        CHECK(lab.end().empty());
    }
    {
        winhttp::Lab lab;
        bool never = false;
        CHECK(!lab.block_until([&] { return never; }));
        CHECK(lab.end().find("HANG") != std::string::npos);
    }
    // What a thread throws ends the run, and comes out.
    for (bool waits : {true, false}) {
        winhttp::Lab lab;
        std::string said;
        lab.spawn("thrower", [] { throw std::runtime_error("planted"); });
        try {
            if (waits)
                lab.block_until([] { return false; });
            else
                lab.settle();
        } catch (const std::runtime_error &exception) {
            said = exception.what();
        }
        CHECK(said == "planted");
        said = lab.end();
        CHECK(said.find("`thrower`") != std::string::npos && said.find("an exception: planted") != std::string::npos);
    }
    {
        winhttp::Lab lab;
        std::string said;
        lab.fail("the test says so");
        CHECK(!lab.settle() && lab.end().find("the test says so") != std::string::npos);
        winhttp::Lab other;
        try {
            other.received("https://nobody.test");
        } catch (const std::invalid_argument &exception) {
            said = other.end();
        }
        CHECK(said.find("https://nobody.test") != std::string::npos);
    }
    // What will not run is refused, and nothing of it is kept: LeakSanitizer runs this, too.
    {
        winhttp::Lab lab;
        auto kept = std::make_shared<int>(7);
        bool refused = false;
        try {
            lab.spawn("\xff", [kept] {});
        } catch (const std::invalid_argument &) {
            refused = true;
        }
        CHECK(refused && kept.use_count() == 1 && lab.end().find("not UTF-8") != std::string::npos);
    }
    bool thrown = false;
    try {
        winhttp::Lab lab(R"({"unknown": 1})");
    } catch (const std::invalid_argument &) {
        thrown = true;
    }
    CHECK(thrown);
    std::puts("lab: good");
}
