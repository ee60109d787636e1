//! C and C++: the headers, the libraries, programs.

#[cfg(target_os = "linux")]
mod guide;
mod header;
#[cfg(target_os = "linux")]
mod installed;
mod lab_texts;
#[cfg(target_os = "linux")]
mod programs;
#[cfg(target_os = "linux")]
mod server;
