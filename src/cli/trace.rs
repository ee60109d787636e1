//! `portable-winhttp trace URL`.

use std::fs::{self, File};
use std::path::PathBuf;

use super::End;
use super::arguments::Trace;
use super::exchange::{Body, Exchange, new_recorder};
use super::output::{Download, complain};
use super::telling::{Form, Telling};
use super::winhttp::crack_url;

/// Runs the request and prints its record.
pub fn run(url: &str, arguments: Box<Trace>) -> End {
    match prepare(url, &arguments) {
        Ok((exchange, file)) => report(&exchange, file, &arguments),
        Err(problem) => {
            complain(&problem);
            End::Usage
        }
    }
}

fn prepare(url: &str, arguments: &Trace) -> Result<(Exchange, Option<File>), String> {
    let target = crack_url(url).map_err(|error| format!("{url}: {error}"))?;
    let data = match arguments.data.as_deref() {
        None => None,
        Some(text) => Some(match text.strip_prefix('@') {
            Some(path) => fs::read(path).map_err(|error| format!("--data {text}: {error}"))?,
            None => text.as_bytes().to_vec(),
        }),
    };
    if data.as_ref().is_some_and(|data| u32::try_from(data.len()).is_err()) {
        return Err("--data: WinHttpSendRequest counts in 32 bits, this is longer".into());
    }
    let open = |path: &PathBuf| File::create(path).map_err(|error| format!("--body {}: {error}", path.display()));
    let file = arguments.body.as_ref().map(open).transpose()?;
    let default = if data.is_some() { "POST" } else { "GET" };
    let exchange = Exchange {
        target,
        method: arguments.method.clone().unwrap_or_else(|| default.into()),
        headers: arguments.headers.clone(),
        body: data.map_or(Body::None, Body::Optional),
        synchronous: arguments.sync,
        http2: arguments.http2,
    };
    Ok((exchange, file))
}

fn report(exchange: &Exchange, file: Option<File>, arguments: &Trace) -> End {
    let recorder = new_recorder();
    let form = match arguments {
        Trace { json: true, .. } => Form::JsonLines,
        Trace { mermaid: true, .. } => Form::Mermaid,
        Trace { svg: true, .. } => Form::Svg,
        _ => Form::Table,
    };
    let telling = Telling::begin(&recorder, form, arguments.timeout);
    let mut download = Download::new(file);
    let result = exchange.recorded(&recorder, &mut download);
    drop(download);
    let printed = telling.end();
    match result {
        Ok(_) => printed,
        Err(problem) => {
            complain(&problem.to_string());
            End::Badly
        }
    }
}
