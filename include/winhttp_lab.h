/* The lab: WinHTTP in a world of its own, with servers that a test describes and a clock that only tests move.
 *
 * WinHttpLabBegin makes such a world for the calling thread; its functions are called on that thread, but for
 * WinHttpLabOpenGate and WinHttpLabFail. Texts are UTF-8; what is handed out is freed with WinHttpLabFree. Nothing is passed
 * over: what is wrong is said on stderr, answered with 0 or NULL and ERROR_INVALID_PARAMETER, and the world that it was meant
 * for does not end well; a lab that was ended, or belongs to another thread, is ERROR_INVALID_HANDLE. Descriptions are JSON:
 *
 *   begin   {"seed": 1, "profile": "windows-10-1607", "delivery": "worker", "allow_unknown_hosts": true}
 *           {"choices": "d1/2-n0/3"}
 *
 *   seed: choices at random, which this number repeats. choices: what WinHttpLabChoices, or a report, gave. delivery: where
 *   completions come: "windows", as without it; "worker", always on another thread; "inside", inside the call whenever they
 *   can. profile: windows-8, windows-8.1, windows-10-1607, windows-10-1903, windows-10-2004, windows-10-21h1,
 *   windows-10-22h2, windows-server-2022, windows-11-24h2 or newest, as without it.
 *
 *   peer    {"origin": "https://api.test", "rules": [RULE...], "faults": [FAULT...]}
 *   RULE    {"method": "GET", "path": "/items", "query": {"a": "b"}, "headers": {"etag": "7"}, "has_headers": ["cookie"],
 *            "no_headers": ["range"], "body": "all of it", "name": "the list", "expect": 1, "replies": [REPLY...]}
 *           {"under": "/v1", "body_contains": "a part", "expect": [1, 3], "replies": [REPLY...]}
 *   REPLY   {"status": 200, "headers": {"etag": "7"}, "body": "hello", "chunks": [3, 2], "trailers": {"digest": "x"},
 *            "delay_ms": 100, "between_ms": 10, "interim": [103], "wait": "a gate", "early": true, "then": [FAULT...]}
 *           {"body": "hello", "until_close": true}
 *           {"redirect": "/there"} {"redirect": "/there", "status": 307}
 *           {"web_socket": [ACT...]}
 *           {"never": true}
 *   ACT     {"text": "hi"} {"binary": [1, 2]} {"ping": "x"} {"expect_text": "hi"} {"expect_binary": [1]}
 *           {"expect_close": 1000} {"sleep_ms": 5} {"wait": "a gate"} {"close": [1000, "bye"]} "echo" "end" "reset"
 *
 *   What the chunks leave of the body is one more chunk. A fault says where, which time ("nth" or "first"), of which handle ("of", its
 *   name in a trace), whether it may fail to come ("maybe"), and one thing that happens. "at" is "resolve", "connect",
 *   "tls", "send", "write", "head", "read" or "close"; "then" of a reply takes those of "head", "read", "close" and
 *   "after_body".
 *
 *   FAULT   {"at": "connect", "fail": 12029, "nth": 2} {"at": "tls", "secure": 32, "maybe": true}
 *           {"at": "send", "reset": true} {"at": "head", "close": true} {"at": "write", "stall": true, "of": "R1"}
 *           {"at": "resolve", "delay_ms": 100} {"at": "close", "wait": "a gate"}
 *           {"at": "read", "slow": 1000} {"at": "read", "short": 1, "first": 3} {"after_body": 3, "reset": true}
 *           {"in_call": "WinHttpReadData", "fail": 12017} {"in_call": "WinHttpReadData", "last_error": 997}
 *           {"in_call": "WinHttpSendRequest", "fail_bound": 12029} {"in_call": "WinHttpReadData", "inside": true}
 *           {"in_call": "WinHttpReadData", "later": true} {"in_call": "WinHttpReadData", "settle": true}
 *           {"in_call": "WinHttpReadData", "wait": "a gate"}
 *           {"on": "READ_COMPLETE", "settle": true} {"on": "READ_COMPLETE", "wait": "a gate"}
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
/* What waits at this gate goes on. On any thread, of a gate that was named before. */
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
/* Runs code on another thread of this world; 0 where it will not run. */
int WinHttpLabSpawn(WinHttpLab *lab, const char *name, void (*body)(void *context), void *context);
/* The run has failed, for this reason: on its thread; in a body of WinHttpLabSpawn, when that returns; elsewhere when it ends. */
void WinHttpLabFail(WinHttpLab *lab, const char *why);
/* The requests that a server got, one a line; NULL if none was described there. */
char *WinHttpLabReceived(WinHttpLab *lab, const char *origin);
/* Calls and notifications so far: JSON lines, and a table to be read. */
char *WinHttpLabTrace(WinHttpLab *lab);
char *WinHttpLabTraceTable(WinHttpLab *lab);
/* Mistakes so far in the use of WinHTTP, one a line. */
char *WinHttpLabViolations(WinHttpLab *lab);
/* The choices so far: with them, WinHttpLabBegin makes the same run again. */
char *WinHttpLabChoices(WinHttpLab *lab);
/* Ends the world: 1 if all went as expected and nothing was refused, else 0 and a report. `report` may be NULL. */
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
