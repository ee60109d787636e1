//! All functions of WinHTTP: the handles that they take, and what must be said of them.

use super::absent::ABSENT;
use super::options::row::*;

/// A function: one row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    /// Windows' name.
    pub name: &'static str,
    /// The handles that it takes; none for 0.
    pub handles: Handles,
    /// What the table must say beside that.
    pub note: &'static str,
}

impl Function {
    /// Whether it is there and does its work.
    pub fn status(&self) -> Status {
        if ABSENT.contains(&self.name) { Status::Absent } else { Status::Implemented }
    }
}

const fn function(name: &'static str, handles: Handles, note: &'static str) -> Function {
    Function { name, handles, note }
}

pub(crate) const FUNCTIONS: &[Function] = &[
    function("WinHttpAddRequestHeaders", REQUEST, ""),
    function("WinHttpAddRequestHeadersEx", REQUEST, ""),
    function("WinHttpCheckPlatform", 0, ""),
    function("WinHttpCloseHandle", ANY, ""),
    function("WinHttpConnect", SESSION, ""),
    function("WinHttpConnectionDeletePolicyEntries", 0, "Of the connection manager, in no header."),
    function("WinHttpConnectionDeleteProxyInfo", 0, "Of the connection manager, in no header."),
    function("WinHttpConnectionSetPolicyEntries", 0, "Of the connection manager, in no header."),
    function("WinHttpConnectionSetProxyInfo", 0, "Of the connection manager, in no header."),
    function("WinHttpConnectionUpdateIfIndexTable", 0, "Of the connection manager, in no header."),
    function("WinHttpCrackUrl", 0, ""),
    function("WinHttpCreateProxyResolver", SESSION, ""),
    function("WinHttpCreateUrl", 0, ""),
    function("WinHttpDetectAutoProxyConfigUrl", 0, ""),
    function("WinHttpFreeProxyResult", 0, ""),
    function("WinHttpFreeProxyResultEx", 0, ""),
    function("WinHttpFreeProxySettings", 0, "No page."),
    function("WinHttpFreeProxySettingsEx", 0, ""),
    function("WinHttpFreeQueryConnectionGroupResult", 0, ""),
    function("WinHttpGetDefaultProxyConfiguration", 0, ""),
    function("WinHttpGetIEProxyConfigForCurrentUser", 0, "The environment, or what WinHttpWriteProxySettings said."),
    function("WinHttpGetProxyForUrl", SESSION, ""),
    function("WinHttpGetProxyForUrlEx", RESOLVER, ""),
    function("WinHttpGetProxyForUrlEx2", RESOLVER, ""),
    function("WinHttpGetProxyResult", RESOLVER, ""),
    function("WinHttpGetProxyResultEx", RESOLVER, ""),
    function("WinHttpGetProxySettingsEx", RESOLVER, ""),
    function("WinHttpGetProxySettingsResultEx", RESOLVER, ""),
    function("WinHttpGetProxySettingsVersion", SESSION, ""),
    function("WinHttpIsHostInProxyBypassList", 0, "In the header, not in the DLL."),
    function("WinHttpOpen", 0, ""),
    function("WinHttpOpenRequest", CONNECTION, ""),
    function("WinHttpProtocolCompleteUpgrade", REQUEST, "Newer SDK headers only."),
    function("WinHttpProtocolReceive", 0, "Newer SDK headers only."),
    function("WinHttpProtocolSend", 0, "Newer SDK headers only."),
    function("WinHttpQueryAuthParams", REQUEST, "In the header, not in the DLL."),
    function("WinHttpQueryAuthSchemes", REQUEST, ""),
    function("WinHttpQueryConnectionGroup", CONNECTION | REQUEST, "Marks of CONNECTION_GUID."),
    function("WinHttpQueryDataAvailable", REQUEST, ""),
    function("WinHttpQueryHeaders", REQUEST, ""),
    function("WinHttpQueryHeadersEx", REQUEST, ""),
    function("WinHttpQueryOption", ANY, ""),
    function("WinHttpReadData", REQUEST, ""),
    function("WinHttpReadDataEx", REQUEST, ""),
    function(
        "WinHttpReadProxySettings",
        SESSION,
        "No page. The settings of the process, the same for every connection name.",
    ),
    function("WinHttpReceiveResponse", REQUEST, ""),
    function("WinHttpRegisterProxyChangeNotification", 0, ""),
    function("WinHttpResetAutoProxy", SESSION, ""),
    function("WinHttpSendRequest", REQUEST, ""),
    function(
        "WinHttpSetCredentials",
        REQUEST,
        "Digest with MD5 and MD5-sess, as on Windows; what RFC 7616 added (SHA-256, SHA-512-256, userhash) only with WINHTTP_NEWER_DIGEST=1, or lab::Profile::with_newer_digest.",
    ),
    function("WinHttpSetDefaultProxyConfiguration", 0, "For this process; nothing is written to disk."),
    function("WinHttpSetOption", ANY, ""),
    function("WinHttpSetProxySettingsPerUser", 0, "No page."),
    function("WinHttpSetStatusCallback", ANY, ""),
    function("WinHttpSetTimeouts", SESSION | REQUEST, ""),
    function("WinHttpTimeFromSystemTime", 0, ""),
    function("WinHttpTimeToSystemTime", 0, ""),
    function("WinHttpUnregisterProxyChangeNotification", 0, ""),
    function("WinHttpWebSocketClose", WEB_SOCKET, ""),
    function("WinHttpWebSocketCompleteUpgrade", REQUEST, ""),
    function("WinHttpWebSocketQueryCloseStatus", WEB_SOCKET, ""),
    function("WinHttpWebSocketReceive", WEB_SOCKET, ""),
    function("WinHttpWebSocketSend", WEB_SOCKET, ""),
    function("WinHttpWebSocketShutdown", WEB_SOCKET, ""),
    function("WinHttpWriteData", REQUEST, ""),
    function("WinHttpWriteProxySettings", SESSION, "No page. For this process; nothing is written to disk."),
];

/// The row of a function.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.binary_search_by_key(&name, |function| function.name).ok().map(|place| &FUNCTIONS[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of the exported functions in a source file.
    fn exported(source: &str) -> impl Iterator<Item = &str> {
        source.split("extern \"system\" fn WinHttp").skip(1).map(|rest| rest.split('(').next().unwrap_or_default())
    }

    #[test]
    fn every_exported_function_has_a_row_and_every_row_a_function() {
        let mut names: Vec<String> = ABSENT.iter().map(|name| (*name).to_owned()).collect();
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/api"))];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name != "functions.rs") {
                    let source = std::fs::read_to_string(path).unwrap();
                    names.extend(exported(&source).map(|name| format!("WinHttp{name}")));
                }
            }
        }
        names.sort();
        let rows: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
        assert_eq!(names, rows);
    }

    #[test]
    fn rows_are_found() {
        assert!(FUNCTIONS.iter().all(|function| find(function.name).is_some_and(|found| found.name == function.name)));
        assert!(find("WinHttpNothing").is_none());
    }
}
