//! PAC scripts by QuickJS.

use std::sync::Arc;

use rquickjs::function::Func;
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Function, Object, Runtime, Value};

use super::{Host, Limits, ScriptError, functions};

/// How deep a script may call itself, in bytes of the C stack: workers have 2 MiB.
const STACK: usize = 512 * 1024;

/// Loads a script and asks it about a URL: `FindProxyForURLEx` if it has that, else `FindProxyForURL`. The script is
/// stopped when `host` says that its time is over, or when it wants more memory than it may have; nothing of it remains.
///
/// Runs on the calling thread, which it blocks.
pub fn run(text: &str, url: &str, name: &str, host: Arc<dyn Host>, limits: &Limits) -> Result<String, ScriptError> {
    let broken = |error: rquickjs::Error| ScriptError::Failed(error.to_string());
    let runtime = Runtime::new().map_err(broken)?;
    runtime.set_memory_limit(limits.memory);
    runtime.set_max_stack_size(STACK);
    let clock = Arc::clone(&host);
    runtime.set_interrupt_handler(Some(Box::new(move || clock.expired())));
    let context = Context::full(&runtime).map_err(broken)?;
    context.with(|ctx| {
        let failed = |error: CaughtError<'_>| match host.expired() {
            true => ScriptError::Stopped,
            false => ScriptError::Failed(shown(error)),
        };
        let prepared = prepare(&ctx, &host);
        prepared.catch(&ctx).map_err(failed)?;
        let loaded: rquickjs::Result<Value<'_>> = ctx.eval_with_options(text, sloppy());
        loaded.catch(&ctx).map_err(|error| match failed(error) {
            ScriptError::Failed(why) => ScriptError::Load(why),
            other => other,
        })?;
        let globals = ctx.globals();
        let function = |name| globals.get::<_, Value<'_>>(name).ok().and_then(Value::into_function);
        let find = function("FindProxyForURLEx").or_else(|| function("FindProxyForURL"));
        let find: Function<'_> = find.ok_or(ScriptError::NoFunction)?;
        let answer: Value<'_> = find.call((url, name)).catch(&ctx).map_err(failed)?;
        if answer.is_null() || answer.is_undefined() {
            return Ok(String::new());
        }
        let text = answer.as_string().and_then(|text| text.to_string().ok());
        text.ok_or_else(|| ScriptError::NotText(answer.type_name().to_owned()))
    })
}

fn sloppy() -> rquickjs::context::EvalOptions {
    let mut options = rquickjs::context::EvalOptions::default();
    options.strict = false;
    options
}

/// Defines the functions of the convention.
fn prepare(ctx: &Ctx<'_>, host: &Arc<dyn Host>) -> rquickjs::Result<()> {
    let world = Object::new(ctx.clone())?;
    macro_rules! function {
        ($name:literal, |$host:ident $(, $argument:ident)*| $body:expr) => {{
            let $host = Arc::clone(host);
            world.set($name, Func::from(move |$($argument: String),*| $body))?;
        }};
    }
    function!("dnsResolve", |host, name| functions::dns_resolve(&*host, &name));
    function!("dnsResolveEx", |host, name| functions::dns_resolve_ex(&*host, &name));
    function!("myIpAddress", |host| functions::my_ip_address(&*host));
    function!("myIpAddressEx", |host| functions::my_ip_address_ex(&*host));
    function!("isInNet", |host, name, pattern, mask| functions::is_in_net(&*host, &name, &pattern, &mask));
    function!("isInNetEx", |host, name, prefix| functions::is_in_net_ex(&*host, &name, &prefix));
    function!("alert", |host, text| host.alert(&text));
    let clock = Arc::clone(host);
    let date = move || {
        let date = clock.date();
        (date.milliseconds as f64, date.offset)
    };
    world.set("date", Func::from(move || rquickjs::convert::List(date())))?;
    world.set("match", Func::from(|pattern: String, text: String| super::super::bypass::shell(&pattern, &text)))?;
    world.set("sortIpAddressList", Func::from(|list: String| functions::sort_ip_address_list(&list)))?;
    let define: Function<'_> = ctx.eval(include_str!("helpers.js"))?;
    define.call((world, ctx.globals()))
}

fn shown(error: CaughtError<'_>) -> String {
    match error {
        CaughtError::Exception(exception) => exception.message().unwrap_or_else(|| "an exception".to_owned()),
        CaughtError::Value(value) => {
            let text = value.as_string().and_then(|text| text.to_string().ok());
            text.unwrap_or_else(|| format!("it threw {}", value.type_name()))
        }
        CaughtError::Error(error) => error.to_string(),
    }
}
