//! What every handle has, and what belongs to the process.

use std::sync::Arc;

use super::feature;
use super::row::*;
use crate::real;
use crate::win32::*;
use crate::world::entered;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_CALLBACK: Shape::Pointer("WINHTTP_STATUS_CALLBACK"))
        .query(
            ANY,
            Get::Of(|subject| {
                let callback = subject.handle()?.listener().callback;
                Ok(Value::Pointer(callback.map_or(0, |callback| callback.raw() as usize)))
            }),
        )
        .note("Set it with WinHttpSetStatusCallback."),
    option!(WINHTTP_OPTION_HANDLE_TYPE: Shape::Dword)
        .query(ANY, Get::Of(|subject| Ok(Value::Dword(subject.handle()?.type_number())))),
    option!(WINHTTP_OPTION_PARENT_HANDLE: Shape::Pointer("HINTERNET")).query(
        CONNECTION | REQUEST | RESOLVER | WEB_SOCKET,
        Get::Of(|subject| {
            let parent = subject.handle()?.parent().ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE)?;
            Ok(Value::Pointer(parent.value()))
        }),
    ),
    option!(WINHTTP_OPTION_CONTEXT_VALUE: Shape::Pointer("DWORD_PTR"))
        .query(ANY, Get::Of(|subject| Ok(Value::Pointer(subject.handle()?.context()))))
        .set(
            ANY,
            Put::To(|subject, given| {
                subject.handle()?.set_context(given.address());
                Ok(())
            }),
        )
        .default("0")
        .note("A child begins with its parent's."),
    option!(WINHTTP_OPTION_EXTENDED_ERROR: Shape::Dword)
        .query(
            PROCESS | ANY,
            Get::Of(|subject| {
                let of_request = subject.request().map(|request| request.with(|machine| machine.extended_error()));
                Ok(Value::Dword(of_request.unwrap_or_else(|_| extended_error())))
            }),
        )
        .note("Winsock's number for the last failure of the request, or of this thread; 0 if there was no such."),
    option!(WINHTTP_OPTION_WORKER_THREAD_COUNT: Shape::Dword)
        .query(PROCESS | ANY, Get::Of(|_| Ok(Value::Dword(0))))
        .set(PROCESS, Put::To(|_, given| {
            let (world, _) = real::current().ok_or(ERROR_NOT_SUPPORTED)?;
            world.spawner.set_workers(given.dword())
        }))
        .default("0")
        .note("Once, before the first asynchronous operation: else ERROR_WINHTTP_INCORRECT_HANDLE_STATE. Reads as 0. Workers that block are not counted."),
    option!(WINHTTP_OPTION_ENABLETRACING: Shape::Bool).absent(PROCESS, PROCESS, "Set WINHTTP_TRACE in the environment instead."),
    #[cfg(feature = "win32")]
    option!(WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT: Shape::Pointer("HANDLE"))
        .strict()
        .set(
            SESSION,
            Put::To(|subject, given| {
                let event = given.address();
                let unloaded = Box::new(move || crate::api::kernel::signal_event(event));
                let mut place = subject.session()?.unloaded.lock();
                if place.is_some() || !crate::api::kernel::is_event(event) {
                    return Err(ERROR_INVALID_PARAMETER);
                }
                *place = Some(unloaded);
                Ok(())
            }),
        )
        .note("Once. Signalled after the last HANDLE_CLOSING of the session."),
    #[cfg(not(feature = "win32"))]
    option!(WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT: Shape::Pointer("HANDLE")).absent(
        0,
        SESSION,
        "There are no events without the feature `win32`.",
    ),
    option!(WINHTTP_OPTION_ASSURED_NON_BLOCKING_CALLBACKS: Shape::Bool)
        .ignored(SESSION, "The application promises something that is not needed."),
    option!(WINHTTP_OPTION_FEATURE_SUPPORTED: Shape::Bytes("DWORD in, BOOL out"))
        .query(
            PROCESS | ANY,
            Get::Keyed(|subject, input| {
                let world = subject.handle.as_ref().map(|handle| Arc::clone(handle.world()));
                let world = world.or_else(|| Some(entered()?.0));
                // A buffer that is too short for the id is too short for the answer.
                let id = input.first_chunk().map_or(0, |id| u32::from_ne_bytes(*id));
                Ok(Value::Dword(feature::supported(id, world.as_deref()).into()))
            }),
        )
        .note("In: WINHTTP_FEATURE_*; out: BOOL."),
];
