//! The guide: from linking a client to a test that finds its bugs. **Start here**, and read in order.
//!
//! | chapter | |
//! |---|---|
//! | [`_01_linking`] | how a program gets WinHTTP on Linux and macOS |
//! | [`_02_model`] | WinHTTP's asynchronous model |
//! | [`_03_surviving`] | how to write a client that copes with it |
//! | [`_04_lab`] | tests with scripted servers and virtual time |
//! | [`_05_faults`] | what can go wrong, and how to make it happen in a test |
//! | [`_06_executors`] | tokio and other executors in tests |
//! | [`_07_memory`] | memory errors: sanitizers and the checker |
//! | [`_08_traces`] | how to see what happened |
//! | [`_09_ci`] | continuous integration on Linux, macOS and Windows |
//! | [`_10_troubleshooting`] | from a symptom or a message to its cause |
//! | [`_11_errors`] | every error: when it comes, and what to do |
//! | [`_12_security`] | what is trusted, which threats are covered, and by which tests |
//! | [`_13_exploring`] | exploring and replay: the orders of callbacks that Windows may choose |
//! | [`_14_mistakes`] | the mistakes that the checker finds, with code |
//! | [`_15_matrix`] | how a request ends for each fault at each stage, by protocol |
//! | [`_16_c_and_cpp`] | a client in C++ and its test, with CMake |
//! | [`_17_windows_crate`] | a client of the `windows` crate and its test |
#![forbid(unsafe_code)]
#![allow(non_snake_case)]

#[doc = include_str!("01_linking.md")]
pub mod _01_linking {}

#[doc = include_str!("02_model.md")]
#[doc = include_str!("../machine/request/states.md")]
pub mod _02_model {}

#[doc = include_str!("03_surviving.md")]
pub mod _03_surviving {}

#[doc = include_str!("04_lab.md")]
pub mod _04_lab {}

#[doc = include_str!("05_faults.md")]
pub mod _05_faults {}

#[doc = include_str!("06_executors.md")]
pub mod _06_executors {}

#[doc = include_str!("07_memory.md")]
pub mod _07_memory {}

#[doc = include_str!("08_traces.md")]
pub mod _08_traces {}

#[doc = include_str!("09_ci.md")]
pub mod _09_ci {}

#[doc = include_str!("10_troubleshooting.md")]
pub mod _10_troubleshooting {}

#[doc = include_str!("11_errors.md")]
pub mod _11_errors {}

#[doc = include_str!("../../SECURITY.md")]
pub mod _12_security {}

#[doc = include_str!("13_exploring.md")]
pub mod _13_exploring {}

#[doc = include_str!("14_mistakes.md")]
pub mod _14_mistakes {}

#[doc = include_str!("15_matrix.md")]
pub mod _15_matrix {}

#[doc = include_str!("16_c_and_cpp.md")]
pub mod _16_c_and_cpp {}

#[doc = include_str!("17_windows_crate.md")]
#[doc = "```rust,ignore"]
#[doc = include_str!("../../examples/client/windows_crate.rs")]
#[doc = "```"]
#[doc = include_str!("17_windows_crate_end.md")]
pub mod _17_windows_crate {}
