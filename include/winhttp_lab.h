/* The lab: WinHTTP in a world of its own, with servers that a test describes and a clock that only tests move.
 *
 * WinHttpLabBegin makes such a world for the calling thread; its functions are called on that thread. Texts are UTF-8;
 * what is handed out is freed with WinHttpLabFree. Descriptions are JSON:
 *
 *   begin   {"seed": 1, "choices": "1/2", "profile": "windows-10-1607", "delivery": "worker", "allow_unknown_hosts": true}
 *           profile: windows-8, windows-8.1, windows-10-1607, windows-10-1903, windows-10-2004, windows-10-21h1,
 *           windows-10-22h2, windows-server-2022, windows-11-24h2 or newest, as without it
 *   peer    {"origin": "https://api.test", "rules": [RULE...], "faults": [FAULT...]}
 *   RULE    {"method": "GET", "path": "/items", "under": "/v1", "query": {"a": "b"}, "headers": {"etag": "7"},
 *            "has_headers": ["cookie"], "no_headers": ["range"], "body": "...", "body_contains": "...",
 *            "name": "the list", "expect": 1 or [1, 3], "replies": [REPLY...]}
 *   REPLY   {"status": 200, "redirect": "/there", "headers": {"etag": "7"}, "body": "hello", "chunks": [3, 2],
 *            "trailers": {"digest": "..."}, "delay_ms": 100, "between_ms": 10, "interim": [103], "wait": "a gate",
 *            "until_close": true, "early": true, "never": true, "then": [FAULT...], "web_socket": [ACT...]}
 *   ACT     {"text": "hi"} {"binary": [1, 2]} {"ping": "x"} {"expect_text": "hi"} {"expect_binary": [1]}
 *            {"expect_close": 1000} {"sleep_ms": 5} {"wait": "a gate"} {"close": [1000, "bye"]} "echo" "end" "reset"
 *   FAULT   one of "at": "resolve", "connect", "tls", "send", "write", "head", "read" or "close"; "after_body": bytes;
 *            "in_call": "WinHttpReadData"; "on": "READ_COMPLETE"
 *            with "nth": 2 or "first": 3, "of": "request 1", "maybe": true
 *            at a stage: "fail": 12030, "secure": 32, "reset", "close" or "stall": true, "delay_ms", "slow", "short", "wait"
 *            in a call: "fail", "fail_bound", "last_error", "inside", "later" or "settle": true, "wait"
 *            on a callback: "settle": true, "wait"
 *
 * The environment says more: WINHTTP_VERIFY and WINHTTP_PATIENCE as in Rust.
 */
#ifndef PORTABLE_WINHTTP_LAB_H
#define PORTABLE_WINHTTP_LAB_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct WinHttpLab WinHttpLab;

/* A world for this thread, or NULL for a wrong text, which stderr explains. */
WinHttpLab *WinHttpLabBegin(const char *json);
/* A server, or more rules for one; 0 for a wrong text. */
int WinHttpLabPeer(WinHttpLab *lab, const char *json);
/* Something goes wrong, or otherwise than usual; 0 for a wrong text. */
int WinHttpLabFault(WinHttpLab *lab, const char *json);
/* What waits at this gate goes on. */
void WinHttpLabOpenGate(WinHttpLab *lab, const char *name);
/* One thing happens without the time moving; 0 if there is none. */
int WinHttpLabStep(WinHttpLab *lab);
/* Everything happens that needs no time; 0 if the world has failed. */
int WinHttpLabSettle(WinHttpLab *lab);
/* So many milliseconds pass; 0 if the world has failed. */
int WinHttpLabAdvance(WinHttpLab *lab, uint64_t milliseconds);
/* The world goes on until `done` answers other than 0; 0 for a hang, which the report tells. */
int WinHttpLabBlockUntil(WinHttpLab *lab, int (*done)(void *context), void *context);
/* Milliseconds that have passed. */
uint64_t WinHttpLabElapsed(WinHttpLab *lab);
/* Runs code on another thread of this world. */
void WinHttpLabSpawn(WinHttpLab *lab, const char *name, void (*body)(void *context), void *context);
/* The requests that a server got, one a line. */
char *WinHttpLabReceived(WinHttpLab *lab, const char *origin);
/* Calls and notifications so far: JSON lines, and a table to be read. */
char *WinHttpLabTrace(WinHttpLab *lab);
char *WinHttpLabTraceTable(WinHttpLab *lab);
/* Mistakes so far in the use of WinHTTP, one a line. */
char *WinHttpLabViolations(WinHttpLab *lab);
/* The choices so far: with them, WinHttpLabBegin makes the same run again. */
char *WinHttpLabChoices(WinHttpLab *lab);
/* Ends the world: 1 if all went as expected, else 0 and a report. `report` may be NULL. */
int WinHttpLabEnd(WinHttpLab *lab, char **report);
/* Runs `run` in a new world for each of at most so many schedules (0: as many as fit into two seconds), until it answers 0
 * or its world does not end well: 1 if none failed, else 0 and a report of the smallest schedule that fails, with the
 * choices that WINHTTP_REPLAY and WinHttpLabBegin take. `run` does not end the world. `report` may be NULL. */
int WinHttpLabExplore(uint64_t schedules, int (*run)(WinHttpLab *lab, void *context), void *context, char **report);
void WinHttpLabFree(char *text);

#ifdef __cplusplus
}
#endif

#endif
